// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * The kernel programs. on_cpu takes a sample when a CPU's clock event hits the target process;
 * whoami tells user space its ids in the kernel's own numbers.
 */
#include "kernel.bpf.h"

#define read_user(to, size, address)                                                               \
	bpf_probe_read_user((void *)(to), size, (const void *)(address))
#define LOOP(rounds, body, context) bpf_loop(rounds, body, context, 0)

#if defined(__TARGET_ARCH_x86)
#define EXACT_REGISTERS __u64 rax, rbx, rcx, rdx, rsi, rdi, r10, r11, r13, r15;
#define BYTECODE_POINTER r13
#elif defined(__TARGET_ARCH_arm64)
#define EXACT_REGISTERS __u64 lr, x22;
#define BYTECODE_POINTER x22
#endif

#include "walk.bpf.h"
#include "maps.bpf.h"
#include "record.bpf.h"
#if defined(__TARGET_ARCH_x86)
#include "registers_x86.bpf.h"
#else
#include "registers_arm64.bpf.h"
#endif
#include "module.bpf.h"
#include "blob.bpf.h"
#include "hotspot.bpf.h"
#if defined(__TARGET_ARCH_x86)
#include "exact_x86.bpf.h"
#include "exact_interpreter_x86.bpf.h"
#include "exact_blob_x86.bpf.h"
#else
#include "exact_arm64.bpf.h"
#endif
#include "deopt.bpf.h"
#include "unwind.bpf.h"
#include "virtual.bpf.h"
#include "context.bpf.h"

/* The kernel asks for a GPL-compatible licence: of the two offered, the programs are loaded under this one. */
char LICENSE[] SEC("license") = "GPL v2";

/* The thread's id in the innermost PID namespace: what the thread itself gets from gettid(). */
static __always_inline __u32 own_tid(struct task_struct *task)
{
	__u32 level = task->thread_pid->level;
	struct upid *number;
	char *pid;

	if (!level)
		return task->thread_pid->numbers[0].nr;
	/* read, not dereferenced: the verifier allows no variable offset into a kernel object */
	pid = (char *)BPF_CORE_READ(task, thread_pid);
	number = (void *)(pid + bpf_core_field_offset(struct pid, numbers) +
			  level * bpf_core_type_size(struct upid));
	return BPF_CORE_READ(number, nr);
}

/*
 * Where user space was interrupted or entered the kernel: both leave the registers at the top of
 * the task's kernel stack. False: the task has no user space.
 */
static __always_inline bool user_registers(struct walk *w, struct task_struct *task)
{
	struct pt_regs *saved;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return false;
	saved = (struct pt_regs *)bpf_task_pt_regs(task);
	/* into the walk: the stacks of nested programs share 512 bytes */
	if (!saved || bpf_probe_read_kernel(w->bytes, sizeof(struct pt_regs), saved))
		return false;
	set_registers(w, (const struct pt_regs *)w->bytes);
	return true;
}

static __always_inline bool write_sample(struct walk *w)
{
	__u32 bytes = sizeof(struct jebpf_sample) + w->kernel_bytes +
		      w->frames * sizeof(struct jebpf_frame);
	struct jebpf_sample *sample = (void *)w->record;

	bytes += sample->context_bytes;
	sample->bytes = bytes;
	if (bytes > RECORD_BYTES)
		bytes = RECORD_BYTES;
	return !bpf_ringbuf_output(&samples, w->record, bytes, wake_flags(w));
}

/* Walks the user stack of a thread whose registers are saved, behind the kernel's part. */
static __always_inline void walk_task(struct walk *w, struct task_struct *task)
{
	w->number++;
	w->thread = 0;
	w->fs_base = thread_pointer(task);
	if (user_registers(w, task)) {
		walk_user(w);
	} else {
		walk_nothing(w);
	}
}

#include "clocks.bpf.h"
#include "waker.bpf.h"
#include "edge.bpf.h"
#include "tick.bpf.h"
#include "parks.bpf.h"

static __always_inline void take_sample(struct bpf_perf_event_data *ctx, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct task_struct *task = bpf_get_current_task_btf();
	struct jebpf_sample *sample;
	bool in_kernel = interrupted_kernel(ctx);

	count(JEBPF_STAT_SAMPLES, 1);
	count(JEBPF_STAT_WEIGHT_NS, target.period_ns);
	if (!w) {
		count(JEBPF_STAT_SCRATCH, 1);
		return;
	}
	sample = (void *)w->record;
	sample->type = JEBPF_RECORD_SAMPLE;
	sample->state = JEBPF_STATE_RUNNING;
	sample->wait_start_ns = 0;
	sample->time_ns = now;
	sample->weight_ns = target.period_ns;
	sample->thread_start_ns = task->start_boottime;
	sample->tid = own_tid(task);
	sample->cpu = cpu;
	bpf_get_current_comm(sample->comm, sizeof(sample->comm));

	w->kernel_bytes = 0;
	if (in_kernel) {
		long bytes = bpf_get_stack(ctx, &w->record[sizeof(*sample)],
					   JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64), 0);

		if (bytes > 0)
			w->kernel_bytes = bytes;
		else
			count(JEBPF_STAT_KERNEL_STACK, 1);
	}
	walk_task(w, task);
	sample->kernel_frames = w->kernel_bytes / sizeof(__u64);
	sample->user_frames = w->frames;
	sample->end = w->end;
	find_virtual_thread(w);
	sample->java_thread = w->thread;
	sample->context_bytes = take_context(w);
	sample->walk_ns = bpf_ktime_get_ns() - now;
	count(JEBPF_STAT_FRAMES, w->taken);
	count_walk(w, JEBPF_STAT_END_FIRST, JEBPF_STAT_UNREAD_FIRST, JEBPF_STAT_GAP_FIRST,
		   JEBPF_STAT_WHOLE);
	if (!write_sample(w))
		count(JEBPF_STAT_RING_FULL, 1);
}

SEC("perf_event")
int on_cpu(struct bpf_perf_event_data *ctx)
{
	__u64 now;

	count(JEBPF_STAT_EVENTS, 1);
	if (bpf_get_current_pid_tgid() >> 32 != target.tgid || !target.tgid)
		return 0;
	now = bpf_ktime_get_ns();
	take_sample(ctx, now);
	count(JEBPF_STAT_PROGRAM_NS, bpf_ktime_get_ns() - now);
	return 0;
}

SEC("syscall")
int whoami(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u64 ids = bpf_get_current_pid_tgid();
	struct jebpf_whoami *result;
	struct task_struct *leader;
	__u32 zero = 0;

	result = bpf_map_lookup_elem(&whoami_result, &zero);
	if (!result)
		return 1;
	leader = task->group_leader;
	result->tgid = ids >> 32;
	result->tid = (__u32)ids;
	result->ns_tgid = own_tid(leader);
	result->ns_tid = own_tid(task);
	return 0;
}
