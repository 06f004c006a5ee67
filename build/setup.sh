#!/usr/bin/env bash
# Installs with apt what the build and the tests need and this machine lacks, and says so. Quick when nothing is missing.
# Without root it installs nothing: it names what is missing, and fails only if the build cannot do without it.
set -u
cd "$(dirname "$0")/.."

missing=() # packages the build needs
wished=()  # packages that some tests need

has() { command -v "$1" >/dev/null 2>&1; }

need_command() { has "$1" || missing+=("$2"); }
need_file() { # package, then places of which one must exist
  local package=$1 file
  shift
  for file in "$@"; do
    [ -e "$file" ] && return
  done
  missing+=("$package")
}

triplet=$(uname -m)-linux-gnu
need_command clang-16 clang-16
need_command llvm-strip-16 llvm-16
need_command gcc gcc
need_command readelf binutils
need_command mvn maven
need_file libc6-dev /usr/include/stdio.h
need_file libbpf-dev /usr/include/bpf/bpf_helpers.h
need_file libbpf1 /usr/lib/$triplet/libbpf.so.1 /lib/$triplet/libbpf.so.1
need_file libelf1 /usr/lib/$triplet/libelf.so.1 /lib/$triplet/libelf.so.1
need_file zlib1g /usr/lib/$triplet/libz.so.1 /lib/$triplet/libz.so.1
has chromium || wished+=(chromium) # looks at the pictures that we draw
has chromedriver || wished+=(chromium-driver)
has curl || wished+=(curl) # asks the HTTP endpoint in the tests
has go || wished+=(golang-go) # `go tool pprof` reads our profiles in the integration tests

if [ ${#missing[@]} -gt 0 ] || [ ${#wished[@]} -gt 0 ]; then
  packages=("${missing[@]}" "${wished[@]}")
  if ! has apt-get; then
    echo "setup: missing, and there is no apt-get to install them: ${packages[*]} (names as in Debian 12)" >&2
    [ ${#missing[@]} -eq 0 ] || exit 1
  elif [ "$(id -u)" -ne 0 ]; then
    echo "setup: missing: ${packages[*]}" >&2
    echo "setup: not root, so nothing was installed. Run: sudo apt-get install ${packages[*]}" >&2
    [ ${#missing[@]} -eq 0 ] || exit 1
  else
    echo "setup: installing with apt-get: ${packages[*]}"
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"; } >"$log" 2>&1
    then
      cat "$log" >&2
      echo "setup: apt-get failed, see above; needed: ${packages[*]}" >&2
      exit 1
    fi
    echo "setup: installed ${packages[*]}"
  fi
fi

build/find-jdk.sh >/dev/null
