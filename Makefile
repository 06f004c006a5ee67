# Each target installs what it lacks (build/setup.sh) and says so; the second run is quick.

MVN = mvn -B -ntp -q

.PHONY: build test demo bench truth soak recorder profiles context matrix fleet format clean setup

## agent/target/jebpf.jar, and agent/api/target/jebpf-api.jar for code that wants to ask it
build: setup
	@$(MVN) -DskipTests -pl agent,agent/api -am package
	@ls -l agent/target/jebpf.jar

## every test; kernel tests need root and are skipped with the reason without it
test: setup
	@build/test.sh

## profiles a real server application (H2 under load) for about 20 s and shows the result
demo: build
	@integration-tests/demo.sh

## cost beside async-profiler and beside an empty BPF program; cost of accounting for waits, and of servers that fail
bench: build
	@integration-tests/bench.sh
	@integration-tests/bench-offcpu.sh
	@integration-tests/bench-faults.sh

## off-CPU profiles of 60 s against waits of known length, within 3 %: wants a quiet machine
truth: build
	@$(MVN) -pl integration-tests -am -Dtest='OffCpuTruthTest,WaitTest,VirtualQueueTest,ParkTruthTest' -Djebpf.truth=true -Dsurefire.failIfNoSpecifiedTests=false verify

## long runs: a thousand attach/detach cycles, 20 recordings at once for 10 minutes
soak: build
	@integration-tests/soak.sh
	@$(MVN) -pl agent -am test -Dtest='RecordingsTest#every*' -Dsurefire.failIfNoSpecifiedTests=false -Djebpf.recordings.millis=600000

## memory and speed of the flight recorder under load, about 6 minutes
recorder: build
	@integration-tests/recorder.sh

## size and cost of the demo's profiles, about 70 s
profiles: build
	@integration-tests/profiles.sh

## loads the kernel programs on other kernels, in virtual machines; then stacks of every load under every collector
matrix: build
	@bpf/verify-kernels.sh bpf/target/natives/main/io/jebpf/bpf/jebpf.bpf.o
	@integration-tests/matrix.sh

## a thousand senders against one server that is down for ten minutes (about 15 minutes)
fleet: build
	@integration-tests/fleet.sh

## rewrites all Java sources in the project's format
format: setup
	@$(MVN) -N -Dformat=apply verify

## truth of span ids for 200,000 samples, cost of a span by JMH, size of profiles with ids; wants the machine for itself
context: build
	@$(MVN) -DskipTests -pl integration-tests -am package
	@integration-tests/context-truth.sh
	@integration-tests/context-bench.sh
	@integration-tests/context-start.sh
	@integration-tests/context-size.sh

clean: setup
	@$(MVN) clean

setup:
	@build/setup.sh
