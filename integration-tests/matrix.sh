#!/usr/bin/env bash
# The matrix behind `make matrix`: every collector with every set of JVM options under every load, each in a JVM of its
# own with the agent, and once more with async-profiler; the table goes into docs/quality.md. Needs root.
#
#   MATRIX_CELLS='G1/.*/deopt'  only cells whose name matches      MATRIX_FAILING=true  only cells that did not pass before
#   MATRIX_NEW=true             only cells without a result        MATRIX_SECONDS=4     length of a load in CPU time
#   MATRIX_PROFILERS=jebpf      without async-profiler
#   MATRIX_WORKERS=2            cells at a time                    MATRIX_PREFIX='nice' command before each java
#   MATRIX_PAGE=                another page than docs/quality.md, empty for none
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
jar=$root/agent/target/jebpf.jar
work=$root/integration-tests/target/matrix
apps=$root/integration-tests/target/applications
version=$(sed -n 's:.*<async-profiler.version>\(.*\)</async-profiler.version>.*:\1:p' integration-tests/pom.xml)
async=$apps/async-profiler/async-profiler-$version.jar

[ -f "$jar" ] || { echo "matrix: $jar is missing; run: make build" >&2; exit 1; }
[ "$(id -u)" = 0 ] || { echo "matrix: needs root, to load programs into the kernel" >&2; exit 1; }
if [ ! -f "$async" ]; then
  echo "matrix: fetching async-profiler $version from Maven Central"
  mvn -q -B -ntp -N dependency:copy -Dartifact="tools.profiler:async-profiler:$version" -DoutputDirectory="$(dirname "$async")"
fi
mkdir -p "$work/classes"
# A copy: the jar in target/ may be built anew while the cells run.
cp "$jar" "$work/jebpf.jar"
unzip -q -o -j "$async" linux-x64/libasyncProfiler.so -d "$work"
"$jdk/bin/javac" -nowarn --release 21 -cp "$async" -d "$work/classes" \
  $(find integration-tests/src/main/java/io/jebpf/it/{matrix,harness,pprof,workload} -name '*.java')
native() { # target, then compiler flags
  local target=$1
  shift
  gcc -O2 -Wall -Wextra -Werror "$@" -shared -fPIC -I"$jdk/include" -I"$jdk/include/linux" -o "$work/$target" \
    integration-tests/src/main/native/matrix.c
}
native libmatrix.so
native libmatrixbare.so -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-exceptions

exec "$jdk/bin/java" -Xmx1g -XX:+UseSerialGC -cp "$work/classes" \
  "-Djebpf.jar=$work/jebpf.jar" \
  "-Dmatrix.dir=$work" "-Dmatrix.library=$work/libmatrix.so" "-Dmatrix.bare=$work/libmatrixbare.so" \
  "-Dmatrix.async=$work/libasyncProfiler.so" "-Dmatrix.page=${MATRIX_PAGE-$root/docs/quality.md}" \
  "-Dmatrix.cells=${MATRIX_CELLS:-.*}" "-Dmatrix.failing=${MATRIX_FAILING:-false}" \
  "-Dmatrix.new=${MATRIX_NEW:-false}" \
  "-Dmatrix.profilers=${MATRIX_PROFILERS:-jebpf,async}" "-Dmatrix.seconds=${MATRIX_SECONDS:-4}" \
  "-Dmatrix.workers=${MATRIX_WORKERS:-2}" "-Dmatrix.prefix=${MATRIX_PREFIX:-}" \
  io.jebpf.it.matrix.check.Matrix
