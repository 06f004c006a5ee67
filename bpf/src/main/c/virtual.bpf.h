/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Which virtual thread runs: its id and its name, read when the sample is taken, since later another
 * one may be mounted.
 *
 * As a rule JavaThread::_vthread leads to it. While it is unmounted its frames are still there when
 * that field points to the carrier again; then the way is
 *
 *   ContinuationEntry → Continuation.target → the Runnable that holds the VirtualThread
 *
 * where a field is taken for the VirtualThread only if its own continuation is the one we came from.
 */
#ifndef JEBPF_VIRTUAL_BPF_H
#define JEBPF_VIRTUAL_BPF_H

#define CAPTURED_MAX 2 /* the Runnable's fields: the virtual thread, and the task */

/* The object in JavaThread::_vthread; 0 when that is the thread's own. */
static __always_inline __u64 current_virtual(struct walk *w, __u64 thread)
{
	__u64 current = object_of(read_pointer(w, read_pointer(w, thread + config.thread_vthread)));
	__u64 carrier = object_of(read_pointer(w, read_pointer(w, thread + config.thread_object)));

	return current == carrier ? 0 : current;
}

/* The virtual thread of a continuation, 0 if it cannot be told. */
static __always_inline __u64 virtual_of(struct walk *w, __u64 continuation)
{
	__u64 size = config.oop_kind == JEBPF_OOPS_NARROW ? 4 : 8;
	__u64 runnable, found;

	if (!continuation || config.cont_target == JEBPF_ABSENT ||
	    config.virtual_continuation == JEBPF_ABSENT || config.object_header == JEBPF_ABSENT)
		return 0;
	runnable = object_in(w, continuation + config.cont_target);
	if (!runnable)
		return 0;
	for (int i = 0; i < CAPTURED_MAX; i++) {
		/* references are as aligned as they are wide */
		found = (config.object_header + size - 1) / size * size + i * size;
		found = object_in(w, runnable + found);
		if (found && object_in(w, found + config.virtual_continuation) == continuation)
			return found;
	}
	return 0;
}

/*
 * As object_in(), but 0 for a reference that nobody has loaded since the collector began to move
 * objects: what it points to may be something else by now.
 */
static __always_inline __u64 fresh_object_in(struct walk *w, __u64 address)
{
	if (config.oop_kind == JEBPF_OOPS_COLOURED &&
	    (!config.stale_mask || read_pointer(w, address) & read_pointer(w, config.stale_mask)))
		return 0;
	return object_in(w, address);
}

static __always_inline void virtual_name(struct walk *w, struct jebpf_sample *sample, __u64 object)
{
	__u64 name, value;
	__u32 length;
	__u8 coder = 0;

	if (config.java_thread_name == JEBPF_ABSENT || config.string_value == JEBPF_ABSENT ||
	    config.string_coder == JEBPF_ABSENT || config.array_data == JEBPF_ABSENT)
		return;
	sample->virtual_name_flags = JEBPF_NAME_UNREAD;
	name = fresh_object_in(w, object + config.java_thread_name);
	value = name ? fresh_object_in(w, name + config.string_value) : 0;
	if (!value)
		return;
	sample->virtual_name_flags = 0;
	length = read_int(w, value + config.array_length);
	if (!length || length >> 31 || read_user(&coder, 1, name + config.string_coder))
		return;
	sample->virtual_name_flags = coder ? JEBPF_NAME_UTF16 : 0;
	if (length > JEBPF_VIRTUAL_NAME_BYTES) {
		length = JEBPF_VIRTUAL_NAME_BYTES;
		sample->virtual_name_flags |= JEBPF_NAME_CUT;
	}
	if (!read_user(sample->virtual_name, length, value + config.array_data))
		sample->virtual_name_bytes = length;
}

/*
 * After a walk: the virtual thread whose frames were walked. A walk that was cut short did not come
 * by the ContinuationEntry; then the mounted one is it.
 */
__noinline int find_virtual_thread(struct walk *w)
{
	struct jebpf_sample *sample;
	__u64 thread, object;

	if (!w)
		return 1;
	sample = (void *)w->record;
	sample->virtual_thread = 0;
	sample->virtual_name_bytes = 0;
	sample->virtual_name_flags = 0;
	if (config.thread_vthread == JEBPF_ABSENT || config.java_thread_tid == JEBPF_ABSENT ||
	    !config.oop_kind || (!w->mounted && w->end == JEBPF_END_ROOT))
		return 0;
	thread = current_thread(w);
	if (!thread || !config.cont_return_pc)
		return 0;
	object = current_virtual(w, thread);
	if (!object && w->mounted)
		object = virtual_of(w, read_pointer(w, w->mounted + CONT_ENTRY_CONTINUATION));
	if (!object)
		return 0;
	sample->virtual_thread = read_pointer(w, object + config.java_thread_tid);
	if (sample->virtual_thread)
		virtual_name(w, sample, object);
	return 0;
}

#endif
