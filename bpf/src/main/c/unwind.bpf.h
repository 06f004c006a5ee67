/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The walk: one loop, one frame a round, from the interrupted instruction to the thread's first
 * frame. A walk that cannot get there ends with a marker frame that says why.
 */
#ifndef JEBPF_UNWIND_BPF_H
#define JEBPF_UNWIND_BPF_H

#define CALL_WRAPPER_WORDS 256	  /* in which JavaCalls' frames lie; about 120 in JDK 17 and 25 */
#define ANCHOR_REACH (64ULL << 20) /* stacks are smaller */

/*
 * Whether a Java frame that has called native code may be where an anchor says. The call stub keeps the method
 * that it calls and where that begins, the interpreter's entry or an adapter, next to each other, like an
 * anchor's words, and below them registers of C++, one of which may be the thread.
 */
static __always_inline bool is_anchored(struct walk *w, __u64 pc, __u64 sp, __u64 fp)
{
	if (!RULE(ENTRY_IS_NO_ANCHOR))
		return in_code_cache(pc);
	if (in_interpreter(pc))
		return fp > sp;
	return in_code_cache(pc) && !find_code(w, pc) && w->found.frame_bytes > 0;
}

/* Whether a JavaCallWrapper begins with the word at `wrapper`, that of a Java frame further on. */
__noinline int holds_anchor(struct walk *w, __u64 wrapper)
{
	__u64 anchor, sp, pc;

	if (!w || read_word(w, wrapper) || w->value != w->thread)
		return 0;
	anchor = wrapper + config.wrapper_anchor;
	if (called_word(w, anchor))
		return 0;
	sp = w->value;
	if (sp <= w->sp || sp - w->sp > ANCHOR_REACH || (sp & 7) ||
	    called_word(w, anchor + (__u16)(config.thread_anchor_pc - config.thread_anchor_sp)))
		return 0;
	/* whose caller native code is, says its pc; 0 would be an interpreted frame's that calls C++ */
	pc = w->value;
	if (called_word(w, anchor + (__u16)(config.thread_anchor_fp - config.thread_anchor_sp)))
		return 0;
	return is_anchored(w, pc, sp, w->value);
}

/*
 * While C++ calls Java the anchor of the Java frame below is in neither place: JavaCalls has moved it into
 * a JavaCallWrapper among its own frames, and the call stub that would lead there is not entered yet, or
 * left already. The wrapper begins with the thread's address. It is the first from the walk's begin
 * on: further on there are remains of older ones. 0: there is none.
 */
__noinline __u64 moved_anchor(struct walk *w)
{
	__u64 wrapper;

	if (!w || !RULE(MOVED_ANCHOR) || !w->thread || config.wrapper_anchor == JEBPF_ABSENT)
		return 0;
	wrapper = w->sp - 8 * CALL_WRAPPER_WORDS;
	if (wrapper < w->first_sp)
		wrapper = (w->first_sp + 7) & ~7ULL;
	for (int i = 0; i < CALL_WRAPPER_WORDS && wrapper < w->sp; i++, wrapper += 8) {
		if (holds_anchor(w, wrapper))
			return wrapper + config.wrapper_anchor;
	}
	return 0;
}

/*
 * No rule leads on from a native frame (code without .eh_frame, unknown mapping). A Java thread in
 * native code has left the place of its last Java frame in its anchor: go on there. Anchors of
 * older Java frames are kept below the call stub that came after them.
 */
__noinline int unwind_by_anchor(struct walk *w)
{
	__u64 thread, anchor, sp, pc, fp;

	if (!w || !RULE(ANCHOR) || config.thread_anchor_sp == JEBPF_ABSENT)
		return 1;
	thread = current_thread(w);
	if (w->entry_fp && config.wrapper_anchor != JEBPF_ABSENT) {
		anchor = read_pointer(w, w->entry_fp + ENTRY_WRAPPER);
		if (anchor)
			anchor += config.wrapper_anchor;
	} else {
		/* in Java code it is 0: what is there is true, whatever the thread's state says */
		anchor = thread ? thread + config.thread_anchor_sp : 0;
	}
	sp = anchor ? read_pointer(w, anchor) : 0;
	if (!sp || sp <= w->sp) {
		anchor = moved_anchor(w);
		sp = anchor ? read_pointer(w, anchor) : 0;
	}
	if (!sp || sp <= w->sp)
		return 1;
	pc = read_pointer(w, anchor + (__u16)(config.thread_anchor_pc - config.thread_anchor_sp));
	fp = read_pointer(w, anchor + (__u16)(config.thread_anchor_fp - config.thread_anchor_sp));
	if (!pc)
		pc = read_pointer(w, sp - 8);
	if (!in_code_cache(pc))
		return 1;
	push_gap(w, JEBPF_GAP_NATIVE, w->pc);
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
	if (w->end == JEBPF_END_NO_RULE && !unwind_system_call(w))
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

	if (!sp || !RULE(SECOND_TRY) || (w->end != JEBPF_END_NO_BLOB && w->end != JEBPF_END_NO_MAPPING))
		return 1;
	w->second_try = 0;
	return unwind_pushed_words(w, sp);
}

/*
 * One frame by what the cache knows: compiled code and files, called (not interrupted), by their plain
 * rule. Most frames are of this kind; nothing is copied or called here. Not 0: it takes more.
 */
static __always_inline int step_known(struct walk *w)
{
	__u64 pc = w->pc, sp = w->sp, fp = w->fp, cfa, ra;
	const struct code *slot = cached(w, pc);

	if (!slot || w->exact || w->chunk)
		return 1;
	if (slot->kind == CODE_NMETHOD) {
		if (slot->flags & (CODE_FLAG_OUT_OF_LINE | CODE_FLAG_DEOPTED) ||
		    w->callee == JEBPF_FRAME_NATIVE || w->callee == JEBPF_FRAME_STUB || !(slot->walk == w->number || in_epoch(w, slot)))
			return 1;
		cfa = sp + slot->frame_bytes;
		if (cfa <= sp || read_word(w, cfa - 16))
			return 1;
		fp = w->value;
		if (read_word(w, cfa - 8))
			return 1;
		ra = w->value;
		push_frame(w, JEBPF_FRAME_COMPILED, 0, slot->blob,
			   (__u64)slot->compile_id << 32 | slot->pc_offset);
		w->second_try = cfa;
	} else if (slot->kind == CODE_MODULE) {
		if (slot->generation != w->generation || slot->rule.rbp > JEBPF_RBP_CFA)
			return 1;
		if (slot->rule.cfa == JEBPF_CFA_RSP)
			cfa = sp + slot->rule.cfa_offset;
		else if (slot->rule.cfa == JEBPF_CFA_RBP)
			cfa = fp + slot->rule.cfa_offset;
		else
			return 1;
		if (cfa <= sp)
			return 1;
		if (slot->rule.rbp == JEBPF_RBP_CFA) {
			if (read_word(w, cfa + slot->rule.rbp_offset))
				return 1;
			fp = w->value;
		}
		if (read_word(w, cfa + slot->rule.ra_offset))
			return 1;
		ra = w->value;
		push_frame(w, JEBPF_FRAME_NATIVE, 0, pc, slot->module);
		w->second_try = 0;
	} else {
		return 1;
	}
	w->pc = ra;
	w->sp = cfa;
	w->fp = fp;
	return 0;
}

static long step(__u32 index, void *context)
{
	struct walk *w = *(struct walk **)context;
	int ended;

	if (index == JEBPF_WALK_MAX - 1)
		return MARK(w, JEBPF_END_DEPTH);
	if (!step_known(w))
		return 0;
	w->fault = 0;
	ended = in_code_cache(w->pc) ? unwind_java(w) : step_module(w);
	if (ended == IS_BLOB)
		ended = w->exact ? unwind_exact_blob(w) :
			w->self.kind == CODE_DEOPT && w->self.frame_bytes > 0 ? unwind_deoptimisation(w) :
										unwind_stub(w);
	/* it could have gone another way, had it seen what it asked for */
	if (w->fault)
		ended = MARK(w, JEBPF_END_READ_FAULT);
	if (w->chunk)
		return step_frozen(w, ended);
	if (ended)
		return second_try(w) != 0;
	if (w->sp != w->second_try)
		w->second_try = 0;
	return 0;
}

/* What the walk ended for: its address tells generated code from a file's. Later reads leave it. */
static __always_inline void tell_unread(struct walk *w)
{
	__u64 what = w->unread >> JEBPF_UNREAD_SHIFT, address = w->unread & ADDRESS_MASK;

	if (w->end != JEBPF_END_READ_FAULT)
		return;
	w->fault = 1;
	if (what != JEBPF_UNREAD_STACK && in_code_cache(address))
		w->unread = (__u64)JEBPF_UNREAD_CODE_CACHE << JEBPF_UNREAD_SHIFT | address;
}

static __always_inline void begin_walk(struct walk *w)
{
	w->frames = 0;
	w->entry_fp = 0;
	w->native_caller = 0;
	w->mounted = 0;
	w->chunk = 0;
	w->chunk_top = 0;
	w->window_base = 0;
	w->second_try = 0;
	w->gaps = 0;
	w->unread = 0;
	w->callee = 0;
	w->first_sp = w->sp;
	w->generation = target.generation;
	w->epoch = config.code_epoch ? read_int(w, config.code_epoch) : 0;
}

static __always_inline void run_walk(struct walk *w)
{
	LOOP(JEBPF_WALK_MAX, step, &w);
	tell_unread(w);
	finish_record(w);
}

/* Walks from the registers in *w. Afterwards w->end is the reason and the frames are in the record. */
static __always_inline void walk_user(struct walk *w)
{
	begin_walk(w);
	run_walk(w);
}

/* Instead of a walk, where there is nothing to walk. */
static __always_inline void walk_nothing(struct walk *w)
{
	w->frames = 0;
	w->mounted = 0;
	w->gaps = 0;
	w->pc = 0;
	w->end = JEBPF_END_NO_USER;
	finish_record(w);
}

/* Counts a walk by its end, by what could not be read, and by the gaps in it. */
static __always_inline void count_walk(struct walk *w, __u32 first_end, __u32 first_unread,
				       __u32 first_gap, __u32 whole)
{
	__u32 what = (w->unread >> JEBPF_UNREAD_SHIFT) - 1;

	count(first_end + (w->end & 15), 1);
	barrier_var(what); /* Linux 6.1 knows its bound by this very register only */
	if (w->end == JEBPF_END_READ_FAULT && what < JEBPF_UNREAD_COUNT)
		count(first_unread + what, 1);
	if (w->end == JEBPF_END_ROOT && !(w->gaps & ~(1 << (JEBPF_GAP_CUT - JEBPF_GAP_NATIVE))))
		count(whole, 1);
	if (!w->gaps)
		return;
	for (__u32 i = 0; i < JEBPF_GAP_COUNT; i++)
		if (w->gaps & 1 << i)
			count(first_gap + i, 1);
}

#endif
