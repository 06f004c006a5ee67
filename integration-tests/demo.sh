#!/usr/bin/env bash
# The demo behind `make demo`: an H2 database server under a mixed load, profiled for 20 s, and what was found.
# It needs agent/target/jebpf.jar (`make build`) and fetches H2 from Maven Central once.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
jdk=$(build/find-jdk.sh)
jar=$root/agent/target/jebpf.jar
work=$root/integration-tests/target/demo
h2_version=$(sed -n 's:.*<h2.version>\(.*\)</h2.version>.*:\1:p' integration-tests/pom.xml)
h2=$root/integration-tests/target/applications/h2/h2-$h2_version.jar
seconds=${DEMO_SECONDS:-20}

[ -f "$jar" ] || { echo "demo: $jar is missing; run: make build" >&2; exit 1; }
if [ ! -f "$h2" ]; then
  echo "demo: fetching H2 $h2_version from Maven Central"
  mvn -q -B -ntp -N dependency:copy -Dartifact="com.h2database:h2:$h2_version" -DoutputDirectory="$(dirname "$h2")"
fi

rm -rf "$work"
mkdir -p "$work/classes" "$work/data" "$work/profiles"
"$jdk/bin/javac" -nowarn --release 21 -d "$work/classes" \
  integration-tests/src/main/java/io/jebpf/it/workload/{H2Client,Burn,FreePort}.java

server=
stop_server() {
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
}
trap stop_server EXIT

port=$("$jdk/bin/java" -cp "$work/classes" io.jebpf.it.workload.FreePort)

echo
echo "The server:  java -javaagent:agent/target/jebpf.jar=service=h2,out=integration-tests/target/demo/profiles -cp h2-$h2_version.jar org.h2.tools.Server -tcp ..."
"$jdk/bin/java" "-javaagent:$jar=service=h2,out=$work/profiles${DEMO_OPTIONS:+,$DEMO_OPTIONS}" -Dh2.bindAddress=127.0.0.1 -cp "$h2" \
  org.h2.tools.Server -tcp -tcpPort "$port" -ifNotExists -baseDir "$work/data" >"$work/server.out" 2>"$work/server.err" &
server=$!
echo "The load:    inserts, index look-ups, joins and aggregations from four clients for $seconds s"
"$jdk/bin/java" -cp "$work/classes:$h2" io.jebpf.it.workload.H2Client "jdbc:h2:tcp://127.0.0.1:$port/./demo" "$seconds" >"$work/client.out"
stop_server
echo "             $(sed -n 's/statements=//p' "$work/client.out") statements were run"
echo
echo "What the server printed on stderr (the agent's two lines):"
sed 's/^/  /' "$work/server.err"
echo
files=("$work"/profiles/*.pb.gz)
if [ ! -e "${files[0]}" ]; then
  echo "demo: no profile was written; the lines above say why" >&2
  exit 1
fi
"$jdk/bin/java" -jar "$jar" summary "${files[@]}"
echo
echo "The profiles:"
for file in "${files[@]}"; do
  echo "  ${file#"$root"/}"
done
for kind in cpu offcpu wall; do
  found=("$work"/profiles/$kind-*.pb.gz)
  echo "Look further with:  go tool pprof -http=127.0.0.1:8080 ${found[0]#"$root"/}"
done
