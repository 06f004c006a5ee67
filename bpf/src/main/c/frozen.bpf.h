/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Virtual threads. A mounted one runs on its carrier's stack, above a ContinuationEntry; frames that
 * it has not returned to since its last yield lie in StackChunk objects in the heap, laid out as on
 * a stack, but with the links of interpreted frames relative:
 *
 *   stack:  [thawed frames][barrier] … [ContinuationEntry][enterSpecial][carrier's frames]
 *   heap:   Continuation.tail → StackChunk{sp, bottom, pc, parent, words} → parent …
 *
 * Collectors that stop the world cannot move a chunk under a running thread. What a concurrent one
 * leaves is checked frame by frame; where that fails a marker stands for the rest.
 */
#ifndef JEBPF_FROZEN_BPF_H
#define JEBPF_FROZEN_BPF_H

#define CONT_ENTRY_CONTINUATION 16 /* ContinuationEntry::_cont, a plain reference */
#define CONT_ENTRY_FLAGS 32	   /* ContinuationEntry::_flags, not 0: of a virtual thread */
#define NESTED_MAX 8		   /* nested continuations; more than two are not seen in practice */
#define CHUNKS_EMPTY_MAX 4	   /* empty chunks in front of one with frames */
#define BARRIER_SAVED_BYTES 32	   /* the barrier keeps rax and xmm0 while it calls, and aligns rsp */
#define LOCALS_SEARCHED 16	   /* words by which arguments may move an interpreted frame's stack pointer */
#define FRAME_WORDS_MIN 9	   /* of an interpreted frame below its frame pointer */
#define FRAME_WORDS_SEARCHED 64
#define INTERPRETED_WORDS_MAX 4096 /* of an interpreted frame */
#define ALIGNED_FRAMES_MAX 8	   /* frames taken out, each of which may have made room for one word more */
#define THAW_EXTRA_WORDS 4	   /* that it makes room for, beside the chunk's maximal size */
#define CHUNK_WORDS_MAX (1 << 24)
#define TAKEN_WORDS_MAX 128 /* of a frame that is searched for in a chunk */
#define FINISHING_FRAMES 3  /* youngest frames among which the function that finishes a thaw is */
#define MOVES_BYTES 32	    /* of its code in front of, and with, the second place that moves the pointer */
#define COLOUR_SHIFT 12

/* The object behind a stored reference of pointer width. */
static __always_inline __u64 object_of(__u64 reference)
{
	__u64 colour = reference >> COLOUR_SHIFT & 15;

	if (config.oop_kind != JEBPF_OOPS_COLOURED)
		return reference;
	return reference >> (colour & 1 ? 13 : colour & 2 ? 14 : colour & 4 ? 15 : 16);
}

static __always_inline __u64 object_in(struct walk *w, __u64 address)
{
	__u32 narrow;

	if (config.oop_kind != JEBPF_OOPS_NARROW)
		return object_of(read_pointer(w, address));
	narrow = read_int(w, address);
	return narrow ? config.oop_base + ((__u64)narrow << (config.oop_shift & 31)) : 0;
}

/* Points the walk at the youngest frame of a chunk, or of the next one that has frames. */
static __always_inline bool enter_chunk(struct walk *w, __u64 chunk)
{
	for (int i = 0; i < CHUNKS_EMPTY_MAX; i++) {
		__u64 stack = chunk + config.chunk_stack;
		__u32 sp, bottom;

		if (!chunk)
			return false;
		sp = read_int(w, chunk + config.chunk_sp);
		bottom = read_int(w, chunk + config.chunk_bottom);
		if (sp < bottom && bottom < CHUNK_WORDS_MAX) {
			w->chunk = chunk;
			w->chunk_end = stack + 8 * (__u64)bottom;
			w->chunk_top = 0;
			w->sp = stack + 8 * (__u64)sp;
			w->pc = read_pointer(w, chunk + config.chunk_pc);
			w->fp = 0;
			return true;
		}
		chunk = object_in(w, chunk + config.chunk_parent);
	}
	return false;
}

static __always_inline int go_to_carrier(struct walk *w)
{
	w->chunk = 0;
	w->chunk_top = 0;
	if (!w->mounted) /* the walk began in the heap: the virtual thread has no carrier */
		return MARK(w, JEBPF_END_ROOT);
	w->second_try = 0;
	w->pc = config.cont_return_pc;
	w->sp = w->mounted;
	w->fp = w->mounted + config.cont_entry_frame_bytes - 16;
	w->exact = 0;
	return 0;
}

static __always_inline bool can_read_chunks(void)
{
	return config.cont_tail != JEBPF_ABSENT && config.chunk_sp != JEBPF_ABSENT &&
	       config.chunk_bottom != JEBPF_ABSENT && config.chunk_pc != JEBPF_ABSENT &&
	       config.chunk_parent != JEBPF_ABSENT && config.chunk_stack != JEBPF_ABSENT &&
	       config.oop_kind;
}

/*
 * Whether a return into enterSpecial leaves a virtual thread, and the stack ends there: what lies
 * below belongs to its carrier. Other continuations are part of the thread that runs them.
 */
static __always_inline bool at_virtual_root(struct walk *w)
{
	/* two calls in it: of Continuation.enter, and of the stub that thaws */
	if (w->exact || !config.cont_enter_high ||
	    w->pc - config.cont_enter_low >= config.cont_enter_high - config.cont_enter_low)
		return false;
	w->mounted = w->sp;
	return !config.show_carrier && read_int(w, w->sp + CONT_ENTRY_FLAGS);
}

/* The innermost ContinuationEntry at or above an address, or 0. */
static __always_inline __u64 find_entry(struct walk *w, __u64 above)
{
	__u64 thread = current_thread(w), entry;

	if (!thread || config.thread_cont_entry == JEBPF_ABSENT || !config.cont_return_pc)
		return 0;
	entry = read_pointer(w, thread + config.thread_cont_entry);
	for (int i = 0; i < NESTED_MAX && RULE(CONT_ENTRY); i++) {
		if (!entry || entry >= above)
			return entry;
		entry = read_pointer(w, entry + config.cont_entry_parent);
	}
	return 0;
}

/* enterSpecial has called the stub that thaws, to mount the virtual thread: no frame of it runs yet. */
static __always_inline bool mounts(__u64 pc)
{
	return RULE(MOUNTING) && config.cont_barrier > config.cont_stubs_low &&
	       pc - config.cont_stubs_low < config.cont_barrier - config.cont_stubs_low;
}

/* The walk goes on in a chunk, with a frame that begins there. */
static __always_inline bool stand_in_chunk(struct walk *w, __u64 chunk, __u64 sp, __u64 pc)
{
	w->chunk = chunk;
	w->sp = sp;
	w->pc = pc;
	w->fp = 0;
	return true;
}

/* A compiled frame that was on top of a chunk, if its frame begins at an address in it. */
static __always_inline bool enter_chunk_at(struct walk *w, __u64 chunk, __u64 sp)
{
	__u64 pc;

	if (called_word(w, sp - 8))
		return false;
	pc = w->value;
	if (!in_code_cache(pc) || (in_interpreter(pc) && RULE(THAWING_INTERPRETED)) || !plausible_return(w, pc))
		return false;
	if (!in_interpreter(pc) && sp + w->found.frame_bytes > w->chunk_top)
		return false;
	return stand_in_chunk(w, chunk, sp, pc);
}

/* Whether a word of an interpreted frame in a chunk is a distance in words: the frame is that large at most. */
static __always_inline bool is_frame_distance(__u64 words)
{
	return words - 1 < INTERPRETED_WORDS_MAX;
}

/*
 * The same for an interpreted frame. What was taken out begins where its expressions end, which the
 * frame itself knows, relative to its frame pointer; its stack pointer is near, with the arguments
 * of a callee between.
 */
static __always_inline bool enter_chunk_near(struct walk *w, __u64 chunk, __u64 guess)
{
	__u64 sp = guess - 8 * LOCALS_SEARCHED, pc, fp;

	if (!RULE(THAWING_INTERPRETED))
		return false;
	for (int i = 0; i <= 2 * LOCALS_SEARCHED && sp < w->chunk_top; i++, sp += 8) {
		if (called_word(w, sp - 8) || !in_interpreter(w->value))
			continue;
		pc = w->value;
		if (called_word(w, sp - 16) || !is_frame_distance(w->value))
			continue;
		fp = sp - 16 + 8 * w->value;
		if (fp >= w->chunk_top || called_word(w, fp + SLOT_LAST_SP) || !is_frame_distance(-w->value) ||
		    fp + 8 * w->value - guess > 8 * ALIGNED_FRAMES_MAX)
			continue;
		return stand_in_chunk(w, chunk, sp, pc);
	}
	return false;
}

/* The maximal size of a chunk's frames in words, false if it cannot be read. */
static __always_inline bool read_max_thawing(__u64 chunk, __u32 *max)
{
	return chunk && config.chunk_max_thawing && config.chunk_max_thawing != JEBPF_ABSENT &&
	       !read_user(max, 4, chunk + config.chunk_max_thawing);
}

/* Whether the interpreted frame with the frame pointer `fp` ends where the chunk's frames begin now. */
static __always_inline bool ends_at_top(struct walk *w, __u64 fp)
{
	/* where an interpreted caller's expressions end, or at a compiled caller's stack pointer */
	return fp + 16 == w->chunk_top ||
	       (!called_word(w, fp + SLOT_SENDER_SP) && fp + 8 * w->value == w->chunk_top);
}

/*
 * A frame taken out of the chunk of which the size is known as `words` at most: it ends exactly where the
 * chunk's frames begin now.
 */
__noinline int enter_taken(struct walk *w, __u64 chunk, __u32 words)
{
	__u64 sp, pc, fp;

	if (!w)
		return 0;
	sp = w->chunk_top - 16;
	for (__u32 i = 2; i <= TAKEN_WORDS_MAX && i <= words + LOCALS_SEARCHED; i++, sp -= 8) {
		if (called_word(w, sp - 8))
			return 0;
		pc = w->value;
		if (in_interpreter(pc)) {
			if (called_word(w, sp - 16) || !is_frame_distance(w->value))
				continue;
			fp = sp - 16 + 8 * w->value;
			if (!ends_at_top(w, fp) || called_word(w, fp + SLOT_LAST_SP) ||
			    !is_frame_distance(-w->value) || w->chunk_top - (fp + 8 * w->value) > 8 * (__u64)words)
				continue;
		} else if (i > words || !in_code_cache(pc) || !plausible_return(w, pc) ||
			   w->found.kind != CODE_NMETHOD || (__u32)w->found.frame_bytes != 8 * i) {
			continue;
		}
		return stand_in_chunk(w, chunk, sp, pc);
	}
	return 0;
}

/*
 * Whether the function runs in which a slow thaw moves the chunk's stack pointer, and a few instructions
 * later the maximal size. 0: no, or the pointer is not moved yet; 1: cannot be told; 2: it is moved.
 */
static __always_inline int finishes_thaw(struct walk *w)
{
	__u64 bytes = config.thaw_end_high - config.thaw_end_low, pc;

	for (__u32 i = 0; i < FINISHING_FRAMES && i < w->frames && i < leaf_frames() && RULE(THAW_FINISHING); i++) {
		struct jebpf_frame *frame = frame_place(w, i);

		if (!frame || frame->head >> 56 != JEBPF_FRAME_NATIVE)
			break;
		pc = frame->head & ADDRESS_MASK;
		if (pc - config.thaw_end_low >= bytes)
			continue;
		if (i) /* what it calls comes later */
			return 2;
		if (!config.thaw_moved)
			return 1;
		if (pc < config.thaw_moved)
			return 0;
		return config.thaw_moved_last - pc - 1 < MOVES_BYTES ? 1 : 2;
	}
	return 0;
}

/*
 * Between the two what was taken out is told by what the maximal size has to spare, which may be more,
 * by a word for each older frame that is interpreted. Where the frame cannot be told from an older one in
 * the same place, or is not found, a marker stands for it.
 */
static __always_inline bool enter_finishing(struct walk *w, __u64 chunk, __u32 spare, int finishes)
{
	int found = enter_taken(w, chunk, spare);

	if (found && finishes == 2)
		return true;
	if (found || finishes == 2)
		push_gap(w, JEBPF_GAP_FROZEN, 0);
	return w->chunk_top < w->chunk_end && enter_chunk(w, chunk);
}

/*
 * The barrier has called `thaw`, which takes the youngest frames out of the chunk and copies them to
 * the stack, where they count only when it has returned. How far it has come is told by the
 * chunk's maximal size: the room on the stack was made by it, and what it has shrunk since is what
 * was taken out. Such frames stay in the chunk's memory until the next yield.
 */
static __always_inline bool enter_thawing(struct walk *w, __u64 chunk, __u64 entry)
{
	/* at the first call, `prepare_thaw`, there is no room yet */
	__u64 room = (entry - w->sp - (BARRIER_SAVED_BYTES - 8)) & ~15ULL;
	__u64 stack = chunk + config.chunk_stack;
	__u32 sp = 0, bottom = 0, max = 0, taken;

	if (!room)
		return enter_chunk(w, chunk);
	if (!read_max_thawing(chunk, &max) || read_user(&sp, 4, chunk + config.chunk_sp) ||
	    read_user(&bottom, 4, chunk + config.chunk_bottom))
		return false;
	/* room is a multiple of two words: one of them may be more than there was; so may one a frame */
	taken = room / 8 - THAW_EXTRA_WORDS - max;
	if (sp > bottom || bottom >= CHUNK_WORDS_MAX)
		return false;
	w->chunk_end = stack + 8 * (__u64)bottom;
	w->chunk_top = stack + 8 * (__u64)sp;
	if (taken <= 1) {
		int finishes = finishes_thaw(w);

		/* frames taken out move the stack pointer first, then the size */
		taken = max - (bottom - sp);
		if (finishes && (__s32)taken > 1)
			return enter_finishing(w, chunk, taken < sp ? taken : sp, finishes);
		if (taken > 1 && taken <= sp && enter_chunk_at(w, chunk, w->chunk_top - 8 * (__u64)taken) &&
		    w->sp + w->found.frame_bytes == w->chunk_top)
			return true;
		return sp < bottom && enter_chunk(w, chunk);
	}
	if (taken > sp)
		return false;
	return enter_chunk_near(w, chunk, w->chunk_top - 8 * (__u64)taken) ||
	       enter_chunk_at(w, chunk, w->chunk_top - 8 * (__u64)(taken & ~1U)) ||
	       enter_chunk_at(w, chunk, w->chunk_top - 8 * (__u64)((taken - 1) | 1)) ||
	       (RULE(THAWING_ALIGNED) && taken > 3 &&
		enter_chunk_at(w, chunk, w->chunk_top - 8 * (__u64)((taken & ~1U) - 2)));
}

/*
 * Whether the interpreted frame on top of the chunk is of a method. Not by frozen_fp(): where a copy has
 * overwritten that frame's link the copies do not count yet, and what is on top is an older frame, which
 * may be of the same method where it calls itself.
 */
static __always_inline bool interprets(struct walk *w, __u64 method)
{
	__u64 fp = w->sp - 16;

	if (called_word(w, fp) || !is_frame_distance(w->value))
		return false;
	fp += 8 * w->value;
	return fp >= w->sp && fp < w->chunk_end && !called_word(w, fp + SLOT_METHOD) && w->value == method;
}

/*
 * While a virtual thread yields, its frames are copied to the chunk, on top of those that are there.
 * Once they count there, the walk, which has taken them from the stack, takes them from the chunk
 * instead: on top is the caller of the yield. Interpreted callers all return to the same place, so
 * that their method is compared.
 */
static __always_inline bool instead_of_copied(struct walk *w)
{
	if (!w->native_caller)
		return true;
	if (called_word(w, w->sp - 8))
		return false;
	if (w->value != w->native_caller && w->pc != w->native_caller)
		return true;
	if (in_interpreter(w->native_caller) && !interprets(w, w->native_method))
		return true;
	w->frames = w->native_frames;
	w->pc = w->native_caller;
	return true;
}

/*
 * In the barrier itself, before `thaw` is called: rsp is at the entry or below the room, but for the
 * registers that it keeps there.
 */
static __always_inline bool before_thaw(struct walk *w, __u64 chunk, __u64 entry)
{
	__u64 below = entry - w->sp;
	__u32 max = 0;

	if (is_return_barrier(w->pc) || below - 8 <= BARRIER_SAVED_BYTES - 8)
		return true;
	/* other stubs go to the entry when they have left the virtual thread */
	if (!below)
		return w->pc - config.cont_barrier < config.cont_barrier_exc - config.cont_barrier;
	if (!read_max_thawing(chunk, &max))
		return false;
	return (__u32)(below / 8) - THAW_EXTRA_WORDS - max <= BARRIER_SAVED_BYTES / 8 + 1;
}

/* Whether frames of the virtual thread are in the heap, and the walk goes on with them. */
static __always_inline bool enter_frozen(struct walk *w, __u64 entry)
{
	__u64 continuation = read_pointer(w, entry + CONT_ENTRY_CONTINUATION), chunk;

	chunk = continuation ? object_in(w, continuation + config.cont_tail) : 0;
	if (!w->exact && is_return_barrier(w->pc))
		return enter_chunk(w, chunk) && (!RULE(FREEZING) || instead_of_copied(w));
	if (!RULE(THAWING))
		return false;
	if (w->exact)
		return before_thaw(w, chunk, entry) && enter_chunk(w, chunk);
	return enter_thawing(w, chunk, entry);
}

/*
 * The bottom frame of a mounted virtual thread returns into the barrier: go on with its frames in
 * the heap, then with its carrier.
 */
__noinline int cross_to_carrier(struct walk *w)
{
	__u64 entry;

	if (!w)
		return 1;
	entry = find_entry(w, w->sp);
	if (!entry)
		return MARK(w, JEBPF_END_CONTINUATION);
	w->mounted = entry;
	if (mounts(w->pc))
		return go_to_carrier(w);
	if (RULE(FROZEN) && can_read_chunks() && enter_frozen(w, entry)) {
		w->exact = 0;
		return 0;
	}
	w->fault = 0; /* the gap tells of it */
	push_gap(w, JEBPF_GAP_FROZEN, 0);
	return go_to_carrier(w);
}

/* doYield, after all frames were frozen, has set rsp to the entry: it is enterSpecial's frame now. */
static __always_inline bool left_continuation(struct walk *w)
{
	return RULE(LEFT_CONTINUATION) && config.cont_barrier && config.thread_cont_entry != JEBPF_ABSENT && current_thread(w) &&
	       read_pointer(w, w->thread + config.thread_cont_entry) == w->sp;
}

/*
 * The frame pointer of an interpreted frame in a chunk, which lies two words below sp, relative to
 * there. While a frame is frozen on top of it, the copy has an address of the stack in that place until
 * it is corrected: then the first frame pointer above is taken whose frame's expressions end near sp.
 */
__noinline __u64 frozen_fp(struct walk *w)
{
	__u64 fp;

	if (!w || called_word(w, w->sp - 16))
		return 0;
	fp = w->sp - 16 + (RULE(FROZEN_RELATIVE) ? 8 : 1) * w->value;
	if (is_frame_distance(w->value) || !RULE(FREEZING_INTERPRETED))
		return fp;
	fp = w->sp + 8 * FRAME_WORDS_MIN;
	for (int i = 0; i < FRAME_WORDS_SEARCHED; i++, fp += 8) {
		if (called_word(w, fp + SLOT_LAST_SP))
			return 0;
		if (is_frame_distance(-w->value) && fp + 8 * w->value - w->sp <= 8 * LOCALS_SEARCHED)
			return fp;
	}
	return 0;
}

/* An interpreted frame in a chunk. */
__noinline int unwind_frozen_interpreted(struct walk *w)
{
	__u64 fp, ra, method, bcp, sender;

	if (!w)
		return 1;
	fp = frozen_fp(w);
	if (fp < w->sp || fp >= w->chunk_end)
		return MARK(w, JEBPF_END_INTERPRETER);
	bcp = WORD(w, fp + SLOT_BCP);
	method = WORD(w, fp + SLOT_METHOD);
	sender = fp + 8 * WORD(w, fp + SLOT_SENDER_SP);
	ra = WORD(w, fp + 8);
	if (!push_interpreted(w, method, bcp))
		return MARK(w, JEBPF_END_INTERPRETER);
	/* an interpreted caller's links hang on the frame below; a compiled one begins at sender sp */
	if (in_interpreter(ra) || sender <= fp || sender > w->chunk_end)
		sender = fp + 16;
	return to_caller(w, ra, sender, fp);
}

/* After each frame of a chunk: the next chunk, or the carrier, when it was the last. */
static __always_inline int step_frozen(struct walk *w, int ended)
{
	/* frames that thaw has taken out end where the chunk's frames begin now */
	if (ended || (w->chunk_top && w->sp > w->chunk_top)) {
		push_gap(w, JEBPF_GAP_FROZEN, w->pc);
		return go_to_carrier(w);
	}
	if (w->sp == w->chunk_top)
		w->chunk_top = 0;
	if (w->sp < w->chunk_end)
		return 0;
	if (RULE(CHUNK_PARENT) && enter_chunk(w, object_in(w, w->chunk + config.chunk_parent)))
		return 0;
	if (w->fault)
		push_gap(w, JEBPF_GAP_FROZEN, 0);
	return go_to_carrier(w);
}

#endif
