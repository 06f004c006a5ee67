#!/usr/bin/env bash
# What the flight recorder takes: memory of the kept past with every CPU busy in real code (H2 in memory, its clients beside it), and the time
# that a dump of 60 s takes while the load goes on. `make recorder`; needs root. RECORDER_SECONDS (320): then 5 minutes are kept.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
jar=$root/agent/target/jebpf.jar
work=$root/integration-tests/target/recorder
h2=$(find "$root/integration-tests/target/applications/h2" -name '*.jar' | tr '\n' ':')
seconds=${RECORDER_SECONDS:-320}
port=${RECORDER_PORT:-6061}
url=http://127.0.0.1:$port

mkdir -p "$work/classes"
"$jdk/bin/javac" -nowarn --release 21 -cp "$h2" -d "$work/classes" \
  integration-tests/src/main/java/io/jebpf/it/workload/{H2Client,AgentGate,Burn}.java
"$jdk/bin/java" "-javaagent:$jar=http=$port,out=off" -cp "$work/classes:$h2" \
  io.jebpf.it.workload.H2Client "jdbc:h2:mem:load;DB_CLOSE_DELAY=-1" "$((seconds + 60))" >"$work/out" 2>"$work/err" &
jvm=$!
trap 'kill "$jvm" 2>/dev/null || true' EXIT

metric() { sed -n "s/^$1 //p" "$work/metrics"; }
sleep "$seconds"
curl -sS --fail "$url/metrics" >"$work/metrics"
{
  echo "Flight recorder, $(date -u +%Y-%m-%dT%H:%MZ), Linux $(uname -r), $(nproc) CPUs, load average $(cut -d' ' -f1 /proc/loadavg)"
  echo "$(metric jebpf_samples_total) samples and $(metric jebpf_waits_met_total) waits in $seconds s," \
    "$(awk '/^jebpf_samples_lost_total/ { sum += $2 } END { print sum }' "$work/metrics") lost"
  echo "kept: $(metric jebpf_history_seconds) s in $(metric jebpf_history_bytes) bytes, $(metric jebpf_history_dropped_total) windows dropped early"
  echo "agent: $(metric jebpf_agent_cpu_seconds_total) s of CPU"
  for kind in profile offcpu; do
    for _ in 1 2 3 4 5; do
      curl -sS --fail -o "$work/$kind.pb.gz" -w "dump of 60 s, $kind: %{time_total} s, %{size_download} bytes\n" \
        "$url/debug/pprof/$kind?from=-60s&to=now"
    done
  done
} | tee "$work/recorder.txt"
