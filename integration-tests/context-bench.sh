#!/usr/bin/env bash
# Cost of contexts by JMH: attach and close of an OpenTelemetry span with and without the agent, and our API without it.
# Three JVMs of each variant in turn, 6 iterations each, all on one CPU, four minutes. Arguments: more options of JMH.
set -euo pipefail
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
work=integration-tests/target/context-bench
mkdir -p "$work/lib" "$work/classes"
for artifact in org.openjdk.jmh:jmh-core:1.37 org.openjdk.jmh:jmh-generator-annprocess:1.37 \
  net.sf.jopt-simple:jopt-simple:5.0.4 org.apache.commons:commons-math3:3.6.1; do
  name=$(echo "$artifact" | cut -d: -f2,3 | tr : -)
  [ -e "$work/lib/$name.jar" ] ||
    mvn -B -ntp -q dependency:copy -Dartifact="$artifact" -DoutputDirectory="$PWD/$work/lib"
done
class_path=$(ls "$work"/lib/*.jar integration-tests/target/applications/opentelemetry/*.jar | tr '\n' ':')agent/api/target/jebpf-api.jar
"$jdk/bin/javac" -proc:full -nowarn -cp "$class_path" -d "$work/classes" integration-tests/src/bench/java/io/jebpf/it/context/*.java
cpu=$(($(nproc) - 1)) # one CPU for all: the JVM's own threads come in between alike
fork() { # arguments of the JVM, benchmark, more options of JMH: the iterations' ns/op
  taskset -c "$cpu" "$jdk/bin/java" -cp "$work/classes:$class_path" org.openjdk.jmh.Main -jvmArgs "$1" -f 1 \
    -wi 4 -w 500ms -i 6 -r 500ms "AttachBench.$2\$" "${@:3}" 2>/dev/null |
    sed -n 's|^Iteration .* \([0-9.]*\) ns/op$|\1|p'
}
agent="-javaagent:agent/target/jebpf.jar=out=off,rootspans=0"
printf '%-20s %-16s %8s %8s\n' benchmark variant 'median' 'least (ns)'
for benchmark in attachAndClose attachAndCloseTwice runAlone runLabelled; do
  for name in none agent off; do : >"$work/$name"; done
  for round in 1 2 3; do
    fork "-Xmx256m" "$benchmark" -p spans=16 "$@" >>"$work/none"
    fork "-Xmx256m $agent" "$benchmark" -p spans=16 "$@" >>"$work/agent"
    fork "-Xmx256m $agent,instrument=off" "$benchmark" -p spans=16 "$@" >>"$work/off"
  done
  for name in none agent off; do
    sort -n "$work/$name" | awk -v benchmark="$benchmark" -v name="$name" \
      '{ a[NR] = $1 } END { printf "%-20s %-16s %8.2f %8.2f\n", benchmark, name == "off" ? "instrument=off" : name, a[int((NR + 1) / 2)], a[1] }'
  done
done
