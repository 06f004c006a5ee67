#!/usr/bin/env bash
# How much larger profiles are with the ids of spans, for a service that answers 1,000 requests a second: two runs in turn,
# whole windows of 10 s, at rates that no budget lowers. Fails above 2.5 times. Arguments: seconds (default 45), requests a second (default 1000).
set -euo pipefail
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
out=integration-tests/target/context-size
class_path=integration-tests/target/classes:$(ls integration-tests/target/applications/opentelemetry/*.jar | tr '\n' ':')
rm -rf "$out"
for instrument in on off; do
  "$jdk/bin/java" -Xmx512m "-javaagent:agent/target/jebpf.jar=out=$out/$instrument,instrument=$instrument,budget=1000%" \
    -cp "$class_path" io.jebpf.it.context.RequestLoad "${1:-45}" "${2:-1000}"
done
"$jdk/bin/java" -cp "$class_path" io.jebpf.it.context.SizeOfIds "$out/on" "$out/off" 2.5
