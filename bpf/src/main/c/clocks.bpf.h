/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Exact clocks: how long each thread of the target ran, waited for a CPU, and was blocked. No
 * stack is taken here; a thread that leaves its CPU is put on a list for the ticker (tick.bpf.h).
 *
 * One writer: a thread's clock changes only in sched_switch, under the run queue's lock. A wake-up
 * leaves just its time and the waker; the next switch-in splits the time away at that point.
 *
 * Ticker and switches meet without a lock. Each first writes what the other looks for, then orders
 * that before its own look with full_fence():
 *   the switch    writes the clock, looks at `listed` and `stack_of`;
 *   the ticker    writes `listed` and `stack_of`, looks at the clock.
 * So at least one of the two sees the other: no thread is left out of the list for good, and no wait
 * whose stack was taken ends without a record.
 */
#ifndef JEBPF_CLOCKS_BPF_H
#define JEBPF_CLOCKS_BPF_H

#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_STOPPED 4
#define TASK_TRACED 8
#define TASK_DEAD 0x80

#define MOVED_MASK (JEBPF_MOVED_MAX - 1)
#define PLACES 65536 /* a power of two: how far apart two living threads' numbers hardly ever are */

/* One switch in so many has its own cost measured: reading the clock is a third of it. */
#define COST_EVERY 16

/*
 * A wake-up is traced before the waker has waited for the thread to leave its CPU, so it may be a
 * little older than the wait that it ends. Older than this it belongs to another.
 */
#define EARLY_WAKE_NS 100000

/* What only the programs need of a thread, beside its public clock: one cache line. */
struct thread {
	__u64 start_ns; /* task->start_boottime: numbers come back */
	__u64 stack_of; /* start of the wait whose stack was taken */
	__u64 exec_ns;	/* CPU time by the scheduler when it last got a CPU */
	__u32 fence;	/* see full_fence() */
	__u32 waker_slot; /* of its clock, plus 1; 0: it is none of the target's threads */
	__u32 tid;	/* in the kernel's numbers; 0: it has ended */
	__u32 slot;
	__u32 waker_tid; /* 0: not known, or the wait was too short to ask */
	__u16 listed;	 /* 1: on the ticker's list */
	__u16 wakings;
	char waker_comm[JEBPF_COMM_BYTES];
};

/* By the slot of the thread's clock. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, struct thread);
} threads SEC(".maps");

/*
 * Slots by the end of the thread's number, plus 1. A switch looks two threads up and a wake-up one:
 * an array costs a third of a task's local storage.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, __u32);
	__type(value, __u32);
} places SEC(".maps");

/* Slots of threads whose place was taken by one that still lives. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} displaced SEC(".maps");

/* Read by user space through its mapping, once a window. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, struct jebpf_clock);
} clocks SEC(".maps");

/* Slots that user space has read for the last time, to be used again. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(value, __u32);
} free_clocks SEC(".maps");

/* Ring of threads that left a CPU since the ticker looked; entry 0 means not written yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JEBPF_MOVED_MAX);
	__type(key, __u32);
	__type(value, __u32);
} moved SEC(".maps");

struct jebpf_list list SEC(".data.list") = {.unseen = 1};

static __always_inline __u32 new_slot(void)
{
	__u32 slot;

	if (!bpf_map_pop_elem(&free_clocks, &slot))
		return slot;
	slot = __sync_fetch_and_add(&list.clocks_used, 1);
	return slot;
}

static __always_inline bool is_of(const struct thread *thread, const struct task_struct *task)
{
	return thread->tid == task->pid && thread->start_ns == task->start_boottime;
}

static __always_inline struct thread *in_slot(const __u32 *slot_plus_1)
{
	__u32 slot = slot_plus_1 ? *slot_plus_1 - 1 : JEBPF_CLOCKS_MAX;

	return bpf_map_lookup_elem(&threads, &slot);
}

static __always_inline __u32 place_number(__u32 tid)
{
	__u32 mask = config.place_mask ? config.place_mask : PLACES - 1;

	return tid & mask & (PLACES - 1);
}

static __always_inline __u32 *place_of(__u32 tid)
{
	__u32 place = place_number(tid);

	return bpf_map_lookup_elem(&places, &place);
}

/* The thread's state, 0 if it was not seen yet. */
static __always_inline struct thread *known_thread(struct task_struct *task)
{
	struct thread *thread = in_slot(place_of(task->pid));
	__u32 tid = task->pid;

	if (!thread || is_of(thread, task))
		return thread;
	thread = in_slot(bpf_map_lookup_elem(&displaced, &tid));
	return thread && is_of(thread, task) ? thread : 0;
}

/* Makes a filled slot known; false: another CPU was faster, or there is no room. */
static __always_inline bool find_place(const struct thread *thread)
{
	__u32 tid = thread->tid, value = thread->slot + 1, before;
	__u32 *place = place_of(tid);
	struct thread *other;

	if (!place)
		return false;
	before = *place;
	other = in_slot(&before);
	if (other && other->tid != tid && other->tid && place_number(other->tid) == place_number(tid))
		return !bpf_map_update_elem(&displaced, &tid, &value, BPF_ANY);
	return __sync_val_compare_and_swap(place, before, value) == before;
}

static __always_inline void forget(struct thread *thread)
{
	__u32 tid = thread->tid, *place = place_of(tid);

	thread->tid = 0;
	if (place && *place != thread->slot + 1)
		bpf_map_delete_elem(&displaced, &tid);
}

/*
 * The thread's state, made when it is first seen. From then on its clock runs: from the thread's
 * start, or from the start of the measurement if it is older.
 */
static __always_inline struct thread *thread_of(struct task_struct *task, __u64 now, bool runs)
{
	struct thread *thread = known_thread(task);
	struct jebpf_clock *clock;
	__u32 slot;

	if (thread)
		return thread;
	slot = new_slot();
	clock = bpf_map_lookup_elem(&clocks, &slot);
	thread = bpf_map_lookup_elem(&threads, &slot);
	if (!clock || !thread) {
		count(JEBPF_STAT_CLOCKS_FULL, 1);
		return 0;
	}
	__builtin_memset(thread, 0, sizeof(*thread));
	thread->slot = slot;
	thread->start_ns = task->start_boottime;
	thread->exec_ns = task->se.sum_exec_runtime;
	thread->tid = task->pid;
	if (!find_place(thread)) {
		thread->tid = 0;
		bpf_map_push_elem(&free_clocks, &slot, 0);
		return known_thread(task);
	}
	__builtin_memset(clock, 0, sizeof(*clock));
	clock->thread_start_ns = task->start_boottime;
	clock->kernel_tid = task->pid;
	clock->tid = own_tid(task);
	bpf_probe_read_kernel(clock->comm, sizeof(clock->comm), task->comm);
	/* a new thread has waited for a CPU since its start; of an older one the first event tells */
	clock->state = runs ? JEBPF_STATE_RUNNING : JEBPF_STATE_BLOCKED;
	clock->since_ns = target.clocks_start_ns;
	if (task->start_time > clock->since_ns) {
		clock->since_ns = task->start_time;
		if (!runs)
			clock->state = JEBPF_STATE_RUNNABLE;
	}
	if (clock->since_ns > now)
		clock->since_ns = now;
	clock->first_ns = clock->since_ns;
	return thread;
}

static __always_inline struct jebpf_clock *clock_of(const struct thread *thread)
{
	__u32 slot = thread->slot;

	return bpf_map_lookup_elem(&clocks, &slot);
}

static __always_inline __u32 state_after(bool preempt, unsigned int task_state)
{
	if (preempt || !(task_state & (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_STOPPED |
				       TASK_TRACED | TASK_DEAD)))
		return JEBPF_STATE_RUNNABLE;
	if (task_state & TASK_DEAD)
		return JEBPF_STATE_ENDED;
	if (task_state & TASK_UNINTERRUPTIBLE)
		return JEBPF_STATE_DISK;
	if (task_state & TASK_INTERRUPTIBLE)
		return JEBPF_STATE_BLOCKED;
	return JEBPF_STATE_STOPPED;
}

/* Puts a thread on the ticker's list, once until the ticker has looked at it. */
static __always_inline void list_thread(struct task_struct *task, struct thread *thread)
{
	__u64 head;
	__u32 *entry, key;

	if (thread->listed)
		return;
	if (config.tick_iterator) { /* the ticker comes by every thread anyway */
		thread->listed = 1;
		return;
	}
	if (list.moved_head - list.moved_tail >= JEBPF_MOVED_MAX) {
		count(JEBPF_STAT_MOVED_FULL, 1);
		list.unseen = 1;
		return;
	}
	thread->listed = 1;
	head = __sync_fetch_and_add(&list.moved_head, 1);
	key = head & MOVED_MASK;
	entry = bpf_map_lookup_elem(&moved, &key);
	if (entry)
		*entry = task->pid;
}

/* Orders all memory accesses before it ahead of all after it: an atomic that returns a value. */
static __always_inline void full_fence(struct thread *thread)
{
	__u32 before = __sync_fetch_and_add(&thread->fence, 1);

	asm volatile("" : : "r"(before) : "memory");
}

static __always_inline void leave_cpu(struct task_struct *task, struct jebpf_clock *clock,
				      __u64 now, __u32 state)
{
	clock->sequence++;
	clock->ns[JEBPF_STATE_RUNNING] += now - clock->since_ns;
	clock->since_ns = now;
	clock->state = state;
	clock->switches++;
	if (state == JEBPF_STATE_ENDED) /* a thread is named after it was first seen */
		bpf_probe_read_kernel(clock->comm, sizeof(clock->comm), task->comm);
	clock->sequence++;
}

/* When a wait from `since` to now ended for the sleeper, who from then on waited for a CPU. */
static __always_inline __u64 woken_at(const struct jebpf_clock *clock, __u64 since, __u32 state,
				      __u64 now)
{
	__u64 woken = clock->woken_ns;

	if (state == JEBPF_STATE_RUNNABLE)
		return since;
	if (woken >= since)
		return woken <= now ? woken : now;
	return woken && since - woken < EARLY_WAKE_NS ? since : now;
}

static __always_inline void enter_cpu(struct jebpf_clock *clock, __u64 now, __u64 since,
				      __u64 woken, __u32 state)
{
	clock->sequence++;
	clock->ns[state & JEBPF_STATE_MASK] += woken - since;
	clock->ns[JEBPF_STATE_RUNNABLE] += now - woken;
	if (state != JEBPF_STATE_RUNNABLE)
		clock->wakeups++;
	clock->since_ns = now;
	clock->state = JEBPF_STATE_RUNNING;
	clock->sequence++;
}

/* The end of a wait whose stack is known: its exact length, its delay on the run queue, its waker. */
static __always_inline void write_wait_end(const struct thread *thread,
					   const struct jebpf_clock *clock, __u64 now, __u64 since,
					   __u64 woken, __u32 state)
{
	struct jebpf_wait_end *end = bpf_ringbuf_reserve(&samples, sizeof(*end), 0);

	if (!end) {
		count(JEBPF_STAT_WAIT_END_LOST, 1);
		return;
	}
	end->type = JEBPF_RECORD_WAIT_END;
	end->bytes = sizeof(*end);
	end->wait_start_ns = since;
	end->woken_ns = woken;
	end->end_ns = now;
	end->thread_start_ns = clock->thread_start_ns;
	end->tid = clock->tid;
	end->state = state;
	end->waker_tid = state == JEBPF_STATE_RUNNABLE ? 0 : thread->waker_tid;
	end->waker_slot = thread->waker_slot;
	__builtin_memcpy(end->waker_comm, thread->waker_comm, JEBPF_COMM_BYTES);
	bpf_ringbuf_submit(end, BPF_RB_NO_WAKEUP);
}

/*
 * Rarely (once in some 100,000 times on Linux 6.18) a switch is not traced. When a thread leaves its
 * CPU and is not known to have had one, it got it since it was woken: how it spent the time since
 * then is told by the scheduler's own account of CPU time.
 */
static __always_inline void missed_switch_in(struct task_struct *task, struct thread *thread,
					     struct jebpf_clock *clock, __u64 now)
{
	__u64 since = clock->since_ns, ran = task->se.sum_exec_runtime - thread->exec_ns, in, woken;
	__u32 state = clock->state & JEBPF_STATE_MASK;

	in = ran < now - since ? now - ran : since;
	woken = woken_at(clock, since, state, in);
	enter_cpu(clock, in, since, woken, state);
	full_fence(thread);
	if (thread->stack_of == since)
		write_wait_end(thread, clock, in, since, woken, state);
	count(JEBPF_STAT_SWITCH_MISSED, 1);
}

/* A thread gets a CPU and is not known to have left one: the reverse. */
static __always_inline void missed_switch_out(struct task_struct *task, struct thread *thread,
					      struct jebpf_clock *clock, __u64 now)
{
	__u64 since = clock->since_ns, ran = task->se.sum_exec_runtime - thread->exec_ns;
	__u64 out = ran < now - since ? since + ran : now;

	leave_cpu(task, clock, out,
		  clock->woken_ns > out ? JEBPF_STATE_BLOCKED : JEBPF_STATE_RUNNABLE);
	count(JEBPF_STAT_SWITCH_MISSED, 1);
}

static __always_inline void switch_out(struct task_struct *task, __u64 now, __u32 state)
{
	struct thread *thread = thread_of(task, now, true);
	struct jebpf_clock *clock;

	if (!thread)
		return;
	clock = clock_of(thread);
	if (!clock)
		return;
	if ((clock->state & JEBPF_STATE_MASK) != JEBPF_STATE_RUNNING)
		missed_switch_in(task, thread, clock, now);
	leave_cpu(task, clock, now, state);
	if (state == JEBPF_STATE_ENDED) {
		forget(thread);
		return;
	}
	full_fence(thread);
	list_thread(task, thread);
}

static __always_inline void switch_in(struct task_struct *task, __u64 now)
{
	struct thread *thread = thread_of(task, now, false);
	struct jebpf_clock *clock;
	__u64 woken, since;
	__u32 state;

	if (!thread)
		return;
	clock = clock_of(thread);
	if (!clock)
		return;
	if ((clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING)
		missed_switch_out(task, thread, clock, now);
	thread->exec_ns = task->se.sum_exec_runtime;
	since = clock->since_ns;
	state = clock->state & JEBPF_STATE_MASK;
	woken = woken_at(clock, since, state, now);
	enter_cpu(clock, now, since, woken, state);
	full_fence(thread);
	if (thread->stack_of == since)
		write_wait_end(thread, clock, now, since, woken, state);
}

static __always_inline void count_switch(__u64 start)
{
	__u32 stat = JEBPF_STAT_SWITCHES;
	__u64 *switches = bpf_map_lookup_elem(&stats, &stat);

	if (switches && !(++*switches % COST_EVERY))
		count(JEBPF_STAT_SWITCH_NS, (bpf_ktime_get_ns() - start) * COST_EVERY);
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next,
	     unsigned int prev_state)
{
	__u32 tgid = target.clocks_tgid;
	bool from = prev->tgid == tgid, to = next->tgid == tgid;
	__u64 now;

	if (!(from || to) || !tgid)
		return 0;
	now = bpf_ktime_get_ns();
	if (from)
		switch_out(prev, now, state_after(preempt, prev_state));
	if (to)
		switch_in(next, now);
	count_switch(now);
	return 0;
}

static __always_inline void note_waker(struct thread *thread)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct thread *waker = current->tgid == target.clocks_tgid ? known_thread(current) : 0;

	thread->waker_tid = current->pid;
	thread->waker_slot = waker ? waker->slot + 1 : 0;
	bpf_get_current_comm(thread->waker_comm, sizeof(thread->waker_comm));
}

/* A thread is about to be woken; returns its clock if its wait was long, 0 otherwise. */
static __always_inline struct jebpf_clock *note_waking(struct task_struct *task,
						       struct thread *thread, __u64 now)
{
	struct jebpf_clock *clock = clock_of(thread);

	if (!clock)
		return 0;
	clock->woken_ns = now;
	thread->waker_tid = 0;
	if (now - clock->since_ns < config.waker_ns)
		return 0;
	note_waker(thread);
	return clock;
}

/* The waking thread's own state, 0 unless it is of the target. */
static __always_inline struct thread *woken_thread(struct task_struct *task)
{
	if (task->tgid != target.clocks_tgid || !target.clocks_tgid)
		return 0;
	return known_thread(task);
}

static __always_inline void count_waking(struct thread *thread, __u64 start)
{
	if (!(++thread->wakings % COST_EVERY))
		count(JEBPF_STAT_SWITCH_NS, (bpf_ktime_get_ns() - start) * COST_EVERY);
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	struct thread *thread = woken_thread(task);
	__u64 now;

	if (!thread)
		return 0;
	now = bpf_ktime_get_ns();
	note_waking(task, thread, now);
	count_waking(thread, now);
	return 0;
}

#endif
