/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * A window's edge: which threads were woken and have no CPU yet. When a thread was woken is written down
 * only if the stack of its wait was taken, since then its wake-up is watched (clocks.bpf.h). For the
 * others, those that have just gone to sleep, whoever is about to read the clocks has the scheduler
 * asked: so a thread that sleeps through two edges costs next to nothing. One of two is loaded, as of the ticker's programs: on_edge
 * goes by the clocks, on_edge_task is called for every thread of the process.
 */
#ifndef JEBPF_EDGE_BPF_H
#define JEBPF_EDGE_BPF_H

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

static __always_inline bool is_asleep(const struct jebpf_clock *clock)
{
	__u32 state = clock->state & JEBPF_STATE_MASK;

	return state == JEBPF_STATE_BLOCKED || state == JEBPF_STATE_DISK ||
	       state == JEBPF_STATE_STOPPED;
}

/* Whether the scheduler has to be asked: the thread is asleep, and its wake-up may not be watched. */
static __always_inline bool is_to_ask(const struct jebpf_clock *clock)
{
	__u64 since = clock->since_ns;
	bool watched = clock->has_stack && clock->stack_of == since && since < list.edge_ns;

	return !watched && is_asleep(clock);
}

/*
 * Writes down when a thread was woken that has had no CPU since: the moment that its next switch will come
 * to, by the same account. A thread that gets a CPU meanwhile has a wait of its own afterwards, which
 * begins later than what is written here; one that is moved to another CPU meanwhile is passed over.
 *
 * @offset: what CLOCK_MONOTONIC is ahead of run queues' clocks
 */
static __always_inline void note_turn(struct task_struct *task, struct jebpf_clock *clock,
				      __u64 offset)
{
	volatile unsigned long long *queued;
	__u64 since = clock->since_ns, last, before, woken;

	if (!has_accounts() || !offset || !is_asleep(clock))
		return;
	queued = &task->sched_info.last_queued;
	last = *queued;
	if (!last)
		return;
	before = run_delay(task) - clock->queued_ns; /* in this wait, on other CPUs */
	if (*queued != last || is_sleeper(task)) /* see forget_queueing() */
		return;
	woken = last + offset - before;
	clock->woken_ns = woken > since ? woken : since;
}

/*
 * Clocks of two CPUs are up to 15 us apart. So a turn that was noted before a shorter run may be later than
 * the wait which followed that, and would be taken for its own: who sleeps has had no turn.
 */
static __always_inline void forget_turn(struct task_struct *task, struct jebpf_clock *clock)
{
	__u64 woken = clock->woken_ns;

	if (unlikely(woken >= clock->since_ns) && has_accounts() && is_sleeper(task))
		__sync_val_compare_and_swap(&clock->woken_ns, woken, 0);
}

static __always_inline void look_for_turn(struct task_struct *task, struct jebpf_clock *clock,
					  __u64 offset)
{
	forget_turn(task, clock);
	note_turn(task, clock, offset);
}

static long edge_of(__u32 slot, void *context)
{
	__u64 *offset = context;
	struct jebpf_clock *clock = bpf_map_lookup_elem(&clocks, &slot);
	struct task_struct *task;

	if (!clock)
		return 1;
	if (!clock->tid || !is_to_ask(clock))
		return 0;
	task = bpf_task_from_pid(clock->kernel_tid);
	if (!task)
		return 0;
	if (is_of(clock, task))
		look_for_turn(task, clock, *offset);
	bpf_task_release(task);
	return 0;
}

SEC("?syscall") /* loaded only where bpf_task_from_pid exists (Linux 6.2) */
int on_edge(void *context)
{
	__u64 start = bpf_ktime_get_ns(), offset = clock_offset();

	if (!target.clocks_tgid || !has_accounts())
		return 0;
	LOOP(list.clocks_used, edge_of, &offset);
	list.edge_ns = start;
	count(JEBPF_STAT_PROGRAM_NS, bpf_ktime_get_ns() - start);
	return 0;
}

SEC("?iter/task")
int on_edge_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	__u64 start = bpf_ktime_get_ns(), offset = clock_offset();
	struct jebpf_clock *clock;

	if (!has_accounts())
		return 0;
	if (!task) { /* all were shown */
		list.edge_ns = list.edge_start_ns;
		return 0;
	}
	if (!ctx->meta->seq_num)
		list.edge_start_ns = start;
	if (task->tgid != target.clocks_tgid)
		return 0;
	clock = known_clock(task->pid);
	if (clock && is_of(clock, task) && is_to_ask(clock))
		look_for_turn(task, clock, offset);
	count(JEBPF_STAT_PROGRAM_NS, bpf_ktime_get_ns() - start);
	return 0;
}

#endif
