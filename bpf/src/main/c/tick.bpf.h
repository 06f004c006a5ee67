/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The ticker's programs: take the stack of each thread that left its CPU since the last tick and is
 * still away. Run by a thread of the target process, so that every stack of it is in the address
 * space and can be read. One of two is loaded: on_tick goes by the list of threads that moved,
 * on_tick_task is called for every thread of the process, where the kernel has no bpf_task_from_pid.
 */
#ifndef JEBPF_TICK_BPF_H
#define JEBPF_TICK_BPF_H

#define TICK_THREADS_MAX (2 * JEBPF_CLOCKS_MAX) /* looked at in one run: list and sweep */
#define SWEEP_RING_BYTES_MAX (512 * 1024) /* in the ring, above which a sweep pauses */

/* The ticker's walk. There is one ticker. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} tick_walk SEC(".maps");

/* Whether the thread has run since the wait that began then. */
static __always_inline bool has_moved(const struct jebpf_clock *clock, __u64 start)
{
	return clock->since_ns != start ||
	       (clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING;
}

#include "kernel_stack.bpf.h"

static __always_inline void take_wait(struct walk *w, struct task_struct *task,
				      struct jebpf_clock *clock)
{
	struct jebpf_sample *sample = (void *)w->record;
	__u64 start = clock->since_ns;
	__u64 now = bpf_ktime_get_ns();

	sample->type = JEBPF_RECORD_WAIT;
	sample->time_ns = now;
	sample->weight_ns = 0;
	sample->wait_start_ns = start;
	sample->state = clock->state & JEBPF_STATE_MASK;
	sample->thread_start_ns = clock->thread_start_ns;
	sample->tid = clock->tid;
	sample->cpu = 0;
	bpf_probe_read_kernel(clock->comm, sizeof(clock->comm), task->comm);
	__builtin_memcpy(sample->comm, clock->comm, JEBPF_COMM_BYTES);
	w->kernel_bytes = kernel_stack(w, task, clock);
	if (!w->kernel_bytes)
		count(JEBPF_STAT_KERNEL_STACK, 1);
	walk_task(w, task);
	find_virtual_thread(w);
	sample->context_bytes = take_context(w);
	/*
	 * From here on its switch-in writes an end, unless the look at the clock says that this came
	 * too late. That the wait lasted until here is part of what is known of it: walk_ns.
	 */
	forget_turn(task, clock);
	note_wakers(clock, true);
	clock->stack_of = start;
	clock->has_stack = 1; /* whoever sees this takes it all back */
	full_fence();
	sample->walk_ns = bpf_ktime_get_ns() - now;
	/* it ran meanwhile: what was read may be of two moments */
	if (has_moved(clock, start)) {
		count(JEBPF_STAT_WAIT_MOVED, 1);
		list_thread(task, clock); /* it may have seen itself listed when it left again */
		return;
	}
	sample->kernel_frames = w->kernel_bytes / sizeof(__u64);
	sample->user_frames = w->frames;
	sample->end = w->end;
	sample->java_thread = w->thread;
	if (!write_sample(w)) {
		count(JEBPF_STAT_RING_FULL, 1);
		clock->stack_of = 0; /* the next tick takes it, should it still wait then */
		list_thread(task, clock);
		return;
	}
	note_turn(task, clock, clock_offset()); /* if it was woken before its wake-up was watched */
	count(JEBPF_STAT_WAITS, 1);
	count_walk(w, JEBPF_STAT_WAIT_END_FIRST, JEBPF_STAT_WAIT_UNREAD_FIRST,
		   JEBPF_STAT_WAIT_GAP_FIRST, JEBPF_STAT_WAIT_WHOLE);
}

static __always_inline bool is_on_cpu(struct task_struct *task)
{
	return bpf_core_field_exists(task->on_cpu) && *(volatile int *)&task->on_cpu;
}

/*
 * @ticker_since: when the ticker got its CPU. The thread that lost it then would be found waiting at
 * every tick, for what the tick lasts: that wait is the ticker's doing. It stays on the list, and is
 * taken by the next tick if it still waits.
 */
static __always_inline void look_at(struct walk *w, struct task_struct *task, __u64 now,
				    __u64 ticker_since)
{
	struct jebpf_clock *clock;

	if (task->exit_state) /* its clock has ended, or will without us */
		return;
	clock = clock_of(task, now, false);
	if (!clock || task->pid == list.ticker_tid) /* which stays listed: it must not wake itself */
		return;
	clock->listed = 0;
	full_fence();
	if ((clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING ||
	    clock->stack_of == clock->since_ns)
		return;
	/* one that runs got its CPU by a switch that was not traced: what its stack holds is of another moment */
	if (clock->since_ns == ticker_since || is_on_cpu(task)) {
		list_thread(task, clock);
		return;
	}
	take_wait(w, task, clock);
}

struct tick {
	__u64 head; /* of the list when the tick began: what comes later is the next tick's */
	__u64 ticker_since;
	struct list_head *node; /* of the sweep; 0: there is none */
	struct list_head *end;
};

/* The next thread that left its CPU, in the kernel's numbers; 0: no more. */
static __always_inline __u32 next_moved(const struct tick *tick)
{
	__u32 key = list.moved_tail & MOVED_MASK, tid;
	__u32 *entry;

	if (list.moved_tail == tick->head)
		return 0;
	entry = bpf_map_lookup_elem(&moved, &key);
	if (!entry || !*entry)
		return 0;
	tid = *entry;
	*entry = 0;
	list.moved_tail++;
	return tid;
}

/*
 * The next thread of the process, for a sweep: when the clocks start, since threads that sleep
 * already would else not be seen before they wake, and after a stack or a place on the list was lost.
 * It pauses while the ring is filled; a later tick goes on, as threads whose stack is known cost
 * next to nothing. The list is read, not locked: a thread that ends meanwhile may cut it short.
 */
static __always_inline __u32 next_swept(struct tick *tick)
{
	struct list_head *node = tick->node;
	struct task_struct *task;

	if (!node || node == tick->end)
		return 0;
	if (bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) > SWEEP_RING_BYTES_MAX) {
		list.unseen = 1;
		return 0;
	}
	task = (void *)((char *)node - bpf_core_field_offset(struct task_struct, thread_node));
	tick->node = BPF_CORE_READ(node, next);
	return BPF_CORE_READ(task, pid);
}

/* One place where stacks are walked: the verifier goes through it at each call. */
static long next_thread(__u32 index, void *context)
{
	struct tick *tick = context;
	__u32 zero = 0, tid;
	struct walk *w = bpf_map_lookup_elem(&tick_walk, &zero);
	struct task_struct *task;

	if (!w)
		return 1;
	tid = next_moved(tick);
	if (!tid)
		tid = next_swept(tick);
	if (!tid)
		return 1;
	task = bpf_task_from_pid(tid);
	if (!task)
		return 0;
	if (task->tgid == target.clocks_tgid)
		look_at(w, task, bpf_ktime_get_ns(), tick->ticker_since);
	bpf_task_release(task);
	return 0;
}

/* When the calling thread, the ticker, got its CPU; 0 when it has no clock. */
static __always_inline __u64 own_since(void)
{
	__u32 tid = bpf_get_current_task_btf()->pid;
	struct jebpf_clock *clock = known_clock(tid);

	list.ticker_since_ns = clock ? clock->since_ns : 0;
	list.ticker_tid = clock ? tid : 0;
	return list.ticker_since_ns;
}

static __always_inline void begin_sweep(struct tick *tick)
{
	struct signal_struct *process = BPF_CORE_READ(bpf_get_current_task_btf(), signal);
	struct list_head *head;

	list.unseen = 0;
	head = (void *)((char *)process + bpf_core_field_offset(struct signal_struct, thread_head));
	tick->end = head;
	tick->node = BPF_CORE_READ(head, next);
}

/*
 * False: there is something to do. Whoever comes to the list afterwards looks whether the ticker is asleep,
 * after an atomic as here: so at least one sees the other.
 */
static __always_inline bool fall_asleep(void)
{
	if (list.unseen)
		return false;
	__sync_lock_test_and_set(&list.asleep, 1);
	if (list.moved_tail == *(volatile __u64 *)&list.moved_head)
		return true;
	list.asleep = 0;
	return false;
}

SEC("?syscall") /* loaded only where bpf_task_from_pid exists (Linux 6.2) */
int on_tick(struct jebpf_tick *wish)
{
	struct tick tick = {.head = list.moved_head, .ticker_since = own_since()};
	__u64 start = bpf_ktime_get_ns(), spent;

	if (!target.clocks_tgid)
		return JEBPF_TICK_DONE;
	list.asleep = 0;
	if (list.unseen && bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) < SWEEP_RING_BYTES_MAX)
		begin_sweep(&tick);
	LOOP(TICK_THREADS_MAX, next_thread, &tick);
	spent = bpf_ktime_get_ns() - start;
	count(JEBPF_STAT_TICKS, 1);
	count(JEBPF_STAT_TICK_NS, spent);
	count(JEBPF_STAT_PROGRAM_NS, spent);
	if (list.moved_tail != tick.head)
		return JEBPF_TICK_MORE;
	return wish->may_sleep && fall_asleep() ? JEBPF_TICK_ASLEEP : JEBPF_TICK_DONE;
}

/* The task iterator's program: the same look at each thread that moved, or was never seen. */
SEC("?iter/task")
int on_tick_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct jebpf_clock *clock;
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&tick_walk, &zero);
	__u64 now;

	if (!w || !target.clocks_tgid)
		return 0;
	if (!task) { /* all were shown */
		now = bpf_ktime_get_ns();
		count(JEBPF_STAT_TICKS, 1);
		count(JEBPF_STAT_TICK_NS, now - list.tick_start_ns);
		count(JEBPF_STAT_PROGRAM_NS, now - list.tick_start_ns);
		return 0;
	}
	if (!ctx->meta->seq_num)
		list.tick_start_ns = bpf_ktime_get_ns();
	clock = known_clock(task->pid);
	if ((clock && !clock->listed) || task->tgid != target.clocks_tgid)
		return 0;
	look_at(w, task, bpf_ktime_get_ns(), own_since());
	return 0;
}

#endif
