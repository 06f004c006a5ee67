/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Who woke me, with its stack: loaded in place of on_waking when that is wanted. A stack is taken
 * for long waits whose own stack is known, so what it costs is bounded by the ticker's work.
 */
#ifndef JEBPF_WAKER_BPF_H
#define JEBPF_WAKER_BPF_H

/* The program's own frame, and those of the tracepoint below it. */
#define WAKER_SKIP_FRAMES 2

/*
 * Interrupts are off here, so the walk of this CPU cannot be on_cpu's. A thread that wakes itself,
 * the one case in which they may be on, is left out.
 */
static __always_inline void take_waker(void *ctx, struct jebpf_clock *clock, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct walk *w = bpf_map_lookup_elem(&walks, &cpu);
	struct task_struct *waker = bpf_get_current_task_btf();
	struct jebpf_sample *sample;
	long bytes;

	if (!w) {
		count(JEBPF_STAT_SCRATCH, 1);
		return;
	}
	sample = (void *)w->record;
	sample->type = JEBPF_RECORD_WAKER;
	sample->time_ns = now;
	sample->weight_ns = 0;
	sample->wait_start_ns = clock->since_ns;
	sample->state = JEBPF_STATE_RUNNING;
	sample->thread_start_ns = clock->thread_start_ns;
	sample->tid = clock->tid;
	sample->cpu = cpu;
	bpf_get_current_comm(sample->comm, sizeof(sample->comm));
	bytes = bpf_get_stack(ctx, &w->record[sizeof(*sample)],
			      JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64), WAKER_SKIP_FRAMES);
	w->kernel_bytes = bytes > 0 ? bytes : 0;
	if (waker->tgid == target.clocks_tgid) {
		walk_task(w, waker);
	} else { /* another process: its code has no names here */
		w->frames = 0;
		w->thread = 0;
		w->mounted = 0;
		w->end = JEBPF_END_ROOT;
	}
	sample->kernel_frames = w->kernel_bytes / sizeof(__u64);
	sample->user_frames = w->frames;
	sample->end = w->end;
	find_virtual_thread(w);
	sample->java_thread = w->thread;
	sample->context_bytes = 0;
	sample->walk_ns = bpf_ktime_get_ns() - now;
	if (!write_sample(w))
		count(JEBPF_STAT_RING_FULL, 1);
	count(JEBPF_STAT_PROGRAM_NS, bpf_ktime_get_ns() - now);
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(on_waker, struct task_struct *task)
{
	struct jebpf_clock *clock;
	__u64 now;

	if (likely(!is_watched(task)))
		return 0;
	now = bpf_ktime_get_ns();
	clock = waking(task, now);
	if (clock && bpf_get_current_task_btf()->pid != task->pid)
		take_waker(ctx, clock, now);
	return 0;
}

#endif
