#!/usr/bin/env bash
# Builds the committed state twice, in directories, time zones and locales of their own, and compares the jars byte by byte.
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

build "$work/a" TZ=UTC LC_ALL=C
build "$work/deeper/down/b" TZ=Asia/Kathmandu LC_ALL=C.UTF-8
if cmp "$work/a/agent/target/jebpf.jar" "$work/deeper/down/b/agent/target/jebpf.jar"; then
  echo "reproducible: both builds gave $(sha256sum <"$work/a/agent/target/jebpf.jar" | cut -c1-16)…"
else
  mkdir "$work/x" "$work/y"
  (cd "$work/x" && unzip -q ../a/agent/target/jebpf.jar)
  (cd "$work/y" && unzip -q ../deeper/down/b/agent/target/jebpf.jar)
  diff -rq "$work/x" "$work/y" || true
  exit 1
fi
