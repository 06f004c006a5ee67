/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The walk: one loop, one frame a round, from the interrupted instruction to the thread's first
 * frame. A walk that cannot get there ends with a marker frame that says why.
 */
#ifndef JEBPF_UNWIND_BPF_H
#define JEBPF_UNWIND_BPF_H

/*
 * No rule leads on from a native frame (code without .eh_frame, unknown mapping). A Java thread in
 * native code has left the place of its last Java frame in its anchor: go on there. Anchors of
 * older Java frames are kept below the call stub that came after them.
 */
__noinline int unwind_by_anchor(struct walk *w)
{
	__u64 anchor, sp, pc, fp;

	if (!w || config.thread_anchor_sp == JEBPF_ABSENT)
		return 1;
	if (w->entry_fp && config.wrapper_anchor != JEBPF_ABSENT) {
		anchor = read_pointer(w->entry_fp + ENTRY_WRAPPER);
		if (anchor)
			anchor += config.wrapper_anchor;
	} else {
		anchor = current_thread(w);
		if (anchor && read_int(anchor + config.thread_state) == config.state_in_java)
			return 1;
		if (anchor)
			anchor += config.thread_anchor_sp;
	}
	sp = anchor ? read_pointer(anchor) : 0;
	if (!sp || sp <= w->sp)
		return 1;
	pc = read_pointer(anchor + (__u16)(config.thread_anchor_pc - config.thread_anchor_sp));
	fp = read_pointer(anchor + (__u16)(config.thread_anchor_fp - config.thread_anchor_sp));
	if (!pc)
		pc = read_pointer(sp - 8);
	if (!in_code_cache(pc))
		return 1;
	push_frame(w, JEBPF_FRAME_MARKER, 0, JEBPF_GAP_NATIVE, w->pc);
	return to_caller(w, pc, sp, fp);
}

static __always_inline int step_module(struct walk *w)
{
	find_module(w);
	if (w->found.kind == CODE_NONE && w->second_try)
		return MARK(w, JEBPF_END_NO_MAPPING);
	push_frame(w, JEBPF_FRAME_NATIVE, w->exact ? JEBPF_FRAME_EXACT : 0, w->pc, w->found.module);
	if (w->found.kind == CODE_NONE) {
		w->end = JEBPF_END_NO_MAPPING;
		return unwind_by_anchor(w);
	}
	if (!unwind_module(w))
		return 0;
	if (w->end != JEBPF_END_NO_RULE && w->end != JEBPF_END_READ_FAULT &&
	    w->end != JEBPF_END_NO_PROGRESS)
		return 1;
	if (w->found.mapping_flags & JEBPF_MAPPING_FRAME_POINTERS && w->end == JEBPF_END_NO_RULE &&
	    w->fp > w->sp)
		return unwind_by_fp(w);
	return unwind_by_anchor(w);
}

/* The caller of a compiled frame is no code: looks for the return address above pushed words. */
static __always_inline int second_try(struct walk *w)
{
	__u64 sp = w->second_try;

	if (!sp || (w->end != JEBPF_END_NO_BLOB && w->end != JEBPF_END_NO_MAPPING))
		return 1;
	w->second_try = 0;
	return unwind_pushed_words(w, sp);
}

static long step(__u32 index, void *context)
{
	struct walk *w = *(struct walk **)context;
	__u32 frames = w->frames;
	int ended;

	if (frames >= config.depth_max)
		return MARK(w, JEBPF_END_DEPTH);
	ended = in_code_cache(w->pc) ? unwind_java(w) : step_module(w);
	if (ended == IS_BLOB)
		ended = w->exact ? unwind_exact_blob(w) : unwind_stub(w);
	if (w->chunk)
		return step_frozen(w, ended);
	if (ended)
		return second_try(w) != 0;
	if (w->sp != w->second_try)
		w->second_try = 0;
	return 0;
}

/* Walks from the registers in *w. Afterwards w->end is the reason and the frames are in the record. */
static __always_inline void walk_user(struct walk *w)
{
	w->frames = 0;
	w->entry_fp = 0;
	w->mounted = 0;
	w->chunk = 0;
	w->window_base = 0;
	w->second_try = 0;
	w->end = JEBPF_END_DEPTH;
	w->generation = target.generation;
	LOOP(JEBPF_FRAMES_MAX, step, &w);
	if (w->end != JEBPF_END_ROOT)
		push_frame(w, JEBPF_FRAME_MARKER, 0, w->end, w->pc);
}

#endif
