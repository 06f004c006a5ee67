#!/usr/bin/env bash
# What an application gets done while the server that its agent sends to does wrong. Part of `make bench`.
# Needs root, and the machine for itself. Results: integration-tests/target/bench/faults.txt
#   BENCH_FAULTS_ROUNDS (3)  interleaved runs of each      BENCH_FAULTS_SECONDS (4)  length of a run, after 3 s
#   BENCH_FAULTS_THREADS     of the application; one for each CPU
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
work=$root/integration-tests/target/bench

[ -f agent/target/jebpf.jar ] || { echo "bench: agent/target/jebpf.jar is missing; run: make build" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "bench: needs root, to load programs into the kernel" >&2; exit 1; }
rm -rf "$work/faults"
mkdir -p "$work/faults" "$work/faults-classes"
"$jdk/bin/javac" -nowarn -proc:none --release 22 -sourcepath integration-tests/src/main/java -d "$work/faults-classes" \
  integration-tests/src/main/java/io/jebpf/it/bench/FaultThroughput.java
{
  echo "Throughput beside servers that do wrong, $(date -u +%Y-%m-%dT%H:%MZ), Linux $(uname -r), $(nproc) CPUs, load average $(cut -d' ' -f1 /proc/loadavg)"
  "$jdk/bin/java" -Djebpf.jar="$root/agent/target/jebpf.jar" -cp "$work/faults-classes" io.jebpf.it.bench.FaultThroughput \
    "$work/faults" "${BENCH_FAULTS_ROUNDS:-3}" "${BENCH_FAULTS_SECONDS:-4}" "${BENCH_FAULTS_THREADS:-$(nproc)}"
} | tee "$work/faults.txt"
