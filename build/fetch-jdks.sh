#!/usr/bin/env bash
# Fetches other JDKs than the machine has, for tests of the symbolizer: 21 and the newest early-access build that Debian
# carries. They are unpacked with their own C library below $JEBPF_JDKS (default ~/.cache/jebpf/jdks), nothing is installed;
# tests find them there and are skipped, with the reason, where they are missing. Needs network, apt and dpkg.
#
#   build/fetch-jdks.sh            21 (trixie), 28 (sid)
#   build/fetch-jdks.sh 26:sid     others
set -eu
cache=${JEBPF_JDKS:-$HOME/.cache/jebpf/jdks}
[ $# -gt 0 ] || set -- 21:trixie 28:sid
for need in apt-get dpkg patchelf; do
  command -v "$need" >/dev/null && continue
  if [ "$need" = patchelf ] && [ "$(id -u)" = 0 ]; then
    echo "fetch-jdks: installing patchelf"
    apt-get -qq install -y --no-install-recommends patchelf >/dev/null
  else
    echo "fetch-jdks: $need is missing" >&2
    exit 1
  fi
done
# The mirror that this machine uses already.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
[ -n "$mirror" ] || { echo "fetch-jdks: apt has no source; run: apt-get update" >&2; exit 1; }

apt() { # suite, then an apt-get command; with lists of its own, so that the system's sources stay as they are
  local state=$cache/apt/$1
  shift
  apt-get -qq -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$state/lists" \
    -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root "$@"
}

for wanted in "$@"; do
  release=${wanted%%:*} suite=${wanted##*:}
  home=$cache/$release
  [ -x "$home/bin/java" ] && { echo "fetch-jdks: $release is in $home"; continue; }
  work=$cache/$release.new
  rm -rf "$work"
  mkdir -p "$cache/apt/$suite"/{lists,cache} "$work/debs"
  echo "deb $mirror $suite main" >"$cache/apt/$suite/sources.list"
  apt "$suite" update
  (cd "$work/debs" && apt "$suite" download "openjdk-$release-jre-headless" libc6 libgcc-s1 libstdc++6 zlib1g)
  mkdir "$work/root"
  for deb in "$work"/debs/*.deb; do
    dpkg -x "$deb" "$work/root"
  done
  unpacked=$(dirname "$(dirname "$(find "$work/root/usr/lib/jvm" -path '*/bin/java' | head -1)")")
  libs=$(dirname "$(find "$work/root" -name libc.so.6 | head -1)")
  mv "$libs" "$unpacked/lib/jebpf-system"
  # /etc/... of a package that is not installed: what the links in conf/ point to comes along.
  find "$unpacked" -xtype l | while read -r link; do
    target=$work/root$(readlink "$link")
    [ -e "$target" ] && rm "$link" && cp -r "$target" "$link"
  done
  rm -rf "$home"
  mv "$unpacked" "$home"
  # The executable names its C library by the path where it lies now.
  patchelf --set-interpreter "$home/lib/jebpf-system/ld-linux-x86-64.so.2" --force-rpath \
    --set-rpath "$home/lib:$home/lib/jebpf-system" "$home/bin/java"
  rm -rf "$work"
  "$home/bin/java" -version 2>&1 | head -1
done
