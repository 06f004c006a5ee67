/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Exact clocks: how long each thread of the target ran, waited for a CPU, and was blocked. No
 * stack is taken here; a thread that leaves its CPU is put on a list for the ticker (tick.bpf.h).
 *
 * One writer: a thread's clock changes only in sched_switch, under the run queue's lock. When a thread
 * was woken is known when it gets a CPU: the scheduler keeps how long it waited for it.
 *
 * Ticker and switches meet without a lock. Each first writes what the other looks for, then orders
 * that before its own look with full_fence():
 *   the switch    writes the clock, looks at `listed` and `stack_of`;
 *   the ticker    writes `listed` and `stack_of`, looks at the clock.
 * So at least one of the two sees the other: no thread is left out of the list for good, and no wait
 * whose stack was taken ends without a record. A switch writes the clocks of both its threads before
 * it looks at either: one fence, which is what such an order costs.
 */
#ifndef JEBPF_CLOCKS_BPF_H
#define JEBPF_CLOCKS_BPF_H

#include "threads.bpf.h"

#define TASK_INTERRUPTIBLE 1
#define TASK_UNINTERRUPTIBLE 2
#define TASK_STOPPED 4
#define TASK_TRACED 8
#define TASK_DEAD 0x80

/* One switch in so many has its own cost measured: that takes two readings of a clock. */
#define COST_EVERY 127

/*
 * A wake-up is traced before the waker has waited for the thread to leave its CPU, so it may be a
 * little older than the wait that it ends. Older than this it belongs to another.
 */
#define EARLY_WAKE_NS 100000

#define CPU_CLOCK_NS 1000000 /* how long a CPU's clock is trusted */
#define DRIFT_SHIFT 13	     /* 122 ppm; a clock that is adjusted faster than that leaps now and then */
#define LEAP_NS 100000

/* Who ended a thread's last wait that was long and whose stack was taken. */
struct waker {
	__u64 wait; /* its start */
	__u32 tid;  /* in the kernel's numbers */
	__u32 slot; /* of its clock, plus 1; 0: it is none of the target's threads */
	char comm[JEBPF_COMM_BYTES];
};

/* By the slot of the clock of the thread that waited. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, struct waker);
} wakers SEC(".maps");

/*
 * What a CPU remembers from switch to switch: one cache line. In an array as `walks` is: a look into a
 * per-CPU map touches a line of the map's own, too.
 */
struct cpu {
	__u32 tid; /* of our thread that has it, in the kernel's numbers; 0: none has */
	__u32 slot;
	__u64 compared_ns; /* on the run queue's clock: when CLOCK_MONOTONIC was so much ahead of it */
	__u64 offset_ns;
	__u32 switches; /* until the next that is measured */
	__u32 pad[9];
};
_Static_assert(sizeof(struct cpu) == 64, "a cache line");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space sets the number of possible CPUs before load */
	__type(key, __u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

static __always_inline struct cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&cpus, &cpu);
}

/*
 * CLOCK_MONOTONIC is read some time after the run queue's clock was, 1 to 15 us when the CPU was idle. So the
 * least difference is the truest, and it grows no faster than clocks drift apart; a leap is believed.
 */
static __noinline void compare_clocks(struct cpu *cpu, __u64 queue)
{
	__u64 offset = bpf_ktime_get_ns() - queue, drift = (queue - cpu->compared_ns) >> DRIFT_SHIFT;
	__s64 more = offset - cpu->offset_ns;

	if (more > 0 && more < LEAP_NS && (__u64)more > drift)
		offset = cpu->offset_ns + drift;
	cpu->compared_ns = queue;
	cpu->offset_ns = offset;
}

/*
 * The time of a switch on CLOCK_MONOTONIC. The scheduler has just read a clock for its run queue; to use
 * that again costs a third of another reading, which has to wait for all that goes on in the CPU.
 */
static __always_inline __u64 switch_time(struct task_struct *ours, struct cpu *cpu)
{
	__u64 queue;

	if (!has_accounts())
		return bpf_ktime_get_ns();
	queue = queue_clock(ours);
	if (unlikely(queue - cpu->compared_ns > CPU_CLOCK_NS))
		compare_clocks(cpu, queue);
	return queue + cpu->offset_ns;
}

static __always_inline __u32 state_after(bool preempt, unsigned int task_state)
{
	task_state &= TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_STOPPED | TASK_TRACED |
		      TASK_DEAD;
	if (preempt || !task_state)
		return JEBPF_STATE_RUNNABLE;
	if (likely(task_state == TASK_INTERRUPTIBLE))
		return JEBPF_STATE_BLOCKED;
	if (task_state & TASK_DEAD)
		return JEBPF_STATE_ENDED;
	if (task_state & TASK_UNINTERRUPTIBLE)
		return JEBPF_STATE_DISK;
	return task_state & TASK_INTERRUPTIBLE ? JEBPF_STATE_BLOCKED : JEBPF_STATE_STOPPED;
}

/* Wakes the ticker. Where the bell is full, it has something to wake from. */
static __noinline void ring_bell(void)
{
	__u64 now = bpf_ktime_get_ns();

	if (__sync_lock_test_and_set(&list.asleep, 0))
		bpf_ringbuf_output(&bell, &now, sizeof(now), BPF_RB_FORCE_WAKEUP);
}

static __noinline void add_to_list(struct task_struct *task, struct jebpf_clock *clock)
{
	__u64 head;
	__u32 *entry, key;

	if (config.tick_iterator) { /* the ticker comes by every thread anyway */
		clock->listed = 1;
		return;
	}
	if (list.moved_head - list.moved_tail >= JEBPF_MOVED_MAX) {
		count(JEBPF_STAT_MOVED_FULL, 1);
		list.unseen = 1;
		return;
	}
	clock->listed = 1;
	head = __sync_fetch_and_add(&list.moved_head, 1);
	key = head & MOVED_MASK;
	entry = bpf_map_lookup_elem(&moved, &key);
	if (entry)
		*entry = task->pid;
	if (unlikely(list.asleep)) /* both look after they wrote: see fall_asleep() */
		ring_bell();
}

/* Whether its present wait is one that nobody asks for. */
static __always_inline bool is_quiet(const struct jebpf_clock *clock)
{
	return clock->quiet && (clock->state & JEBPF_STATE_MASK) != JEBPF_STATE_RUNNABLE;
}

/* Puts a thread on the ticker's list, once until the ticker has looked at it. */
static __always_inline void list_thread(struct task_struct *task, struct jebpf_clock *clock)
{
	if (unlikely(!clock->listed) && !is_quiet(clock))
		add_to_list(task, clock);
}

/* Orders all memory accesses before it ahead of all after it: an atomic that returns a value. */
static __always_inline void full_fence(void)
{
	__u32 word = 0;
	__u32 before = __sync_fetch_and_add(&word, 1);

	asm volatile("" : : "r"(before), "r"(&word) : "memory");
}

/*
 * Around what is written of a clock. The barrier holds the compiler back; x86 writes in the program's
 * order, for others an atomic does.
 */
static __always_inline void turn_sequence(struct jebpf_clock *clock)
{
#if defined(__TARGET_ARCH_x86)
	barrier();
	*(volatile __u32 *)&clock->sequence = clock->sequence + 1;
	barrier();
#else
	__u32 before = __sync_fetch_and_add(&clock->sequence, 1);

	asm volatile("" : : "r"(before) : "memory");
#endif
}

static __always_inline void leave_cpu(struct task_struct *task, struct jebpf_clock *clock,
				      __u64 now, __u32 state)
{
	turn_sequence(clock);
	clock->since_ns = now;
	clock->state = state;
	turn_sequence(clock);
	clock->ran_us = task->se.sum_exec_runtime >> 10;
}

static __always_inline void enter_cpu(struct jebpf_clock *clock, __u64 now, __u64 since,
				      __u64 woken, __u32 state)
{
	turn_sequence(clock);
	clock->waited_ns[(state - 1) & (JEBPF_WAIT_STATES - 1)] += woken - since;
	clock->waited_ns[JEBPF_STATE_RUNNABLE - 1] += now - woken;
	clock->since_ns = now;
	clock->state = JEBPF_STATE_RUNNING;
	turn_sequence(clock);
	if (state != JEBPF_STATE_RUNNABLE)
		clock->wakeups++;
}

/*
 * When a wait from `since` to now ended for the sleeper, who from then on waited for a CPU.
 *
 * @queued: how long it did, by the scheduler's account
 */
static __always_inline __u64 woken_at(const struct jebpf_clock *clock, __u64 since, __u32 state,
				      __u64 now, __u64 queued)
{
	__u64 woken;

	if (state == JEBPF_STATE_RUNNABLE)
		return since;
	if (has_accounts())
		return queued < now - since ? now - queued : since;
	woken = clock->woken_ns;
	if (woken >= since)
		return woken <= now ? woken : now;
	return woken && since - woken < EARLY_WAKE_NS ? since : now;
}

/*
 * How long a thread that is about to get this CPU has waited for one, ever.
 *
 * @clock: the run queue's
 */
static __always_inline __u64 queued_ever(struct task_struct *task, __u64 clock)
{
	__u64 queued, last;

	if (!has_accounts())
		return 0;
	queued = task->sched_info.run_delay;
	last = task->sched_info.last_queued;
	return last && last < clock ? queued + (clock - last) : queued;
}

/* A wait that is over. */
struct wait {
	__u64 since;
	__u64 woken;
};

/*
 * What a thread that was woken has waited for the ticker alone, which had this CPU before it. Only waits that
 * are met can have that, so it would count with their weight.
 */
static __always_inline __u64 tick_time(const struct wait *wait, __u64 now, __u32 before)
{
	__u64 from = list.ticker_since_ns;

	if (!before || before != list.ticker_tid)
		return 0;
	if (from < wait->woken)
		from = wait->woken;
	return from < now ? now - from : 0;
}

/*
 * The end of a wait whose stack is known: its exact length, its delay on the run queue, its waker.
 *
 * @before: number of the thread that had the CPU; 0: not known
 */
static __noinline void write_wait_end(const struct jebpf_clock *clock, const struct wait *wait,
				      __u64 now, __u32 before)
{
	struct jebpf_wait_end *end = bpf_ringbuf_reserve(&samples, sizeof(*end), 0);
	__u32 slot = clock->slot;
	struct waker *waker;

	if (!end) {
		count(JEBPF_STAT_WAIT_END_LOST, 1);
		return;
	}
	end->type = JEBPF_RECORD_WAIT_END;
	end->bytes = sizeof(*end);
	end->wait_start_ns = wait->since;
	end->woken_ns = wait->woken;
	end->end_ns = now;
	end->thread_start_ns = clock->thread_start_ns;
	end->tid = clock->tid;
	end->tick_ns = tick_time(wait, now, before);
	end->waker_tid = 0;
	end->waker_slot = 0;
	waker = bpf_map_lookup_elem(&wakers, &slot);
	if (waker && waker->wait == wait->since) {
		end->waker_tid = waker->tid;
		end->waker_slot = waker->slot;
		__builtin_memcpy(end->waker_comm, waker->comm, JEBPF_COMM_BYTES);
	} else {
		__builtin_memset(end->waker_comm, 0, JEBPF_COMM_BYTES);
	}
	bpf_ringbuf_submit(end, BPF_RB_NO_WAKEUP);
}

static __noinline void end_stack(struct jebpf_clock *clock, const struct wait *wait, __u64 now,
				 __u32 before)
{
	__u64 stack_of = clock->stack_of;

	clock->has_stack = 0;
	note_wakers(clock, false);
	if (stack_of == wait->since) /* else it was taken too late: of no wait any more */
		write_wait_end(clock, wait, now, before);
}

/*
 * Rarely (once in some 100,000 times on Linux 6.18) a switch is not traced. When a thread leaves its
 * CPU and is not known to have had one, it got it since it was woken: how it spent the time since
 * then is told by the scheduler's own account of CPU time.
 */
static __noinline void missed_switch_in(struct task_struct *task, struct jebpf_clock *clock,
					__u64 now)
{
	struct wait wait = {.since = clock->since_ns};
	__u32 state = clock->state & JEBPF_STATE_MASK;
	__u32 units = (__u32)(task->se.sum_exec_runtime >> 10) - clock->ran_us;
	__u64 ran = (__u64)units << 10, queued = run_delay(task), in;

	in = ran < now - wait.since ? now - ran : wait.since;
	wait.woken = woken_at(clock, wait.since, state, in, queued - clock->queued_ns);
	clock->queued_ns = queued;
	enter_cpu(clock, in, wait.since, wait.woken, state);
	full_fence();
	if (clock->has_stack)
		end_stack(clock, &wait, in, 0);
	count(JEBPF_STAT_SWITCH_MISSED, 1);
}

/* A thread gets a CPU and is not known to have left one: the reverse. */
static __noinline void missed_switch_out(struct task_struct *task, struct jebpf_clock *clock,
					 __u64 now)
{
	__u32 units = (__u32)(task->se.sum_exec_runtime >> 10) - clock->ran_us;
	__u64 since = clock->since_ns, ran = (__u64)units << 10;
	__u64 out = ran < now - since ? since + ran : now;
	__u64 queued = queued_ever(task, queue_clock(task)) - clock->queued_ns;
	bool slept = has_accounts() ? queued + EARLY_WAKE_NS < now - out : clock->woken_ns > out;

	leave_cpu(task, clock, out, slept ? JEBPF_STATE_BLOCKED : JEBPF_STATE_RUNNABLE);
	count(JEBPF_STAT_SWITCH_MISSED, 1);
}

/* A thread ends: it was named after it was first seen, and its number is free from now on. */
static __noinline void last_look(struct task_struct *task, struct jebpf_clock *clock)
{
	bpf_probe_read_kernel(clock->comm, sizeof(clock->comm), task->comm);
	forget(clock);
}

/* Returns the thread's clock if it waits from now on. */
static __always_inline struct jebpf_clock *switch_out(struct task_struct *task,
						      struct jebpf_clock *clock, __u64 now,
						      __u32 state)
{
	if (unlikely((clock->state & JEBPF_STATE_MASK) != JEBPF_STATE_RUNNING))
		missed_switch_in(task, clock, now);
	if (unlikely(state == JEBPF_STATE_ENDED)) /* before user space can know: it gives the slot away */
		last_look(task, clock);
	leave_cpu(task, clock, now, state);
	return state == JEBPF_STATE_ENDED ? 0 : clock;
}

/* @queue: the run queue's clock */
static __always_inline void switch_in(struct task_struct *task, struct jebpf_clock *clock,
				      __u64 now, __u64 queue, struct wait *wait)
{
	__u64 queued;
	__u32 state;

	if (unlikely((clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING))
		missed_switch_out(task, clock, now);
	queued = queued_ever(task, queue);
	wait->since = clock->since_ns;
	state = clock->state & JEBPF_STATE_MASK;
	wait->woken = woken_at(clock, wait->since, state, now, queued - clock->queued_ns);
	clock->queued_ns = queued;
	enter_cpu(clock, now, wait->since, wait->woken, state);
}

/* The clock of the thread that leaves this CPU: as a rule that which got it last. */
static __always_inline struct jebpf_clock *leaving_clock(struct task_struct *task, struct cpu *cpu,
							 __u64 now)
{
	__u32 slot = cpu->slot;

	if (likely(cpu->tid == task->pid))
		return bpf_map_lookup_elem(&clocks, &slot);
	return clock_of(task, now, true);
}

/*
 * What a switch's programs get. Read again rather than kept: of the registers only four are left, and a
 * program with 64 bytes of stack is given one in memory that nothing else touches (Linux 6.13).
 */
#define BEFORE(ctx) ((struct task_struct *)(ctx)[1])
#define NEXT(ctx) ((struct task_struct *)(ctx)[2])
#define read_again(ctx) barrier_var(ctx)

static __always_inline void account_switch(__u64 *ctx, struct cpu *cpu)
{
	struct jebpf_clock *out = 0, *in = 0;
	struct wait wait;
	__u64 now;

	now = switch_time(BEFORE(ctx), cpu);
	if (BEFORE(ctx)->tgid == target.clocks_tgid)
		out = leaving_clock(BEFORE(ctx), cpu, now);
	read_again(ctx);
	if (NEXT(ctx)->tgid == target.clocks_tgid)
		in = clock_of(NEXT(ctx), now, false);
	/* clocks of two CPUs may be some hundreds of nanoseconds apart */
	if (out && unlikely(out->since_ns > now))
		now = out->since_ns;
	if (in && unlikely(in->since_ns > now))
		now = in->since_ns;
	read_again(ctx);
	if (out)
		out = switch_out(BEFORE(ctx), out, now, state_after(ctx[0], ctx[3]));
	read_again(ctx);
	cpu->tid = in ? NEXT(ctx)->pid : 0;
	if (in) {
		cpu->slot = in->slot;
		switch_in(NEXT(ctx), in, now, now - cpu->offset_ns, &wait);
	}
	full_fence();
	read_again(ctx);
	if (out)
		list_thread(BEFORE(ctx), out);
	if (in && unlikely(in->has_stack))
		end_stack(in, &wait, now, BEFORE(ctx)->pid);
}

static __noinline void measure_switch(__u64 *ctx, struct cpu *cpu)
{
	__u64 start = bpf_ktime_get_ns();

	cpu->switches = COST_EVERY - 1;
	account_switch(ctx, cpu);
	count(JEBPF_STAT_SWITCHES, COST_EVERY);
	count(JEBPF_STAT_SWITCH_NS, (bpf_ktime_get_ns() - start) * COST_EVERY);
}

SEC("?tp_btf/sched_switch")
int on_switch(__u64 *ctx)
{
	__u32 tgid = target.clocks_tgid;
	struct cpu *cpu;

	if (!(BEFORE(ctx)->tgid == tgid || NEXT(ctx)->tgid == tgid) || !tgid)
		return 0;
	read_again(ctx);
	cpu = this_cpu();
	if (!cpu)
		return 0;
	if (likely(cpu->switches)) {
		cpu->switches--;
		account_switch(ctx, cpu);
	} else {
		measure_switch(ctx, cpu);
	}
	return 0;
}

/* One reading of both clocks may be 15 us late: as at switches, the least difference counts. */
static __always_inline __u64 clock_offset(void)
{
	struct cpu *cpu = this_cpu();

	return cpu ? cpu->offset_ns : 0;
}

/* Whether nobody has woken the thread yet. */
static __always_inline bool is_sleeper(struct task_struct *task)
{
	return *(volatile unsigned int *)&task->__state &
	       (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_STOPPED | TASK_TRACED);
}

/*
 * Since Linux 6.12 a thread that goes to sleep may stay on its run queue for a while. Moved to another CPU's
 * then, it counts as waiting for a CPU from that moment, by the scheduler's account, though it sleeps on
 * (some 5 of 10,000 threads that went to sleep on 2 busy CPUs). It is about to be woken: what is too
 * much is taken as known.
 */
static __always_inline void forget_queueing(struct task_struct *task, struct jebpf_clock *clock,
					    __u64 now)
{
	__u64 last, offset;

	if (!has_accounts()) /* nor is there what is read here */
		return;
	last = task->sched_info.last_queued;
	if (likely(!last))
		return;
	offset = clock_offset();
	if (offset && last + offset < now)
		clock->queued_ns += now - offset - last;
}

/* True: the wait that is about to end was long, and has a stack. */
static __noinline bool note_waker(const struct jebpf_clock *clock, __u64 now)
{
	struct task_struct *current = bpf_get_current_task_btf();
	struct jebpf_clock *own;
	__u32 slot = clock->slot;
	__u64 since = clock->since_ns;
	struct waker *waker = bpf_map_lookup_elem(&wakers, &slot);

	if (!waker || clock->stack_of != since || now - since < config.waker_ns)
		return false;
	own = current->tgid == target.clocks_tgid ? known_clock(current->pid) : 0;
	waker->tid = current->pid;
	waker->slot = own ? own->slot + 1 : 0;
	bpf_get_current_comm(waker->comm, sizeof(waker->comm));
	waker->wait = since;
	return true;
}

/* A thread is about to be woken that may have a stack; returns its clock if its waker was noted. */
static __noinline struct jebpf_clock *waking(struct task_struct *task, __u64 now)
{
	struct jebpf_clock *clock = known_clock(task->pid);

	if (!clock)
		return 0;
	forget_queueing(task, clock, now);
	clock->woken_ns = now;
	return clock->has_stack && note_waker(clock, now) ? clock : 0;
}

/* Whether the thread's wake-up is of interest. Of most it is not: no more than its place is looked at. */
static __always_inline bool is_watched(struct task_struct *task)
{
	__u32 tgid = target.clocks_tgid, tid;
	__u64 *place;

	if (task->tgid != tgid || !tgid)
		return false;
	tid = task->pid;
	place = place_of(tid);
	if (!place)
		return false;
	return !has_accounts() || (*place & PLACE_STACK && *place >> 32 == tid) ||
	       (*place & PLACE_CROWDED && *place >> 32 != tid);
}

SEC("?tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	if (unlikely(is_watched(task)))
		waking(task, bpf_ktime_get_ns());
	return 0;
}

#endif
