/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The clocks of the target's threads, and how a thread's is found by its number. What a switch costs is
 * the cache lines that it touches, hence: one array, by the end of the number, has all that is
 * needed to know a thread and that its wake-up is of interest. (Local storage of a task costs thrice that.)
 */
#ifndef JEBPF_THREADS_BPF_H
#define JEBPF_THREADS_BPF_H

#define MOVED_MASK (JEBPF_MOVED_MAX - 1)
/* A power of two: how far apart two living threads' numbers hardly ever are. Tests have fewer. */
#ifndef PLACES
#define PLACES 65536
#endif

/* Mapped to be read by user space, once a window; to be mapped, its first value begins a page. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, struct jebpf_clock);
} clocks SEC(".maps");

/*
 * By the end of threads' numbers: the number of the thread whose place it is (upper half), flags, and
 * its slot + 1; slot 0: nobody's.
 */
#define PLACE_SLOT 0xffff
#define PLACE_STACK 0x10000 /* the thread's stack was taken: who wakes it is to be noted */
#define PLACE_CROWDED 0x20000 /* there are, or were, others of this place: those are in `displaced` */
_Static_assert(JEBPF_CLOCKS_MAX < PLACE_SLOT, "a slot has its bits");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PLACES);
	__type(key, __u32);
	__type(value, __u64);
} places SEC(".maps");

/* Slots, plus 1, of threads whose place was taken by one that still lives. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, JEBPF_CLOCKS_MAX);
	__type(key, __u32);
	__type(value, __u32);
} displaced SEC(".maps");

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

/*
 * Rung by the first thread that leaves its CPU while the ticker sleeps: a record of 8 bytes, the time. One
 * page, which takes far more than there can be at a time.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} bell SEC(".maps");

struct jebpf_list list SEC(".data.list") = {.unseen = 1};

/*
 * Whether the scheduler's accounts can be read: how long each thread waited for a CPU. Else the time
 * of each wake-up has to be written down, whoever is woken.
 */
static __always_inline bool has_accounts(void)
{
#ifdef WITHOUT_ACCOUNTS
	return false;
#else
	return bpf_core_field_exists(struct sched_info, last_queued) &&
	       bpf_core_field_exists(struct sched_entity, cfs_rq) &&
	       bpf_core_field_exists(struct cfs_rq, rq);
#endif
}

static __always_inline __u64 run_delay(struct task_struct *task)
{
	return has_accounts() ? task->sched_info.run_delay : 0;
}

/* The run queue's clock of the CPU that the thread is on, or is about to leave. */
static __always_inline __u64 queue_clock(struct task_struct *task)
{
	return task->se.cfs_rq->rq->clock;
}

static __always_inline __u32 new_slot(void)
{
	__u32 slot;

	if (!bpf_map_pop_elem(&free_clocks, &slot))
		return slot;
	slot = __sync_fetch_and_add(&list.clocks_used, 1);
	return slot;
}

/* Whether the clock is this thread's, and not that of one which had the same number. */
static __always_inline bool is_of(const struct jebpf_clock *clock, const struct task_struct *task)
{
	return clock->kernel_tid == task->pid && clock->thread_start_ns == task->start_boottime;
}

static __always_inline struct jebpf_clock *in_slot(__u32 slot_plus_1)
{
	__u32 slot = slot_plus_1 - 1;

	return bpf_map_lookup_elem(&clocks, &slot);
}

static __always_inline __u64 *place_of(__u32 tid)
{
	__u32 place = tid & (PLACES - 1);

	return bpf_map_lookup_elem(&places, &place);
}

static __noinline struct jebpf_clock *displaced_clock(__u32 tid)
{
	__u32 *slot = bpf_map_lookup_elem(&displaced, &tid);

	return slot ? in_slot(*slot) : 0;
}

/* The clock of the thread with this number, 0 if it was not seen yet. */
static __always_inline struct jebpf_clock *known_clock(__u32 tid)
{
	__u64 *place = place_of(tid), found = place ? *place : 0;

	if (likely(found >> 32 == tid))
		return in_slot(found & PLACE_SLOT);
	return found & PLACE_CROWDED ? displaced_clock(tid) : 0;
}

/* Makes a filled slot known; false: another CPU was faster, or there is no room. */
static __always_inline bool find_place(const struct jebpf_clock *clock)
{
	__u32 tid = clock->kernel_tid, value = clock->slot + 1;
	__u64 *place = place_of(tid), before, after;

	if (!place)
		return false;
	before = *place;
	if (before & PLACE_SLOT && before >> 32 != tid) { /* it is another's */
		__sync_fetch_and_or(place, PLACE_CROWDED);
		return !bpf_map_update_elem(&displaced, &tid, &value, BPF_NOEXIST);
	}
	after = (__u64)tid << 32 | (before & PLACE_CROWDED) | value;
	return __sync_val_compare_and_swap(place, before, after) == before;
}

/* Whether who wakes the thread is to be noted. One without a place of its own is looked at each time. */
static __always_inline void note_wakers(const struct jebpf_clock *clock, bool on)
{
	__u64 *place = place_of(clock->kernel_tid);

	if (!place || *place >> 32 != clock->kernel_tid)
		return;
	if (on)
		__sync_fetch_and_or(place, PLACE_STACK);
	else
		__sync_fetch_and_and(place, ~(__u64)PLACE_STACK);
}

/* Its number is somebody else's from now on. */
static __always_inline void forget(const struct jebpf_clock *clock)
{
	__u32 tid = clock->kernel_tid;
	__u64 *place = place_of(tid);

	if (place && *place >> 32 == tid)
		__sync_fetch_and_and(place, PLACE_CROWDED);
	else
		bpf_map_delete_elem(&displaced, &tid);
}

/* A new thread has waited for a CPU since its start; of an older one the first event tells. */
static __always_inline void begin_clock(struct jebpf_clock *clock, struct task_struct *task,
					__u64 now, bool runs)
{
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
	clock->queued_ns = run_delay(task);
	clock->ran_us = task->se.sum_exec_runtime >> 10;
}

/*
 * For a thread that is seen for the first time. From then on its clock runs: from the thread's start,
 * or from the start of the measurement if it is older.
 */
static __noinline struct jebpf_clock *new_clock(struct task_struct *task, __u64 now, bool runs)
{
	struct jebpf_clock *clock;
	__u32 slot = new_slot();

	clock = bpf_map_lookup_elem(&clocks, &slot);
	if (!clock) {
		count(JEBPF_STAT_CLOCKS_FULL, 1);
		return 0;
	}
	__builtin_memset(clock, 0, sizeof(*clock));
	clock->slot = slot;
	clock->thread_start_ns = task->start_boottime;
	clock->kernel_tid = task->pid;
	begin_clock(clock, task, now, runs);
	if (!find_place(clock)) {
		clock->state = JEBPF_STATE_ENDED;
		bpf_map_push_elem(&free_clocks, &slot, 0);
		return known_clock(task->pid);
	}
	bpf_probe_read_kernel(clock->comm, sizeof(clock->comm), task->comm);
	clock->tid = own_tid(task); /* from here on user space looks at it */
	return clock;
}

static __always_inline struct jebpf_clock *clock_of(struct task_struct *task, __u64 now, bool runs)
{
	struct jebpf_clock *clock = known_clock(task->pid);

	return likely(clock) ? clock : new_clock(task, now, runs);
}

#endif
