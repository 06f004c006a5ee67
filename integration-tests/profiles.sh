#!/usr/bin/env bash
# Size of the profiles of the H2 demo, and CPU that building, compressing and writing them took: at most 60 KB and 20 ms each, the time as
# the median of all but the first window, in which the code is not compiled yet. `make profiles`; PROFILES_SECONDS (60) of load; needs root.
set -eu
cd "$(dirname "$0")/.."
work=integration-tests/target/demo
mkdir -p "$work"
DEMO_OPTIONS=log=debug DEMO_SECONDS=${PROFILES_SECONDS:-60} integration-tests/demo.sh >"$work/demo.txt"
echo "Profiles of the H2 demo, $(date -u +%Y-%m-%dT%H:%MZ), $(nproc) CPUs, load average $(cut -d' ' -f1 /proc/loadavg)"
sed -n 's/.*profile \([a-z]*\): \([0-9]*\) bytes, \([0-9]*\) us of CPU/\1 \2 \3/p' "$work/server.err" | awk '
  { n[$1]++; bytes[$1, n[$1]] = $2; micros[$1, n[$1]] = $3 }
  END {
    for (kind in n) {
      list = ""; most = 0; count = 0
      for (i = 1; i <= n[kind]; i++) {
        list = list sprintf(" %d B %.1f ms,", bytes[kind, i], micros[kind, i] / 1000)
        if (bytes[kind, i] > most) most = bytes[kind, i]
        if (i > 1) sorted[++count] = micros[kind, i]
      }
      for (i = 2; i <= count; i++)
        for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) { t = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = t }
      median = sorted[int((count + 1) / 2)]
      printf "%-7s largest %d B, median %.1f ms:%s\n", kind, most, median / 1000, list
      if (most > 60000 || median > 20000) bad = 1
      seen = 1
    }
    if (!seen) { print "no profile was written"; exit 1 }
    if (bad) { print "too much"; exit 1 }
  }'
