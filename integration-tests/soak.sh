#!/usr/bin/env bash
# Long runs behind `make soak`: a thousand attach/detach cycles in one JVM, and what is left in it. Needs root.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
work=$root/integration-tests/target/soak
[ -f agent/target/jebpf.jar ] || { echo "soak: agent/target/jebpf.jar is missing; run: make build" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "soak: needs root, to load programs into the kernel" >&2; exit 1; }
rm -rf "$work" && mkdir -p "$work/integration-tests/classes"
# A directory of that name above the classes is how they find the jar.
classes=$work/integration-tests/classes
"$jdk/bin/javac" -nowarn -proc:none --release 22 -d "$classes" -sourcepath integration-tests/src/main/java \
  integration-tests/src/main/java/io/jebpf/it/bench/AttachCycles.java
"$jdk/bin/java" -Djebpf.jar="$root/agent/target/jebpf.jar" -cp "$classes" io.jebpf.it.bench.AttachCycles \
  "$work/attach" "${SOAK_WARMUP:-100}" "${SOAK_CYCLES:-1000}"
