/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Parks of virtual threads: the thread itself, when it goes on, runs on_park through the native
 * helper (jebpf_parks.c). Its stack is then the one that it parked with, below the helper's frames.
 *
 * One that the JVM has unmounted (at a monitor, in Object.wait) runs no Java code of ours when it goes
 * on. There its carrier runs on_park just before it mounts it: all its frames are in the heap yet.
 */
#ifndef JEBPF_PARKS_BPF_H
#define JEBPF_PARKS_BPF_H

#define PARK_WALKS 4 /* stacks walked at one time; more are counted as lost */

struct park_walk {
	__u32 busy;
	__u32 pad;
	struct walk walk;
	struct jebpf_park room; /* behind the longest record */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PARK_WALKS);
	__type(key, __u32);
	__type(value, struct park_walk);
} park_walks SEC(".maps");

/* A walk for this thread alone: it may lose its CPU in the middle. */
static __always_inline struct park_walk *claim_walk(void)
{
	for (__u32 i = 0; i < PARK_WALKS; i++) {
		__u32 key = i;
		struct park_walk *slot = bpf_map_lookup_elem(&park_walks, &key);

		if (slot && !__sync_val_compare_and_swap(&slot->busy, 0, 1))
			return slot;
	}
	return 0;
}

static __always_inline bool write_park(struct walk *w, const struct jebpf_park *park)
{
	struct jebpf_sample *sample = (void *)w->record;
	__u32 bytes = sizeof(*sample) + w->frames * sizeof(struct jebpf_frame);
	struct jebpf_park *behind;

	bytes += sample->context_bytes;
	barrier_var(bytes);
	if (bytes > RECORD_BYTES - sizeof(*park)) /* JEBPF_FRAMES_MAX frames and no kernel's: it fits */
		return false;
	behind = (void *)&w->record[bytes];
	__builtin_memcpy(behind, park, sizeof(*park));
	bytes += sizeof(*park);
	sample->bytes = bytes;
	return !bpf_ringbuf_output(&samples, w->record, bytes, wake_flags(w));
}

/*
 * Points the walk at the frames of the virtual thread that this carrier is about to mount. It has just
 * loaded these references; where a collector began to move objects since, they lead nowhere.
 */
static __always_inline bool stand_before_mount(struct walk *w)
{
	__u64 thread = current_thread(w), object, continuation;

	if (!thread || !can_read_chunks() || config.thread_vthread == JEBPF_ABSENT ||
	    config.virtual_continuation == JEBPF_ABSENT)
		return false;
	object = current_virtual(w, thread);
	continuation = object ? fresh_object_in(w, object + config.virtual_continuation) : 0;
	w->exact = 0;
	return continuation && enter_chunk(w, fresh_object_in(w, continuation + config.cont_tail));
}

/* Where the record's thread stands. False: it has no frames that could be read. */
static __always_inline bool walk_parked(struct walk *w, struct task_struct *task,
					enum jebpf_park_kind kind)
{
	w->number++;
	w->thread = 0;
	w->fs_base = thread_pointer(task);
	if (!user_registers(w, task))
		return false;
	begin_walk(w);
	if (kind != JEBPF_PARK_YIELD && !stand_before_mount(w))
		return false;
	run_walk(w);
	return true;
}

/* False: it could not be written. */
static __always_inline bool take_park(struct walk *w, const struct jebpf_park *park, __u64 now)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct jebpf_sample *sample = (void *)w->record;

	sample->type = JEBPF_RECORD_PARK;
	sample->time_ns = now;
	sample->weight_ns = 0;
	sample->wait_start_ns = park->start_ns;
	sample->state = JEBPF_STATE_BLOCKED;
	sample->thread_start_ns = task->start_boottime;
	sample->tid = own_tid(task);
	sample->cpu = bpf_get_smp_processor_id();
	bpf_get_current_comm(sample->comm, sizeof(sample->comm));
	w->kernel_bytes = 0;
	if (!walk_parked(w, task, park->kind))
		return false;
	if (park->kind != JEBPF_PARK_YIELD)
		w->mounted = 1; /* the thread's, as good as mounted, is the one that was walked */
	sample->kernel_frames = 0;
	sample->user_frames = w->frames;
	sample->end = w->end;
	find_virtual_thread(w);
	sample->context_bytes = take_context(w);
	sample->java_thread = w->thread;
	sample->walk_ns = bpf_ktime_get_ns() - now;
	return write_park(w, park);
}

SEC("?syscall")
int on_park(struct jebpf_park *context)
{
	__u64 now = bpf_ktime_get_ns(), spent;
	struct jebpf_park park = *context;
	struct park_walk *slot;
	bool written = false;

	if (bpf_get_current_pid_tgid() >> 32 != target.clocks_tgid)
		return 1;
	slot = claim_walk();
	if (slot) {
		written = take_park(&slot->walk, &park, now);
		__sync_fetch_and_and(&slot->busy, 0);
	}
	if (!written)
		count(JEBPF_STAT_PARK_LOST, 1);
	spent = bpf_ktime_get_ns() - now;
	count(JEBPF_STAT_PARK_NS, spent);
	count(JEBPF_STAT_PROGRAM_NS, spent);
	return !written;
}

#endif
