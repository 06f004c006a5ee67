#!/usr/bin/env bash
# What a sample costs in the kernel's own accounting (kernel.bpf_stats_enabled), with one or more builds of the agent in
# turn: sample-cost.sh JAR [JAR …]. Two threads spin below COST_DEPTHS frames (default 20 and 100) on two CPUs, so that no
# sample falls on an idle CPU; medians of COST_ROUNDS (5). Needs root and a quiet machine.
set -eu
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
rounds=${COST_ROUNDS:-5}
work=$PWD/integration-tests/target/sample-cost
[ $# -gt 0 ] || set -- "$PWD/agent/target/jebpf.jar"
mkdir -p "$work"
"$jdk/bin/javac" -nowarn -d "$work" integration-tests/src/main/java/io/jebpf/it/bench/DepthLoad.java
before=$(sysctl -n kernel.bpf_stats_enabled)
sysctl -q kernel.bpf_stats_enabled=1
pid=
trap 'sysctl -q kernel.bpf_stats_enabled=$before; [ -z "$pid" ] || kill "$pid" 2>/dev/null || true' EXIT

# prog_id run_time_ns run_cnt of each program that the JVM holds
programs() {
  cat /proc/"$pid"/fdinfo/* 2>/dev/null |
    awk '/^prog_id/ { id = $2 } /^run_time_ns/ { ns = $2 } /^run_cnt/ { print id, ns, $2 }' | sort -u
}

: >"$work/runs.tsv"
for _ in $(seq "$rounds"); do
  for depth in ${COST_DEPTHS:-20 100}; do
    for jar in "$@"; do
      "$jdk/bin/java" "-javaagent:$jar=cpu=999,offcpu=0,budget=1000%,out=off" -XX:+UseSerialGC \
        -XX:CompileCommand=quiet '-XX:CompileCommand=dontinline,io.jebpf.it.bench.DepthLoad::*' -cp "$work" \
        io.jebpf.it.bench.DepthLoad "$depth" 30 >/dev/null 2>&1 &
      pid=$!
      sleep 4
      programs >"$work/before"
      sleep 3
      programs >"$work/after"
      kill "$pid"
      wait "$pid" 2>/dev/null || true
      pid=
      join "$work/before" "$work/after" | awk -v at="$depth $jar" '
        { runs = $5 - $3; if (runs > most) { most = runs; ns = $4 - $2 } }
        END { if (most) print ns / most, most, at }' >>"$work/runs.tsv"
    done
  done
done
sort -k3,3n -k4,4 -k1,1n "$work/runs.tsv" | awk '
  function tell() { if (n) printf "depth %3s: %6.0f ns a sample (%.0f to %.0f, %d runs)  %s\n", depth, (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2, v[1], v[n], n, jar }
  $3 != depth || $4 != jar { tell(); n = 0; depth = $3; jar = $4 }
  { v[++n] = $1 }
  END { tell() }'
