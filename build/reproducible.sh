#!/usr/bin/env bash
# Builds the committed state in two directories, time zones and locales, and compares the jars byte by byte.
# reproducible.sh --with-this: the jar that this tree has just built is one of the two, if nothing is changed here.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

build() { # directory, then environment settings
  local directory=$1
  shift
  git clone -q . "$directory"
  (cd "$directory" && env "$@" mvn -B -ntp -q -DskipTests -pl agent -am package)
}

if [ "${1:-}" = --with-this ] && [ -f agent/target/jebpf.jar ] && [ -z "$(git status --porcelain)" ]; then
  one=agent/target/jebpf.jar
  echo "reproducible: this tree's jar beside that of a fresh clone"
  [ "$(locale charmap)" = UTF-8 ] && other=C || other=C.UTF-8
else
  one=$work/a/agent/target/jebpf.jar
  other=C.UTF-8
  build "$work/a" TZ=UTC LC_ALL=C
fi
build "$work/deeper/down/b" TZ=Asia/Kathmandu LC_ALL=$other
two=$work/deeper/down/b/agent/target/jebpf.jar
if cmp "$one" "$two"; then
  echo "reproducible: both builds gave $(sha256sum <"$one" | cut -c1-16)…"
else
  mkdir "$work/x" "$work/y"
  unzip -q "$one" -d "$work/x"
  unzip -q "$two" -d "$work/y"
  diff -rq "$work/x" "$work/y" || true
  exit 1
fi
