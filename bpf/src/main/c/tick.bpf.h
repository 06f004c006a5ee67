/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The ticker's program: takes the stack of each thread that left its CPU since the last tick and is
 * still away. Run by a thread of the target process, so that every stack of it is in the address
 * space and can be read.
 */
#ifndef JEBPF_TICK_BPF_H
#define JEBPF_TICK_BPF_H

#define TICK_THREADS_MAX 4096 /* looked at in one run; user space runs again while there are more */

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

/* The ticker's walk. There is one ticker. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct walk);
} tick_walk SEC(".maps");

static __always_inline void take_wait(struct walk *w, struct task_struct *task,
				      struct thread *thread, struct jebpf_clock *clock)
{
	struct jebpf_sample *sample = (void *)w->record;
	__u64 start = clock->since_ns;
	__u64 now = bpf_ktime_get_ns();
	long bytes;

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
	bytes = bpf_get_task_stack(task, &w->record[sizeof(*sample)],
				   JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64), 0);
	w->kernel_bytes = bytes > 0 ? bytes : 0;
	w->number++;
	w->thread = 0;
	w->fs_base = thread_pointer(task);
	if (user_registers(w, task)) {
		walk_user(w);
	} else {
		w->frames = 0;
		w->end = JEBPF_END_NO_USER;
		push_frame(w, JEBPF_FRAME_MARKER, 0, w->end, 0);
	}
	/* it ran meanwhile: what was read may be of two moments */
	if (clock->since_ns != start || (clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING) {
		count(JEBPF_STAT_WAIT_MOVED, 1);
		return;
	}
	sample->kernel_frames = w->kernel_bytes / sizeof(__u64);
	sample->user_frames = w->frames;
	sample->end = w->end;
	sample->java_thread = w->thread;
	sample->walk_ns = bpf_ktime_get_ns() - now;
	if (!write_sample(w)) {
		count(JEBPF_STAT_RING_FULL, 1);
		return;
	}
	thread->stack_of = start;
	count(JEBPF_STAT_WAITS, 1);
	count(JEBPF_STAT_WAIT_END_FIRST + (w->end & 15), 1);
}

static __always_inline void look_at(struct walk *w, struct task_struct *task, __u64 now)
{
	struct thread *thread = thread_of(task, now, false);
	struct jebpf_clock *clock;

	if (!thread)
		return;
	thread->listed = 0;
	clock = clock_of(thread);
	if (!clock || (clock->state & JEBPF_STATE_MASK) == JEBPF_STATE_RUNNING ||
	    thread->stack_of == clock->since_ns)
		return;
	take_wait(w, task, thread, clock);
}

static long next_thread(__u32 index, void *context)
{
	__u32 zero = 0, key = list.moved_tail & MOVED_MASK, tid;
	struct walk *w = bpf_map_lookup_elem(&tick_walk, &zero);
	struct task_struct *task;
	__u32 *entry;

	if (!w || list.moved_tail == list.moved_head)
		return 1;
	entry = bpf_map_lookup_elem(&moved, &key);
	if (!entry || !*entry)
		return 1;
	tid = *entry;
	*entry = 0;
	list.moved_tail++;
	task = bpf_task_from_pid(tid);
	if (!task)
		return 0;
	if (task->tgid == target.clocks_tgid)
		look_at(w, task, bpf_ktime_get_ns());
	bpf_task_release(task);
	return 0;
}

SEC("?syscall") /* loaded only where bpf_task_from_pid exists (Linux 6.2) */
int on_tick(void *context)
{
	__u64 start = bpf_ktime_get_ns();

	if (!target.clocks_tgid)
		return 0;
	LOOP(TICK_THREADS_MAX, next_thread, &start);
	count(JEBPF_STAT_TICKS, 1);
	count(JEBPF_STAT_PROGRAM_NS, bpf_ktime_get_ns() - start);
	return list.moved_tail != list.moved_head;
}

/*
 * Looks at every thread of the process, once, when the clocks start: threads that sleep already
 * would else not be seen before they wake. The list is read, not locked: a thread that ends
 * meanwhile may cut the round short, and the next round goes on.
 */
struct seed {
	struct list_head *node;
	struct list_head *head;
};

static long seed_thread(__u32 index, void *context)
{
	struct seed *seed = context;
	struct task_struct *listed, *task;
	struct list_head *node = seed->node;
	__u32 zero = 0;
	struct walk *w = bpf_map_lookup_elem(&tick_walk, &zero);

	if (!w || !node || node == seed->head)
		return 1;
	listed = (void *)((char *)node - bpf_core_field_offset(struct task_struct, thread_node));
	seed->node = BPF_CORE_READ(node, next);
	task = bpf_task_from_pid(BPF_CORE_READ(listed, pid));
	if (!task)
		return 0;
	if (task->tgid == target.clocks_tgid)
		look_at(w, task, bpf_ktime_get_ns());
	bpf_task_release(task);
	return 0;
}

SEC("?syscall")
int on_seed(void *context)
{
	struct signal_struct *process = BPF_CORE_READ(bpf_get_current_task_btf(), signal);
	struct list_head *head;
	struct seed seed;

	if (!target.clocks_tgid)
		return 0;
	head = (void *)((char *)process + bpf_core_field_offset(struct signal_struct, thread_head));
	seed.head = head;
	seed.node = BPF_CORE_READ(head, next);
	LOOP(JEBPF_CLOCKS_MAX, seed_thread, &seed);
	return 0;
}

#endif
