/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The few kernel types that our programs read, with the fields that we use. Offsets are relocated
 * by libbpf against the running kernel's BTF (CO-RE), so order and size here mean nothing.
 */
#ifndef JEBPF_KERNEL_BPF_H
#define JEBPF_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD 0x00200000

#define likely(condition) __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)

#define RELOCATED __attribute__((preserve_access_index))

struct upid {
	int nr;
} RELOCATED;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} RELOCATED;

#if defined(__TARGET_ARCH_x86)
struct thread_struct {
	unsigned long sp; /* of the kernel, while the thread has no CPU */
	unsigned long fsbase;
} RELOCATED;

/* The saved user registers, in the order in which x86-64 pushes them (since 2.6; ABI of ptrace). */
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct thread_struct {
	unsigned long cpu_context;
} RELOCATED;

struct pt_regs {
	unsigned long regs[31], sp, pc, pstate;
};
#else
#error "no register layout for this architecture"
#endif

struct list_head {
	struct list_head *next;
} RELOCATED;

struct signal_struct {
	struct list_head thread_head;
} RELOCATED;

struct rq {
	__u64 clock; /* read anew at each switch */
} RELOCATED;

/* A control group's part of one CPU's run queue. */
struct cfs_rq {
	struct rq *rq; /* with CONFIG_FAIR_GROUP_SCHED */
} RELOCATED;

struct sched_entity {
	__u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq; /* likewise: of the CPU that it is on, of whatever class it is */
} RELOCATED;

/* Only with CONFIG_SCHED_INFO, which /proc/<pid>/schedstat needs too. Times of the run queue's clock. */
struct sched_info {
	unsigned long long run_delay;	/* ever waited for a CPU */
	unsigned long long last_queued; /* it waits for one since then; 0: it does not */
} RELOCATED;

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int on_cpu; /* with CONFIG_SMP: runs, or is about to have left its CPU */
	int exit_state;
	struct sched_entity se;
	struct sched_info sched_info;
	__u32 pid;
	__u32 tgid;
	char comm[16];
	__u64 start_time;
	struct signal_struct *signal;
	struct list_head thread_node;
	__u64 start_boottime;
	struct pid *thread_pid;
	struct task_struct *group_leader;
	struct thread_struct thread;
} RELOCATED;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
} RELOCATED;

/* Context of a task iterator: one call for each task, and a last one without. */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} RELOCATED;

/* Context of a perf_event program. The kernel rewrites accesses to it: keep the UAPI's layout. */
struct bpf_perf_event_data {
	struct pt_regs regs;
	__u64 sample_period;
	__u64 addr;
};

#endif
