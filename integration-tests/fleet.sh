#!/usr/bin/env bash
# The simulation behind `make fleet`: FLEET_AGENTS (1000) of the agent's own senders, each with its spool, against one receiver that is
# down for FLEET_MINUTES (10); real requests on real sockets, a clock that jumps. Prints the server's load and fails when a profile is lost.
set -eu
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh)
mvn -B -ntp -q -DskipTests package -pl agent,integration-tests -am
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libs=$(find "$HOME/.m2/repository/com/google/protobuf/protobuf-java" -name "protobuf-java-$(sed -n 's:.*<protobuf.version>\(.*\)</protobuf.version>.*:\1:p' pom.xml).jar")
"$jdk/bin/java" --sun-misc-unsafe-memory-access=allow \
  -cp "integration-tests/target/classes:agent/target/classes:bpf/target/classes:symbolizer/target/classes:$libs" \
  io.jebpf.it.bench.Fleet "${FLEET_AGENTS:-1000}" "${FLEET_MINUTES:-10}" "$work"
