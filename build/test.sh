#!/usr/bin/env bash
# Every test of every module, then one summary: what failed, what was skipped and why. `make test` runs it.
set -u
cd "$(dirname "$0")/.."
jdk=$(build/find-jdk.sh) || exit 1

rm -rf ./*/target/surefire-reports
started=$SECONDS
# A failed test must not keep the other modules' tests from running: the summary decides.
mvn -B -ntp -Dmaven.test.failure.ignore=true verify
maven=$?
"$jdk/bin/java" build/TestSummary.java .
summary=$?
echo "took $((SECONDS - started)) s"
[ $maven -eq 0 ] && [ $summary -eq 0 ]
