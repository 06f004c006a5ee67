/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The walk: one loop, one frame a round, from the interrupted instruction to the thread's first
 * frame. A walk that cannot get there ends with a marker frame that says why.
 */
#ifndef JEBPF_UNWIND_BPF_H
#define JEBPF_UNWIND_BPF_H

/*
 * No rule leads on from a native frame (code without .eh_frame, unknown mapping). A Java thread in
 * native code has left the place of its last Java frame in its anchor: go on there, once.
 */
__noinline int unwind_by_anchor(struct walk *w)
{
	__u64 thread, sp, pc, fp;
	__u32 reason;

	if (!w)
		return 1;
	reason = w->end;
	thread = current_thread(w);
	if (w->anchored || !thread || config.thread_anchor_sp == JEBPF_ABSENT ||
	    read_int(thread + config.thread_state) == config.state_in_java)
		return 1;
	sp = read_pointer(thread + config.thread_anchor_sp);
	if (!sp || sp <= w->sp)
		return 1;
	pc = read_pointer(thread + config.thread_anchor_pc);
	fp = read_pointer(thread + config.thread_anchor_fp);
	if (!pc)
		pc = read_pointer(sp - 8);
	if (!in_code_cache(pc))
		return 1;
	push_frame(w, JEBPF_FRAME_MARKER, 0, reason, w->pc);
	w->anchored = 1;
	return to_caller(w, pc, sp, fp);
}

static __always_inline int step_module(struct walk *w)
{
	find_module(w);
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

static long step(__u32 index, void *context)
{
	struct walk *w = *(struct walk **)context;

	if (w->frames >= config.depth_max)
		return MARK(w, JEBPF_END_DEPTH);
	if (in_code_cache(w->pc))
		return unwind_java(w) != 0;
	return step_module(w) != 0;
}

/* Walks from the registers in *w. Afterwards w->end is the reason and the frames are in the record. */
static __always_inline void walk_user(struct walk *w)
{
	w->frames = 0;
	w->anchored = 0;
	w->window_base = 0;
	w->end = JEBPF_END_DEPTH;
	w->generation = target.generation;
	LOOP(JEBPF_FRAMES_MAX, step, &w);
	if (w->end != JEBPF_END_ROOT)
		push_frame(w, JEBPF_FRAME_MARKER, 0, w->end, w->pc);
}

#endif
