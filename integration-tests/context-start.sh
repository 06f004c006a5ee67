#!/usr/bin/env bash
# What instrumentation adds to the start of a JVM: before main, and where the first span begins. Variants in turn, medians.
# Arguments: rounds (default 5), when the first span begins (default never,now,wait), more jars of jebpf to compare with.
set -euo pipefail
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
class_path=integration-tests/target/classes:$(ls integration-tests/target/applications/opentelemetry/*.jar | tr '\n' ':')
"$jdk/bin/java" -cp "$class_path" io.jebpf.it.context.StartBench agent/target/jebpf.jar "${1:-5}" "$class_path" \
  "${2:-never,now,wait}" "${@:3}"
