#!/usr/bin/env bash
# What accounting for waits costs, beside no agent and beside async-profiler's wall clock. Part of `make bench`.
# Needs root and two CPUs, and the machine for itself. Results: integration-tests/target/bench/offcpu.txt
#   BENCH_OFFCPU_ROUNDS (5)   interleaved runs of each        BENCH_OFFCPU_SECONDS (3)   length of a run
#   BENCH_OFFCPU_PARTS (park,pipe,parks,echo,echo1,switch,parked)   only these
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
work=$root/integration-tests/target/bench
version=$(sed -n 's:.*<async-profiler.version>\(.*\)</async-profiler.version>.*:\1:p' integration-tests/pom.xml)
async=$root/integration-tests/target/applications/async-profiler/async-profiler-$version.jar

[ -f agent/target/jebpf.jar ] || { echo "bench: agent/target/jebpf.jar is missing; run: make build" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "bench: needs root, to load programs into the kernel" >&2; exit 1; }
[ "$(nproc)" -ge 2 ] || { echo "bench: needs two CPUs" >&2; exit 1; }
if [ ! -f "$async" ]; then
  echo "bench: fetching async-profiler $version from Maven Central"
  mvn -q -B -ntp -N dependency:copy -Dartifact="tools.profiler:async-profiler:$version" -DoutputDirectory="$(dirname "$async")"
fi
rm -rf "$work/offcpu"
mkdir -p "$work/offcpu/async" "$work/offcpu-classes"
"$jdk/bin/javac" -nowarn --release 21 -sourcepath integration-tests/src/main/java -d "$work/offcpu-classes" \
  integration-tests/src/main/java/io/jebpf/it/bench/OffCpuBench.java
(cd "$work/offcpu/async" && "$jdk/bin/jar" xf "$async")
library=$(find "$work/offcpu/async" -name 'libasyncProfiler.so' | grep "$(uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')" | head -1)
{
  echo "Cost of accounting for waits, $(date -u +%Y-%m-%dT%H:%MZ), Linux $(uname -r), $(nproc) CPUs, load average $(cut -d' ' -f1 /proc/loadavg)"
  "$jdk/bin/java" -Djebpf.jar="$root/agent/target/jebpf.jar" -cp "$work/offcpu-classes" io.jebpf.it.bench.OffCpuBench \
    "$work/offcpu" "${BENCH_OFFCPU_ROUNDS:-5}" "${BENCH_OFFCPU_SECONDS:-3}" "${library:--}" \
    "${BENCH_OFFCPU_PARTS:-park,pipe,parks,echo,echo1,switch,parked}"
} | tee "$work/offcpu.txt"
