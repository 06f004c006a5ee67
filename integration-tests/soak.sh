#!/usr/bin/env bash
# Long runs behind `make soak`: what 20 recordings at once cost more than one, for 10 minutes, and a thousand attach/detach cycles in one JVM
# and what is left in it: file descriptors, threads, classes, instances, at most 5 MB of resident memory. Needs root. Fails when something grows.
#   SOAK_WARMUP (100)   cycles before the first reading       SOAK_CYCLES (1000)   cycles after it
#   SOAK_ROUNDS (10)    of 30 s with one and 30 s with 20     SOAK_MILLIS (30000)
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
  integration-tests/src/main/java/io/jebpf/it/bench/{AttachCycles,RecordingsCost}.java
if [ "${SOAK_ROUNDS:-10}" -gt 0 ]; then
  "$jdk/bin/java" "-javaagent:agent/target/jebpf.jar=out=off" -cp "$classes" io.jebpf.it.bench.RecordingsCost \
    "${SOAK_ROUNDS:-10}" "${SOAK_MILLIS:-30000}" 2>"$work/recordings.err" | tee "$work/recordings.txt"
  awk -F= '$1 == "more" { printf "20 recordings cost %.3f %% of a core more than one (at most 1)\n", $2 / 10000; good = $2 <= 10000 }
    END { exit !good }' "$work/recordings.txt" || failed=yes
fi
if [ "${SOAK_CYCLES:-1000}" -gt 0 ]; then
  "$jdk/bin/java" -Djebpf.jar="$root/agent/target/jebpf.jar" -cp "$classes" io.jebpf.it.bench.AttachCycles \
    "$work/attach" "${SOAK_WARMUP:-100}" "${SOAK_CYCLES:-1000}" | tee "$work/attach.txt"
  [ "${PIPESTATUS[0]}" = 0 ] || failed=yes
fi
[ "${failed:-no}" = no ] || { echo "soak: FAILED"; exit 1; }
echo "soak: PASSED"
