#!/usr/bin/env bash
# Truth of span ids for 200,000 samples and more: 200 platform and 10,000 virtual threads, 100,000 spans. Takes about two
# minutes and wants the machine for itself: where threads of the agent get no CPU, samples are lost, and said to be.
# Arguments: seconds (default 40), samples per second and CPU (default 2000). Fails on one sample with another span's id,
# and below 99.9 % of samples inside a span that carry it.
set -euo pipefail
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
out=integration-tests/target/context-truth
class_path=integration-tests/target/classes:$(ls integration-tests/target/applications/opentelemetry/*.jar | tr '\n' ':')
rm -rf "$out"
"$jdk/bin/java" -Xmx768m "-javaagent:agent/target/jebpf.jar=out=$out,window=5s,cpu=${2:-2000},budget=1000%,disk=2g" \
  -cp "$class_path" io.jebpf.it.context.SpanLoad "${1:-40}" 200 10000 100000
"$jdk/bin/java" -Xmx2g -cp "$class_path" io.jebpf.it.context.SpanTruth "$out"
