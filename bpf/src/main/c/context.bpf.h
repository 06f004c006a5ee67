/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The context of the sampled thread: which trace and span it works for, and the application's
 * labels. It belongs to the Java thread, platform or virtual, that is current; so it is looked up
 * by that thread's id, and needs no notice when a virtual thread is mounted.
 */
#ifndef JEBPF_CONTEXT_BPF_H
#define JEBPF_CONTEXT_BPF_H

#define CONTEXT_HEAD_BYTES __builtin_offsetof(struct jebpf_context, attributes)
#define TEXT_CONTEXT_HEAD_BYTES __builtin_offsetof(struct jebpf_text_context, attributes)

/*
 * Thread.threadId() of the current Java thread, 0 when that is not known. Threads of the JVM that
 * are no Java threads have other things at these offsets: a Java thread's object leads back to it.
 * To yield and to be scheduled a virtual thread runs as its carrier; its frames are on the stack.
 */
static __always_inline __u64 current_java_thread(struct walk *w)
{
	__u64 thread = current_thread(w), own, current, mounted;

	if (!thread || config.thread_object == JEBPF_ABSENT ||
	    config.java_thread_tid == JEBPF_ABSENT || config.java_thread_eetop == JEBPF_ABSENT)
		return 0;
	own = object_of(read_pointer(w, read_pointer(w, thread + config.thread_object)));
	if (!own || read_pointer(w, own + config.java_thread_eetop) != thread)
		return 0;
	current = own;
	if (config.thread_vthread != JEBPF_ABSENT)
		current = object_of(read_pointer(w, read_pointer(w, thread + config.thread_vthread)));
	if (current == own && w->mounted) {
		mounted = virtual_of(w, read_pointer(w, w->mounted + CONT_ENTRY_CONTINUATION));
		if (mounted)
			current = mounted;
	}
	return current ? read_pointer(w, current + config.java_thread_tid) : 0;
}

/* The record in use of a thread, 0 when it has no context. */
static __always_inline __u64 context_of(__u64 id)
{
	__u64 group = id & (JEBPF_CONTEXT_GROUPS - 1);
	__u64 owners[JEBPF_CONTEXT_WAYS];

	if (!id || read_user(&owners, sizeof(owners), config.context_table + group * sizeof(owners)))
		return 0;
	for (int way = 0; way < JEBPF_CONTEXT_WAYS; way++) {
		if (owners[way] >> 1 == id)
			return config.context_table + JEBPF_CONTEXT_OWNERS_BYTES +
			       ((way * JEBPF_CONTEXT_GROUPS + group) * 2 + (owners[way] & 1)) *
				       JEBPF_CONTEXT_BYTES;
	}
	return 0;
}

/* Puts the context behind the frames of the record; returns its bytes, 0 when there is none. */
__noinline int take_context(struct walk *w)
{
	struct jebpf_context *context;
	__u64 from;
	__u32 at, bytes;

	if (!w || !config.context_table)
		return 0;
	from = context_of(current_java_thread(w));
	if (!from)
		return 0;
	at = sizeof(struct jebpf_sample) + w->kernel_bytes + w->frames * sizeof(struct jebpf_frame);
	barrier_var(at);
	if (at > RECORD_BYTES - JEBPF_CONTEXT_BYTES)
		return 0;
	context = (void *)&w->record[at];
	if (read_user(context, sizeof(*context), from)) {
		count(JEBPF_STAT_CONTEXT_FAULT, 1);
		return 0;
	}
	if (context->valid != 1)
		return 0;
	bytes = context->trace_flags & JEBPF_CONTEXT_TEXT_IDS ? TEXT_CONTEXT_HEAD_BYTES :
								 CONTEXT_HEAD_BYTES;
	bytes += context->attributes_bytes;
	if (bytes > JEBPF_CONTEXT_BYTES)
		return 0;
	return (bytes + 7) & ~7; /* records stay multiples of 8 bytes */
}

#endif
