/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * HotSpot frames that are not interrupted: called code, found by its return address. What holds
 * for an exact pc only (prologues, epilogues, adapters) is in exact_<arch>.bpf.h.
 */
#ifndef JEBPF_HOTSPOT_BPF_H
#define JEBPF_HOTSPOT_BPF_H

/*
 * Provided by exact_<arch>.bpf.h: what depends on instructions and on exact registers. behind_call() is
 * negative where the instructions cannot be read.
 */
static int behind_call(struct walk *w, __u64 pc);
int out_of_line_depth(struct walk *w);
int unwind_exact_nmethod(struct walk *w);
static bool wrapper_has_no_frame(struct walk *w);
int unwind_exact_blob(struct walk *w);
int unwind_exact_interpreter(struct walk *w);
int unwind_frameless_interpreter(struct walk *w);
int unwind_stub(struct walk *w);

#define ENTRY_WRAPPER (-48)    /* JavaCallWrapper*, from the call stub's frame pointer */
#define IS_BLOB 2 /* see unwind_java() */
#define CALL_BYTES 7	       /* the longest call: ff 94 24 disp32 */
#define PUSHED_WORDS_MAX 8     /* facts 3.3.5: C1 pushes up to 6 words around a call */
#define POP_RBP 0x5d	       /* of an epilogue */
#define SAVED_WORDS_MAX 40     /* the entry barrier of an adapter saves 26 */
#define BARRIER_FRAME_MAX 4096 /* facts 3.3.4: registers that a barrier's slow path saves */

/* Interpreter frame slots in bytes from rbp; unchanged from JDK 17 to 28. */
#define SLOT_SENDER_SP (-8)
#define SLOT_LAST_SP (-16)
#define SLOT_METHOD (-24)
#define SLOT_BCP (-64)
#define FRAME_TO_LAST_SLOT 72

#define IDENTITY_WORDS 5 /* of a ConstMethod, from its pool's address on: one read */
#define IDENTITY_MASK 0xffffffffffffULL
#define IDENTITY_MIX 0x9e3779b97f4a7c15ULL /* spreads: the odd number next to 2^64 / golden ratio */

/* Where the oldest frame on the stack of a virtual thread returns to, while others lie in the heap. */
static __always_inline bool is_return_barrier(__u64 pc)
{
	return pc == config.cont_barrier || pc == config.cont_barrier_exc;
}

/*
 * Whether an address could be a return address: in code that calls, right behind a call. Dead
 * stack slots hold old return addresses, so a plain range test would often be wrong.
 */
__noinline int plausible_return(struct walk *w, __u64 pc)
{
	struct code *slot;
	int called;

	if (!w || !pc)
		return 0;
	if (in_code_cache(pc)) {
		if (in_interpreter(pc) || pc == config.call_stub_return)
			return 1;
		if (is_return_barrier(pc))
			return config.cont_barrier != 0;
		if (find_code_inline(w, pc))
			return 0;
		if (w->found.flags & (CODE_FLAG_DEOPTED | CODE_FLAG_RETURN))
			return 1;
		if (w->found.kind != CODE_NMETHOD && w->found.kind != CODE_UPCALL &&
		    w->found.frame_bytes <= 0)
			return 0;
	} else if (!find_mapping(w, pc)) {
		return 0;
	}
	called = RULE(CALL_BEFORE) ? behind_call(w, pc) : 1;
	if (called <= 0) {
		if (called < 0)
			fail_unread(w, JEBPF_UNREAD_FILE, pc - CALL_BYTES);
		return 0;
	}
	slot = cached(w, pc);
	if (slot && slot->blob)
		slot->flags |= CODE_FLAG_RETURN;
	return 1;
}

/* The caller of a frame whose fp is its frame pointer. */
static __always_inline int unwind_by_fp(struct walk *w)
{
	__u64 fp = WORD(w, w->fp);
	__u64 ra = WORD(w, w->fp + 8);

	return to_caller(w, ra, w->fp + 16, fp);
}

/* Whether the caller found at sp' (just above the return address) has a plausible caller too. */
static __always_inline bool plausible_twice(struct walk *w, __u64 ra, __u64 sp)
{
	if (!plausible_return(w, ra))
		return false;
	if (!RULE(TWO_LEVELS) || !in_code_cache(ra) || in_interpreter(ra) || w->found.kind != CODE_NMETHOD ||
	    ra == config.call_stub_return || ra == config.cont_barrier)
		return true;
	return !called_word(w, sp + w->found.frame_bytes - 8) && plausible_return(w, w->value);
}

/*
 * Whether the word at an address returns into a caller of compiled code, and that caller's frame
 * into another: the one word may be an old return address in a dead slot.
 */
static __always_inline bool is_java_caller(struct walk *w, __u64 address)
{
	return !called_word(w, address) && in_code_cache(w->value) && plausible_twice(w, w->value, address + 8);
}

__noinline int java_caller(struct walk *w, __u64 address)
{
	return w && is_java_caller(w, address);
}

/*
 * Words pushed below the frame: tries the slots above the expected return address, few for compiled
 * code, more for stubs, which may have saved all registers.
 */
__noinline int unwind_pushed_words(struct walk *w, __u64 sp)
{
	if (!w || !RULE(PUSHED_WORDS))
		return w ? MARK(w, JEBPF_END_BAD_RETURN) : 1;
	for (int k = 1; k <= SAVED_WORDS_MAX; k++) {
		if (k > PUSHED_WORDS_MAX && w->callee == JEBPF_FRAME_COMPILED)
			break;
		__u64 ra, top = sp + 8 * k;

		ra = CALLED_WORD(w, top - 8);
		if (plausible_twice(w, ra, top)) {
			/* adapters leave rbp alone */
			__u64 fp = RULE(ADAPTER_KEEPS_FP) && w->self.kind == CODE_ADAPTER ?
					   w->fp :
					   CALLED_WORD(w, top - 16);

			return to_caller(w, ra, top, fp);
		}
	}
	return MARK(w, JEBPF_END_BAD_RETURN);
}

/* Goes to the compiled code's caller whose return address lies right below `top`. -1: none does. */
__noinline int java_caller_below(struct walk *w, __u64 top)
{
	__u64 ra, fp;

	if (!w || !is_java_caller(w, top - 8))
		return -1;
	fp = CALLED_WORD(w, top - 16);
	ra = CALLED_WORD(w, top - 8);
	return to_caller(w, ra, top, fp);
}

/*
 * A GC barrier's slow path lies in the nmethod behind its code and lowers rsp to save registers
 * before it calls the collector. No metadata tells: the code before the call does.
 */
__noinline int unwind_out_of_line(struct walk *w, __u64 sp)
{
	int ended;

	if (!w)
		return 1;
	/* by the code, where it is understood: an old return address may lie in the other places */
	ended = java_caller_below(w, sp + (RULE(OUT_OF_LINE_DEPTH) ? out_of_line_depth(w) : 0));
	if (ended >= 0)
		return ended;
	ended = java_caller_below(w, sp);
	if (ended >= 0)
		return ended;
	if (w->searching == SEARCHING_PERHAPS)
		return MARK(w, JEBPF_END_READ_FAULT);
	return unwind_pushed_words(w, sp);
}

/* Whether a word is popped at the pc: then words were pushed around the call in front of it. */
static __always_inline bool pops(struct walk *w)
{
	__u8 c[2] = {};

	read_user(c, 2, w->pc);
	return ((c[0] & 0xf8) == 0x58 && c[0] != POP_RBP) || (c[0] == 0x41 && (c[1] & 0xf8) == 0x58);
}

/* Whether rsp is raised at the pc, and the frame stays: it was lowered for the call in front of it. */
static __always_inline bool raises(struct walk *w)
{
	__u8 c[5] = {};

	return RULE(RAISED_AGAIN) && !read_user(c, sizeof(c), w->pc) && c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xc4 &&
	       c[4] != POP_RBP;
}

/* Compiled code below another frame: always a whole frame, rbp saved under the return address. */
static __always_inline int unwind_nmethod(struct walk *w, __u32 below)
{
	__u64 sp = w->sp + w->self.frame_bytes;
	__u64 fp, ra;

	if (w->exact)
		return unwind_exact_nmethod(w);
	/* C++ called from compiled code: by a barrier, as a rule */
	if (RULE(OUT_OF_LINE_CALLED) &&
	    (w->self.flags & CODE_FLAG_OUT_OF_LINE || below == JEBPF_FRAME_NATIVE))
		return unwind_out_of_line(w, sp);
	/* C1's slow paths lie in its code */
	if (below == JEBPF_FRAME_STUB && raises(w))
		return unwind_out_of_line(w, sp);
	if (RULE(POPPED_WORDS) && below == JEBPF_FRAME_STUB && pops(w))
		return unwind_pushed_words(w, sp);
	fp = WORD(w, sp - 16);
	ra = WORD(w, sp - 8);
	w->second_try = sp;
	note_on_stack(w);
	return to_caller(w, ra, sp, fp);
}

/* The thread that runs: HotSpot's own thread-local pointer, through the dynamic thread vector. */
static __always_inline __u64 current_thread(struct walk *w)
{
	__u64 vector, block;

	if (w->thread || !config.tls_module_id)
		return w->thread;
	vector = read_pointer(w, w->fs_base + 8);
	if (!vector)
		return 0;
	block = read_pointer(w, vector + 16 * config.tls_module_id);
	if (!block || block == ~0ULL) /* not a thread of the JVM's */
		return 0;
	w->thread = read_pointer(w, block + config.tls_thread_offset);
	return w->thread;
}

/* A runtime stub has its blob's frame size. */
static __always_inline int unwind_runtime(struct walk *w)
{
	__u64 sp = w->sp + w->self.frame_bytes;
	__u64 fp = WORD(w, sp - 16);
	__u64 ra = WORD(w, sp - 8);

	return to_caller(w, ra, sp, fp);
}

/* There the memory below the ContinuationEntry holds frames that are half copied: never read it. */
static __always_inline bool in_continuation_stubs(__u64 pc)
{
	return config.cont_stubs_high &&
	       pc - config.cont_stubs_low < config.cont_stubs_high - config.cont_stubs_low;
}

/*
 * What tells a method from the next that gets its place, when its class was unloaded or redefined:
 * 48 bits of the ConstMethod's address, its constant pool's, and its three u2 from _code_size on,
 * the length of the bytecodes and two indexes into the pool. User space mixes them the same way
 * (Methods). The address alone where they cannot be read.
 */
static __always_inline __u64 method_identity(__u64 const_method, __u16 *code_size)
{
	__u32 offset = config.const_method_code_size - config.const_method_constants;
	__u32 word = offset / 8, shift = offset % 8 * 8;
	__u64 header[IDENTITY_WORDS] = {}, shape;

	if (config.const_method_code_size == JEBPF_ABSENT)
		return const_method & IDENTITY_MASK;
	if (word > IDENTITY_WORDS - 2 ||
	    read_user(header, sizeof(header), const_method + config.const_method_constants)) {
		read_user(code_size, 2, const_method + config.const_method_code_size);
		return const_method & IDENTITY_MASK;
	}
	shape = header[word] >> shift;
	if (shift)
		shape |= header[word + 1] << (64 - shift);
	*code_size = shape;
	return (const_method ^ ((header[0] ^ shape << 16) * IDENTITY_MIX >> 16)) & IDENTITY_MASK;
}

/* Pushes an interpreted frame; false: there is no method in it. */
static __always_inline bool push_interpreted(struct walk *w, __u64 method, __u64 bcp)
{
	__u64 const_method = 0, identity, first, bci = JEBPF_BCI_UNKNOWN;
	__u16 size = 0;

	if (!method || read_user(&const_method, 8, method + config.method_const) || !const_method)
		return false;
	if (w->native_caller && w->frames == w->native_frames)
		w->native_method = method;
	first = const_method + config.const_method_bytes;
	identity = method_identity(const_method, &size);
	if (RULE(BCP_REGISTER) && w->exact && w->BYTECODE_POINTER - first < size)
		bci = w->BYTECODE_POINTER - first;
	else if (bcp - first < size)
		bci = bcp - first;
	push_frame(w, JEBPF_FRAME_INTERPRETED, w->exact ? JEBPF_FRAME_EXACT : 0, method,
		   bci << 48 | identity);
	return true;
}

#include "frozen.bpf.h"

/* A native method wrapper keeps an rbp frame, except where it has not built it or has left it. */
__noinline int unwind_wrapper(struct walk *w)
{
	__u64 sp, fp, ra;

	if (!w)
		return 1;
	sp = w->sp + w->self.frame_bytes;
	/* without a frame the caller's frame pointer may lie where its own would */
	if (RULE(WRAPPER_FP) && w->fp >= sp - 16 && w->fp <= sp &&
	    !(w->exact && RULE(WRAPPER_EXACT) && wrapper_has_no_frame(w)))
		return unwind_by_fp(w);
	if (w->exact && left_continuation(w)) {
		w->mounted = w->sp;
		return go_to_carrier(w);
	}
	if (w->exact) {
		ra = WORD(w, w->sp);
		if (RULE(WRAPPER_FRAMELESS) && plausible_return(w, ra))
			return to_caller(w, ra, w->sp + 8, w->fp);
		fp = WORD(w, w->sp);
		ra = WORD(w, w->sp + 8);
		if (RULE(WRAPPER_PUSHED) && plausible_return(w, ra))
			return to_caller(w, ra, w->sp + 16, fp);
	}
	fp = WORD(w, sp - 16);
	ra = WORD(w, sp - 8);
	if (plausible_return(w, ra))
		return to_caller(w, ra, sp, fp);
	return unwind_pushed_words(w, sp);
}

/*
 * An interpreted frame. The bytecode pointer of the frame that runs is in a register where that
 * holds a value inside the method; the slot is only written at calls.
 */
__noinline int unwind_interpreted(struct walk *w)
{
	__u64 method, bcp, sender, ra, fp;

	if (!w)
		return 1;
	if (w->fp < w->sp + FRAME_TO_LAST_SLOT)
		return MARK(w, JEBPF_END_INTERPRETER);
	bcp = WORD(w, w->fp + SLOT_BCP);
	method = WORD(w, w->fp + SLOT_METHOD);
	sender = RULE(SENDER_SP) ? WORD(w, w->fp + SLOT_SENDER_SP) : w->fp + 16;
	fp = WORD(w, w->fp);
	ra = WORD(w, w->fp + 8);
	if (sender <= w->fp || !push_interpreted(w, method, bcp))
		return MARK(w, JEBPF_END_INTERPRETER);
	return to_caller(w, ra, sender, fp);
}

static __always_inline void push_code(struct walk *w)
{
	__u64 flags = w->exact ? JEBPF_FRAME_EXACT : 0;

	if (is_nmethod(w->self.kind))
		push_frame(
			w,
			w->self.kind == CODE_NMETHOD ? JEBPF_FRAME_COMPILED : JEBPF_FRAME_WRAPPER,
			flags, w->self.blob, (__u64)w->self.compile_id << 32 | w->self.pc_offset);
	else
		push_frame(w, JEBPF_FRAME_STUB, flags, w->self.blob, w->self.pc - w->self.blob);
}

/* A deoptimised frame returns to the deoptimisation handler; its real pc was put into the frame. */
static __always_inline int real_pc(struct walk *w)
{
	__u64 pc = WORD(w, w->sp + read_int(w, w->found.blob + config.nmethod_orig_pc));

	if (!in_code_cache(pc) || find_code(w, pc))
		return MARK(w, JEBPF_END_BAD_RETURN);
	return 0;
}

/*
 * One frame inside the code cache. 0: go on at the caller; IS_BLOB: the frame is pushed, its caller
 * is for step() to find (not called from here: the kernel allows eight calls in depth); else
 * the walk ended.
 */
__noinline int unwind_java(struct walk *w)
{
	__u32 below;
	int failed;

	if (!w)
		return 1;
	if (RULE(RETURN_BARRIER) && config.cont_barrier && !w->exact && is_return_barrier(w->pc))
		return cross_to_carrier(w);
	if (at_virtual_root(w))
		return MARK(w, JEBPF_END_ROOT);
	if (in_interpreter(w->pc)) {
		if (w->chunk)
			return unwind_frozen_interpreted(w);
		if (w->exact)
			return unwind_exact_interpreter(w);
		if (RULE(FRAMELESS_INTERPRETER) &&
		    (w->callee == JEBPF_FRAME_NATIVE || w->callee == JEBPF_FRAME_STUB)) {
			failed = unwind_frameless_interpreter(w);
			if (failed >= 0)
				return failed;
		}
		return unwind_interpreted(w);
	}
	failed = find_code(w, w->pc);
	if (failed)
		return MARK(w, failed);
	if (RULE(DEOPTED) && (w->found.flags & CODE_FLAG_DEOPTED) && !w->exact && real_pc(w))
		return 1;
	w->self = w->found;
	below = w->callee;
	push_code(w);
	switch (w->self.kind) {
	case CODE_NMETHOD:
		return unwind_nmethod(w, below);
	case CODE_WRAPPER:
		failed = unwind_wrapper(w);
		if (!w->native_caller) {
			w->native_caller = w->pc;
			w->native_frames = w->frames;
			w->native_method = 0;
		}
		return failed;
	default:
		if (w->exact)
			return IS_BLOB;
		if (RULE(CONTINUATION_STUBS_CALLED) && in_continuation_stubs(w->pc))
			return cross_to_carrier(w);
		return w->self.frame_bytes > 0 && w->self.kind != CODE_DEOPT ? unwind_runtime(w) : IS_BLOB;
	}
}

#endif
