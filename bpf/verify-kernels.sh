#!/usr/bin/env bash
# Loads the kernel object, and the one beside it that reads kernel symbols, on other kernels, in a VM
# under software emulation (no KVM needed).
#
#   bpf/verify-kernels.sh OBJECT [KERNEL_PACKAGE ...]
#
# Packages are Debian's linux-image-*; default: the newest 6.1 of the release that runs here, which
# is the oldest kernel that jebpf promises. Takes about 10 s a kernel after the download.
set -euo pipefail
object=$(realpath "${1:?usage: verify-kernels.sh OBJECT [KERNEL_PACKAGE ...]}")
shift
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

missing=()
for need in qemu-system-x86_64:qemu-system-x86 busybox:busybox-static cpio:cpio gcc:gcc; do
  command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}")
done
[ -f /usr/include/bpf/libbpf.h ] || missing+=(libbpf-dev)
if [ ${#missing[@]} -gt 0 ]; then
  echo "installing ${missing[*]}"
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
packages=("$@")
if [ ${#packages[@]} -eq 0 ]; then
  newest=$(apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-amd64$' | awk '{print $1}' | sort -V | tail -1)
  packages=("${newest:?no 6.1 kernel package found: run apt-get update}")
fi

gcc -O1 -static -Wall -o "$work/verify" "$here/src/test/c/verify.c" -l:libbpf.a -l:libelf.a -l:libz.a
mkdir -p "$work/root"/{bin,proc,sys}
cp "$(command -v busybox)" "$work/root/bin/busybox"
cp "$work/verify" "$work/root/bin/verify"
cp "$object" "$work/root/object"
cp "$(dirname "$object")/ksyms.bpf.o" "$work/root/symbols"
cat >"$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/verify /object /symbols
echo "verify-exit $?"
/bin/busybox poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | cpio -o -H newc 2>/dev/null | gzip >"$work/initrd")

failed=0
for package in "${packages[@]}"; do
  mkdir "$work/$package"
  (cd "$work/$package" && apt-get download -qq "$package" 2>/dev/null && dpkg -x ./*.deb .)
  timeout 300 qemu-system-x86_64 -accel tcg -cpu max -m 1024 -nographic -no-reboot \
    -kernel "$work/$package"/boot/vmlinuz-* -initrd "$work/initrd" \
    -append "console=ttyS0 quiet panic=1" >"$work/log" 2>&1 || true
  if grep -q '^verify-exit 0' "$work/log"; then
    echo "$package: $(grep -a '^verify:' "$work/log" | tail -1 | tr -d '\r' | cut -d' ' -f2-)"
  else
    echo "$package: FAILED"
    tail -30 "$work/log"
    failed=1
  fi
done
exit $failed
