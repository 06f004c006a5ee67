/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick of the benchmark: a BPF program that does nothing, on the same event as the agent's (software cpu-clock,
 * one per CPU, whatever runs there). Commands on stdin, one a line: "on", "off"; each is answered with "ok". The end of
 * stdin ends it. Argument: period in nanoseconds. Raw system calls, so that it needs no library.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CPUS_MAX 256

static int fail(const char *what)
{
	fprintf(stderr, "empty: %s: %s\n", what, strerror(errno));
	return 1;
}

static int load_empty_program(void)
{
	struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_PERF_EVENT;
	attr.insns = (unsigned long)program;
	attr.insn_cnt = sizeof(program) / sizeof(program[0]);
	attr.license = (unsigned long)"Apache-2.0";
	return syscall(__NR_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
}

int main(int argc, char **argv)
{
	unsigned long period_ns = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int events[CPUS_MAX];
	struct perf_event_attr attr;
	char command[16];
	int program = load_empty_program();

	if (program < 0)
		return fail("loading the program");
	if (cpus > CPUS_MAX)
		cpus = CPUS_MAX;
	memset(&attr, 0, sizeof(attr));
	attr.size = sizeof(attr);
	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_CPU_CLOCK;
	attr.sample_period = period_ns;
	attr.disabled = 1;
	for (long cpu = 0; cpu < cpus; cpu++) {
		events[cpu] = syscall(__NR_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (events[cpu] < 0)
			return fail("perf_event_open");
		if (ioctl(events[cpu], PERF_EVENT_IOC_SET_BPF, program))
			return fail("attaching the program");
	}
	while (fgets(command, sizeof(command), stdin)) {
		int on = !strcmp(command, "on\n");

		for (long cpu = 0; cpu < cpus; cpu++) {
			if (ioctl(events[cpu], on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0))
				return fail("switching an event");
		}
		puts("ok");
		fflush(stdout);
	}
	return 0;
}
