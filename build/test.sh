#!/usr/bin/env bash
# Every test of every module, then one summary: what failed, what was skipped and why; then the checks of the sources and
# the jar. All of it runs, whatever fails on the way. `make test` runs it.
set -u
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh) || exit 1
started=$SECONDS
failed=()

rm -rf ./*/target/surefire-reports agent/api/target/surefire-reports
JAVA_HOME=$jdk mvn -B -ntp -Dmaven.test.failure.ignore=true -Dformat.phase=none -Dtest.forks=2 verify || failed+=("the build")
"$jdk/bin/java" build/TestSummary.java . || failed+=("tests")
mvn -B -ntp -q -N verify || failed+=("the format of the sources")
if git rev-parse --verify -q HEAD >/dev/null 2>&1; then
  build/reproducible.sh --with-this || failed+=("reproducibility of the jar")
else
  echo "reproducible: not checked, this is not a git clone of this user"
fi

echo "took $((SECONDS - started)) s"
for what in "${failed[@]}"; do
  echo "FAILED: $what"
done
[ ${#failed[@]} -eq 0 ]
