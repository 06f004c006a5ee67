#!/usr/bin/env bash
# Prints the home of a JDK 22 or newer: JAVA_HOME if it is one, else under /usr/lib/jvm 25 if there, else the newest.
# Without one it says what it found and fails. Same rule as the Maven build (pom.xml), for what runs outside of Maven.
set -u

needed=22
preferred=25

major_of() { # home -> 25, or nothing when it is no JDK
  [ -x "$1/bin/javac" ] && [ -r "$1/release" ] || return 0
  sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release"
}

best="" best_major=0 seen=""
for home in ${JAVA_HOME:+"$JAVA_HOME"} /usr/lib/jvm/*; do
  major=$(major_of "$home")
  [ -n "$major" ] || continue
  seen="$seen${seen:+, }$major in $home"
  [ "$major" -ge $needed ] || continue
  if [ "$home" = "${JAVA_HOME:-}" ]; then
    echo "$home"
    exit 0
  fi
  if [ "$best_major" -ne $preferred ] && { [ "$major" -gt "$best_major" ] || [ "$major" -eq $preferred ]; }; then
    best=$home best_major=$major
  fi
done
if [ -z "$best" ]; then
  echo "jebpf needs a JDK $needed or newer (tested with $preferred) under /usr/lib/jvm or in JAVA_HOME; found: ${seen:-none}" >&2
  exit 1
fi
echo "$best"
