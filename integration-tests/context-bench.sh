#!/usr/bin/env bash
# Cost of contexts by JMH: attach and close of an OpenTelemetry span with and without the agent, and our API without it.
# JVMs of each variant in turn, five seconds of warm-up: what the compilers make of a benchmark differs from JVM to JVM by more than
# what is measured. Figures are of the JVMs' medians. Nine minutes. Arguments: more options of JMH.
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
fork() { # arguments of the JVM, benchmark, more options of JMH: median of the iterations, ns/op
  "$jdk/bin/java" -cp "$work/classes:$class_path" org.openjdk.jmh.Main -jvmArgs "$1" -f 1 \
    -wi 10 -w 500ms -i 5 -r 400ms "AttachBench.$2\$" "${@:3}" 2>/dev/null |
    sed -n 's|^Iteration .* \([0-9.]*\) ns/op$|\1|p' | sort -n | sed -n 3p
}
agent="-javaagent:agent/target/jebpf.jar=out=off,rootspans=0"
printf '%-20s %-16s %8s %8s %8s\n' benchmark variant least median 'most (ns)'
for benchmark in attachAndClose:7 attachAndCloseTwice:7 runAlone:3 runLabelled:3; do
  forks=${benchmark#*:}
  benchmark=${benchmark%:*}
  for name in none agent off; do : >"$work/$name"; done
  for round in $(seq "$forks"); do
    fork "-Xmx256m" "$benchmark" -p spans=16 "$@" >>"$work/none"
    fork "-Xmx256m $agent" "$benchmark" -p spans=16 "$@" >>"$work/agent"
    fork "-Xmx256m $agent,instrument=off" "$benchmark" -p spans=16 "$@" >>"$work/off"
  done
  for name in none agent off; do
    sort -n "$work/$name" | awk -v benchmark="$benchmark" -v name="$name" \
      '{ a[NR] = $1 } END { printf "%-20s %-16s %8.2f %8.2f %8.2f\n", benchmark, name == "off" ? "instrument=off" : name, a[1], a[int((NR + 1) / 2)], a[NR] }'
  done
done
