#!/usr/bin/env bash
# Cost of contexts by JMH: attach and close of an OpenTelemetry span with and without the agent, and our API without it.
# Arguments: more options of JMH. Prints one table for each of the two.
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
run() {
  echo "== $1"
  "$jdk/bin/java" -cp "$work/classes:$class_path" org.openjdk.jmh.Main -jvmArgs "$2" "${@:3}" AttachBench |
    grep -E '^(Benchmark|AttachBench)'
}
run "without agent" "-Xmx256m" "$@"
run "with agent" "-Xmx256m -javaagent:agent/target/jebpf.jar=out=off,rootspans=0" "$@"
run "with agent, instrument=off" "-Xmx256m -javaagent:agent/target/jebpf.jar=out=off,instrument=off" "$@"
