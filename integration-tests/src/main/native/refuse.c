/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse CALL... -- COMMAND ARG...: runs a command for which the named system calls (bpf, perf_event_open,
 * process_vm_readv) fail with EPERM, as under the default seccomp profile of a container.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 8

static int number(const char *name)
{
	if (!strcmp(name, "bpf"))
		return __NR_bpf;
	if (!strcmp(name, "perf_event_open"))
		return __NR_perf_event_open;
	if (!strcmp(name, "process_vm_readv"))
		return __NR_process_vm_readv;
	return -1;
}

int main(int argc, char **argv)
{
	struct sock_filter filter[2 + 2 * CALLS_MAX];
	struct sock_fprog program = { 0, filter };
	int i, n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
						   offsetof(struct seccomp_data, nr));
	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (number(argv[i]) < 0 || i > CALLS_MAX) {
			fprintf(stderr, "refuse: unknown system call %s\n", argv[i]);
			return 125;
		}
		filter[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number(argv[i]), 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = n;
	if (i + 1 >= argc) {
		fprintf(stderr, "refuse: no command\n");
		return 125;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		fprintf(stderr, "refuse: seccomp: %s\n", strerror(errno));
		return 125;
	}
	execvp(argv[i + 1], argv + i + 1);
	fprintf(stderr, "refuse: %s: %s\n", argv[i + 1], strerror(errno));
	return 127;
}
