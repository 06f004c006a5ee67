#!/usr/bin/env bash
# The benchmark behind `make bench`: what a sample costs, beside async-profiler and beside an empty BPF program on the
# same event; then what the agent adds to an idle JVM. Needs root and two CPUs. Results: integration-tests/target/bench/
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
jar=$root/agent/target/jebpf.jar
work=$root/integration-tests/target/bench
apps=$root/integration-tests/target/applications
version=$(sed -n 's:.*<async-profiler.version>\(.*\)</async-profiler.version>.*:\1:p' integration-tests/pom.xml)
async=$apps/async-profiler/async-profiler-$version.jar
rounds=${BENCH_ROUNDS:-15}
millis=${BENCH_MILLIS:-300}

[ -f "$jar" ] || { echo "bench: $jar is missing; run: make build" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "bench: needs root, to load programs into the kernel" >&2; exit 1; }
cpus=$(nproc)
[ "$cpus" -ge 2 ] || { echo "bench: needs two CPUs: one for the load alone" >&2; exit 1; }
if [ ! -f "$async" ]; then
  echo "bench: fetching async-profiler $version from Maven Central"
  mvn -q -B -ntp -N dependency:copy -Dartifact="tools.profiler:async-profiler:$version" -DoutputDirectory="$(dirname "$async")"
fi
mkdir -p "$work/classes"
"$jdk/bin/javac" -nowarn --release 21 -cp "$async" -d "$work/classes" \
  -sourcepath integration-tests/src/main/java \
  integration-tests/src/main/java/io/jebpf/it/{bench/{CostBench,Soak},workload/IdleLoad}.java
gcc -O2 -o "$work/empty" integration-tests/src/main/native/empty.c

load_cpu=$((cpus - 1))
others=0$([ "$load_cpu" -gt 1 ] && echo "-$((load_cpu - 1))" || true)
# Where the kernel accounts interrupts apart from threads, a thread's CPU time lacks what we want to measure.
clock=cpu
if zgrep -q '^CONFIG_IRQ_TIME_ACCOUNTING=y' /proc/config.gz 2>/dev/null ||
  grep -q '^CONFIG_IRQ_TIME_ACCOUNTING=y' "/boot/config-$(uname -r)" 2>/dev/null; then
  clock=wall
fi
{
  echo "Cost of a sample to the sampled thread, $(date -u +%Y-%m-%dT%H:%MZ), Linux $(uname -r), $cpus CPUs, load average $(cut -d' ' -f1 /proc/loadavg)"
  echo "1 ms interval, $rounds rounds of $millis ms of fixed work, sampling on and off in turn in one JVM;"
  echo "the working thread alone on CPU $load_cpu, every other thread of the JVM on CPU $others (taskset); $clock time"
  taskset -c "$others" "$jdk/bin/java" "-javaagent:$jar=cpu=99,offcpu=0,budget=100%,out=off" \
    -XX:+UseSerialGC -XX:CompileCommand=quiet -XX:CompileCommand=dontinline,io.jebpf.it.bench.CostBench::down \
    --enable-native-access=ALL-UNNAMED -cp "$work/classes:$async" \
    io.jebpf.it.bench.CostBench "$work/empty" "$load_cpu" "$rounds" "$millis" "$clock" 2>"$work/cost.err" ||
    { cat "$work/cost.err" >&2; exit 1; }
} | tee "$work/cost.txt"
grep -v '^jebpf' "$work/cost.err" >&2 || true

# Idle memory: a JVM that does nothing, without and with the agent, past the first window.
resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
heap() { sed -n 's/^heap=//p' "$work/idle-$1.out"; }
"$jdk/bin/java" -cp "$work/classes" io.jebpf.it.workload.IdleLoad 13 >"$work/idle-plain.out" &
plain=$!
"$jdk/bin/java" "-javaagent:$jar=out=$work/idle" -cp "$work/classes" io.jebpf.it.workload.IdleLoad 13 \
  >"$work/idle-profiled.out" 2>/dev/null &
profiled=$!
trap 'kill "$plain" "$profiled" 2>/dev/null || true' EXIT
for name in plain profiled; do
  for _ in $(seq 120); do
    grep -q ready "$work/idle-$name.out" && break
    sleep 0.5
  done
done
{
  echo "What the agent adds to an idle JVM after 13 s:"
  echo "  resident $((($(resident "$profiled") - $(resident "$plain")) / 1024)) MiB (aim at most 40)," \
    "heap after a collection $((($(heap profiled) - $(heap plain)) / 1048576)) MiB (at most 10)," \
    "jar $(($(stat -c %s "$jar") / 1024)) KiB (at most 12288)"
} | tee "$work/memory.txt"
kill "$plain" "$profiled"
wait "$plain" "$profiled" 2>/dev/null || true
trap - EXIT

soak=${BENCH_SOAK:-1}
if [ "$soak" -gt 0 ]; then
  for name in h2 kafka lucene; do
    [ -d "$apps/$name" ] || fetch=yes
  done
  if [ "${fetch:-no}" = yes ]; then
    echo "bench: fetching H2, Kafka and Lucene from Maven Central (38 MB)"
    mvn -q -B -ntp -DskipTests -pl integration-tests -am package
  fi
  echo
  echo "Real applications, about $((30 * soak)) s each (BENCH_SOAK=N for N times as long, 0 for none):"
  rm -rf "$work/soak"
  "$jdk/bin/java" "-Djebpf.jar=$jar" -cp "$work/classes" \
    io.jebpf.it.bench.Soak "$work/soak" "$soak" 99 999 | tee "$work/soak.txt"
fi
echo "Written: ${work#"$root"/}/*.txt"
