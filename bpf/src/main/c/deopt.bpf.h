/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Deoptimisation: the JVM replaces a compiled frame by interpreter frames. It first builds a description
 * of them, then takes the compiled frame off the stack, puts empty interpreter frames there (return
 * address, rbp, sender's sp), and fills them one by one. In between nothing true can be read from them;
 * but the description keeps the frame that they replace, and that is what the thread was in.
 */
#ifndef JEBPF_DEOPT_BPF_H
#define JEBPF_DEOPT_BPF_H

#define REPLACED_WORDS 8	   /* of a vframeArray, in which its first `frame` object begins */
#define REPLACED_REACH (1ULL << 20) /* a compiled frame lies that near below the stub that replaces it */
#define REPLACEMENTS_MAX 64	   /* one for each method that was inlined */

/* Whether a `frame` object of compiled code is at an address: its sp, its pc, its CodeBlob. w->found is the code. */
__noinline int holds_frame(struct walk *w, __u64 address)
{
	__u64 blob;

	if (!w || called_word(w, address + 16))
		return 0;
	blob = w->value;
	if (!blob || called_word(w, address) || w->value - w->sp > REPLACED_REACH ||
	    called_word(w, address + 8) || !in_code_cache(w->value))
		return 0;
	return !find_code(w, w->value) && w->found.blob == blob && w->found.kind == CODE_NMETHOD;
}

/* Goes from one of the empty frames, at w->fp, to the one below; false: it is the last. */
__noinline int next_replacement(struct walk *w, __u64 limit)
{
	if (!w || called_word(w, w->fp + 8) || !in_interpreter(w->value) || called_word(w, w->fp) ||
	    w->value <= w->fp || w->value >= limit)
		return 0;
	w->fp = w->value;
	return 1;
}

/* Below the stub that unpacks: the frame that is replaced, then whatever is below its replacements. */
static __always_inline int unwind_replaced(struct walk *w, __u64 array, __u64 fp)
{
	__u64 frame = array, limit, sender, ra;

	for (int i = 0; i < REPLACED_WORDS; i++) {
		frame += 8;
		if (holds_frame(w, frame))
			break;
		w->found.kind = CODE_NONE;
	}
	if (w->found.kind != CODE_NMETHOD)
		return MARK(w, JEBPF_END_DEOPT);
	limit = CALLED_WORD(w, frame) + w->found.frame_bytes;
	if (fp <= w->sp || fp >= limit)
		return MARK(w, JEBPF_END_DEOPT);
	w->self = w->found;
	push_code(w);
	w->fp = fp;
	for (int i = 0; i < REPLACEMENTS_MAX; i++)
		if (!next_replacement(w, limit))
			break;
	sender = CALLED_WORD(w, w->fp + SLOT_SENDER_SP);
	ra = CALLED_WORD(w, w->fp + 8);
	fp = CALLED_WORD(w, w->fp);
	return sender > w->fp ? to_caller(w, ra, sender, fp) : MARK(w, JEBPF_END_DEOPT);
}

/* The stubs of deoptimisation, below C++: until it has returned once, all frames are as they were. */
__noinline int unwind_deoptimisation(struct walk *w)
{
	__u64 sp, fp, ra, array = 0;

	if (!w)
		return 1;
	sp = w->sp + w->self.frame_bytes;
	fp = CALLED_WORD(w, sp - 16);
	ra = CALLED_WORD(w, sp - 8);
	if (config.thread_vframe_array_head != JEBPF_ABSENT && current_thread(w))
		array = read_pointer(w, w->thread + config.thread_vframe_array_head);
	/* at the end the array is given back, and the interpreted frames are whole */
	if (!in_interpreter(ra) && (array || !in_code_cache(ra)) && !called_word(w, sp) &&
	    in_interpreter(w->value)) {
		ra = w->value; /* rsp was aligned */
		fp = CALLED_WORD(w, sp - 8);
	}
	if (array && in_interpreter(ra))
		return RULE(DEOPT_IN_PROGRESS) ? unwind_replaced(w, array, fp) :
						 MARK(w, JEBPF_END_DEOPT);
	return to_caller(w, ra, sp, fp);
}

#endif
