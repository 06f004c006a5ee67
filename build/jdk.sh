#!/usr/bin/env bash
# Runs a tool of the JDK that build/find-jdk.sh chooses: jdk.sh javac ARGUMENT…. Maven itself may run with an older one, and
# what is first in PATH may be another still.
set -eu
tool=$1
shift
exec "$("$(dirname "$0")/find-jdk.sh")/bin/$tool" "$@"
