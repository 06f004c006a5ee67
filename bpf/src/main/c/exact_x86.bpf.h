/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * x86-64: compiled code interrupted at an arbitrary instruction. Frames are half built in
 * prologues, half gone in epilogues; which half is read off the instructions around the pc.
 */
#ifndef JEBPF_EXACT_X86_BPF_H
#define JEBPF_EXACT_X86_BPF_H

#define PROLOGUE_BYTES                                                                             \
	96 /* verified entry to the end of `sub rsp`: class initialisation check, stack bang */
#define PROLOGUE_MASK 127 /* of an index below PROLOGUE_BYTES */
#define PUSHES_BYTES 24 /* behind the pc: pushes, a call and pops, of two registers each they take 13 */
#define PUSHES_MAX 10
#define WRAPPER_BYTES 48 /* from the byte before the pc: a wrapper's entry up to its frame, or its end */
#define BEFORE_PC 8
#define AROUND_PC 32
#define STRING_SEARCH_BYTES 96 /* from `mov rcx, rsp` to the last `sub rsp` of a string search */
#define SAVED_RSP_MAX 512 /* an intrinsic that realigns keeps the old rsp at most this far below */

/* Where the return address of an exact frame is. */
enum exact_state {
	WHOLE_FRAME = 0,
	RA_AT_SP = 1,	   /* nothing built yet, or all gone */
	RA_ABOVE_FP = 2,   /* rbp pushed: [rsp] is rbp, [rsp + 8] the return address */
	WHOLE_KEEP_FP = 3, /* frame allocated, rbp not stored yet */
	RA_IN_RDX = 4,	   /* an exception's pc, about to be pushed */
	HANDLER_AT_SP = 5, /* an exception handler in compiled code: no call is in front of it */
	HANDLER_IN_RCX = 6,
	ONE_PUSHED = 7, /* the whole frame, and a word below it */
};

/* Whether the bytes before an address are a call: e8 rel32, or ff /2 with any addressing. */
static __always_inline int behind_call(struct walk *w, __u64 pc)
{
	__u8 c[CALL_BYTES + 1] = {};

	if (read_user(c, CALL_BYTES, pc - CALL_BYTES))
		return -1;
	return c[2] == 0xe8 || (c[5] == 0xff && (c[6] & 0x38) == 0x10) ||
	       (c[4] == 0xff && (c[5] & 0x38) == 0x10) || (c[3] == 0xff && (c[4] & 0x38) == 0x10) ||
	       (c[1] == 0xff && (c[2] & 0x38) == 0x10) || (c[0] == 0xff && (c[1] & 0x38) == 0x10);
}

/*
 * In the parent of glibc's clone and clone3, which end their unwind entry in front of the system call, all is as at
 * their entry: a word that a call has pushed is the return address. In the child it is the thread's function, which
 * no call is in front of. Not in vfork, which keeps its return address in rdi and pushes it next. 0: went to the caller.
 */
__noinline int unwind_system_call(struct walk *w)
{
	__u8 c[3] = {};
	__u64 ra;

	if (!w || !RULE(SYSTEM_CALL) || !w->exact || read_user(c, sizeof(c), w->pc - 2) || c[0] != 0x0f ||
	    c[1] != 0x05 || c[2] == 0x57 || read_word(w, w->sp))
		return 1;
	ra = w->value;
	if (!find_mapping(w, ra) || behind_call(w, ra) <= 0)
		return 1;
	return to_caller(w, ra, w->sp + 8, w->fp);
}

/* By how much the instruction at w->bytes[i] lowers rsp; only those that adapters have are known. */
static __always_inline int lowers(const __u8 *c)
{
	__u32 quad = c[0] | c[1] << 8 | c[2] << 16 | (__u32)c[3] << 24;
	__u32 three = quad & 0xffffff;

	if (three == 0xec8348) /* sub rsp, imm8 */
		return c[3];
	if (three == 0xec8148 && !c[5]) /* sub rsp, imm32 */
		return c[3] | c[4] << 8;
	if (three == 0xc48348) /* add */
		return -(int)c[3];
	if (three == 0xc48148 && !c[5])
		return -(int)(c[3] | c[4] << 8);
	if (quad == 0xec83489c) /* pushf, in front of a sub */
		return 8;
	if (c[0] == 0x9d && c[-1] == 8 && c[-2] == 0xc4) /* popf, behind an add */
		return -8;
	if (quad == 0x49524150 || three == 0x495241) /* push rax; push r10; mov rdi, r10 */
		return 8;
	if (three == 0x585a41 || (c[0] == 0x58 && c[-1] == 0x5a && c[-2] == 0x41)) /* pop r10; pop rax */
		return -8;
	return 0;
}

/*
 * The same where the `sub rsp, imm` at `c`, index i, begins a piece that a compiler ends otherwise than by
 * `add`: -1 where it is none of these.
 */
static __always_inline int lowers_otherwise(const struct walk *w, const __u8 *c, __u32 i)
{
	if (!RULE(LOWERED_OTHERWISE) || (c[1] != 0x83 && c[1] != 0x81) || c[2] != 0xec)
		return -1;
	/* a method's entry from the interpreter (OSR) has a prologue of its own */
	if (c[-1] == 0x55 || (c[-1] == 0xec && c[-2] == 0x8b && c[-3] == 0x48 && c[-4] == 0x55))
		return 0;
	/* a number that the CPU cannot convert: sub rsp, 8; movsd [rsp], xmm; call; pop */
	if (c[1] != 0x83 || c[3] != 8 || c[9] != 0xe8)
		return -1;
	if (((c[14] & 0xf8) == 0x58 && i + 15 <= w->high) ||
	    (c[14] == 0x41 && (c[15] & 0xf8) == 0x58 && i + 16 <= w->high))
		return 0;
	return -1;
}

/*
 * By how much pushes and pops at w->bytes[i] lower rsp, of the pieces that keep words over more than a call:
 *
 *   C1, type check of an array copy: push rsi; push rcx; (class of rsi; …;
 *       push rsi; push rcx; call; pop rcx; pop rsi; test esi, esi; jne;) pop rcx; pop rsi
 *   ZGC, a store's buffer:           push r15; (mov r15, [x + y]; …;) pop r15
 *   ZGC, C1, a load:                 push rax; (sub rsp, 16; … call; add rsp, 16; mov x, rax;) pop rax
 */
static __always_inline int pushes(const struct walk *w, const __u8 *c, __u32 i)
{
	if (c[0] == 0x56 && c[1] == 0x51 &&
	    ((c[2] == 0xe8 && c[7] == 0x59 && c[8] == 0x5e) || (c[2] == 0x8b && c[3] == 0x76) || (c[2] == 0x48 && c[3] == 0x8b && c[4] == 0x76)))
		return i + 2 <= w->high ? 16 : 8;
	if (c[0] == 0x59 && c[1] == 0x5e)
		return i + 2 <= w->high ? -16 : -8;
	if (c[0] == 0x41 && c[1] == 0x57 && c[2] == 0x4d && c[3] == 0x8b)
		return 8;
	if (c[0] == 0x41 && c[1] == 0x5f)
		return -8;
	if (c[0] == 0x50 && c[1] == 0x48 && c[2] == 0x83 && c[3] == 0xec && c[21] == 0xc4 && c[22] == 0x10 &&
	    c[24] == 0x8b) /* no other ends with a move */
		return i + 27 <= w->high ? 0 : 8;
	return 0;
}

/*
 * Adds up how far rsp is lowered, in w->low, by the instruction at w->bytes[i]; the sum is never below 0,
 * since the code may begin in the middle of a piece. 1: the pc is reached. A function of its own, and all
 * state in memory: the verifier looks at it once, not in each round of a loop.
 */
__noinline int add_depth(struct walk *w, __u32 i)
{
	const __u8 *c;
	__s64 depth;

	if (!w || i >= w->high)
		return 1;
	c = &w->bytes[i & 1023];
	if (c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xfb && !c[3] && c[4] == 0x0f) {
		w->low = 0; /* cmp rbx, 0; je: an adapter's barrier begins */
		return 0;
	}
	if (RULE(STRING_SEARCH) && c[0] == 0x48 && c[1] == 0x8b && c[2] == 0xcc) { /* mov rcx, rsp */
		w->restored = i + STRING_SEARCH_BYTES;
		w->searching = SEARCHING;
		return 0;
	}
	if (RULE(STRING_SEARCH) && c[0] == 0x48 && c[1] == 0x2b && c[3] == 0x5c) { /* sub x, y; pop rsp */
		w->low = 0;
		w->searching = 0;
		return 0;
	}
	if (i < w->restored)
		return 0;
	if (w->self.kind != CODE_NMETHOD) {
		depth = w->low + lowers(c);
	} else if (c[0] != 0x48) {
		depth = w->low + (RULE(WORDS_KEPT) ? pushes(w, c, i) : 0);
	} else {
		depth = lowers_otherwise(w, c, i);
		depth = w->low + (depth < 0 ? lowers(c) : depth);
	}
	w->low = depth < 0 ? 0 : depth;
	return 0;
}

/* Whether one of the instructions that add_depth() knows in an nmethod may begin here: few bytes get so far. */
static __always_inline bool may_lower(const __u8 *c)
{
	if ((c[0] & 0xe0) != 0x40)
		return false;
	if (c[0] == 0x48)
		return c[1] == 0x83 || c[1] == 0x81 || c[1] == 0x2b || (c[1] == 0x8b && c[2] == 0xcc);
	return (c[0] == 0x41 && (c[1] & 0xf7) == 0x57) || (c[0] == 0x50 && c[1] == 0x48) ||
	       (c[0] == 0x56 && c[1] == 0x51) || (c[0] == 0x59 && c[1] == 0x5e);
}

/*
 * How far rsp is lowered at a pc in an nmethod behind its prologue, by the code between. Barriers lower it
 * in pieces of code of their own, which end with `add rsp, imm; jmp`.
 */
__noinline int out_of_line_depth(struct walk *w)
{
	__u64 size;

	if (!w)
		return 0;
	w->searching = 0;
	if (w->self.complete < 0)
		return 0;
	size = w->self.pc_offset - w->self.complete;
	if (size > LOOK_BACK_BYTES)
		size = LOOK_BACK_BYTES;
	if (w->self.pc_offset < (__u32)w->self.complete + 4)
		return 0;
	if (read_code(w, size, w->pc - size)) {
		w->searching = SEARCHING_PERHAPS;
		return 0;
	}
	read_user(&w->bytes[size & 511], PUSHES_BYTES, w->pc); /* zeros, where they cannot be read */
	w->high = size;
	w->low = 0;
	w->restored = 0;
	for (__u32 i = 0; i < LOOK_BACK_BYTES; i++) {
		if (!may_lower(&w->bytes[i]))
			continue;
		add_depth(w, i);
	}
	return w->low < BARRIER_FRAME_MAX ? w->low : 0;
}

/*
 * C2's string searches keep the old rsp in rcx, copy short strings below it, and get it back with
 * `pop rsp`: what they take off, on one of several ways, is not added up. 0: rcx is not the old rsp.
 * Only asked there: any rcx that points into the frame may have an old return address above it.
 */
static __always_inline __u64 rsp_in_rcx(struct walk *w)
{
	if (!RULE(RSP_IN_RCX) || w->rcx - w->sp > SAVED_RSP_MAX || w->rcx == w->sp || (w->rcx & 7))
		return 0;
	return java_caller(w, w->rcx + w->self.frame_bytes - 8) ? w->rcx : 0;
}

/* Goes to the caller where the return address is the word at `address`. */
static __always_inline int return_at(struct walk *w, __u64 address, __u64 fp)
{
	__u64 ra = WORD(w, address);

	return to_caller(w, ra, address + 8, fp);
}

static __always_inline int return_at_pushed_fp(struct walk *w)
{
	__u64 fp = WORD(w, w->sp);

	return return_at(w, w->sp + 8, fp);
}

__noinline int plausible_word(struct walk *w, __u64 address)
{
	return w && !read_word(w, address) && plausible_return(w, w->value);
}

/*
 * What the prologue whose last instructions begin at w->bytes[i], which is code at `at`, has done at the
 * pc. -1: none begins there.
 */
__noinline int prologue_at(struct walk *w, __u32 i, __u64 at)
{
	const __u8 *c;

	if (!w)
		return -1;
	c = &w->bytes[i & PROLOGUE_MASK];
	if (RULE(PROLOGUE) && c[0] == 0x55 && c[1] == 0x48 && c[3] == 0xec &&
	    (c[2] == 0x8b || c[2] == 0x83 || c[2] == 0x81)) {
		if (w->pc <= at)
			return RA_AT_SP;
		at += 1;
		if (c[2] == 0x8b) {
			c += 3;
			at += 3;
		}
		at += c[2] == 0x83 ? 4 : 7;
		return w->pc < at ? RA_ABOVE_FP : WHOLE_FRAME;
	}
	if (RULE(PROLOGUE_LEAF) && c[0] == 0x48 && c[1] == 0x81 && c[2] == 0xec && c[7] == 0x48 && c[8] == 0x89 &&
	    (c[9] == 0x6c || c[9] == 0xac) && c[10] == 0x24) {
		if (w->pc <= at)
			return RA_AT_SP;
		return RULE(PROLOGUE_KEEP_FP) && w->pc == at + 7 ? WHOLE_KEEP_FP : WHOLE_FRAME;
	}
	return -1;
}

/*
 * `push rbp; [mov rbp, rsp;] sub rsp, imm`, or in small leaf methods `sub rsp, imm32;
 * mov [rsp + x], rbp`, somewhere behind the verified entry.
 */
__noinline int prologue_state(struct walk *w, __u64 entry)
{
	int state;

	if (!w || read_code(w, PROLOGUE_BYTES, entry))
		return WHOLE_FRAME;
	for (int i = 0; i < PROLOGUE_BYTES - 16; i++) {
		state = prologue_at(w, i, entry + i);
		if (state >= 0)
			return state;
	}
	return WHOLE_FRAME;
}

/*
 * A poll's stub, where the frame is gone. Other stubs jump as well:
 *   movabs r10, pc (up to JDK 21 C2: lea r10, [rip + x]); mov [r15 + y], r10; jmp SafepointBlob
 */
static __always_inline bool in_poll_stub(const __u8 *c)
{
	if (c[0] == 0x49 && c[1] == 0xba)
		return c[10] == 0x4d && c[11] == 0x89 && (c[12] & 0x3f) == 0x17 && c[17] == 0xe9;
	if (c[0] == 0x4c && c[1] == 0x8d && c[2] == 0x15)
		return c[7] == 0x4d && c[8] == 0x89 && (c[9] & 0x3f) == 0x17 && c[14] == 0xe9;
	if (c[0] == 0xe9)
		c -= 7;
	/* the constant before is an address: its highest bytes are 0 */
	return c[0] == 0x4d && c[1] == 0x89 && (c[2] & 0x3f) == 0x17 && c[7] == 0xe9 &&
	       ((!c[-1] && !c[-2]) || (c[-7] == 0x4c && c[-6] == 0x8d && c[-5] == 0x15));
}

/*
 * The deoptimisation handler behind the code has pushed its own address:
 *   C1: movabs r10, pc; push r10; jmp    C2: call next; next: sub qword [rsp], 5; jmp
 */
static __always_inline bool in_deopt_handler(const __u8 *c)
{
	if (c[0] == 0xe9)
		return (c[-2] == 0x41 && c[-1] == 0x52) || (c[-5] == 0x48 && c[-4] == 0x83 && c[-3] == 0x2c && c[-2] == 0x24);
	return c[0] == 0x48 && c[1] == 0x83 && c[2] == 0x2c && c[3] == 0x24 && c[-5] == 0xe8;
}

/* The prologue behind C1's entry from the interpreter: [mov [rsp - x], eax;] push rbp; [mov rbp, rsp;] sub rsp, y */
static __always_inline int osr_prologue_state(const __u8 *c)
{
	if (c[0] == 0x89 && c[1] == 0x84 && c[2] == 0x24)
		c += 7;
	if (c[0] == 0x55 && c[1] == 0x48 && (c[2] == 0x8b || c[2] == 0x83 || c[2] == 0x81) && c[3] == 0xec)
		return RA_AT_SP;
	if (c[-1] == 0x55 && c[0] == 0x48 && (c[1] == 0x8b || c[1] == 0x83 || c[1] == 0x81) && c[2] == 0xec)
		return RA_ABOVE_FP;
	if (c[-4] == 0x55 && c[-3] == 0x48 && c[-2] == 0x8b && c[-1] == 0xec && c[0] == 0x48 && c[2] == 0xec)
		return RA_ABOVE_FP;
	return WHOLE_FRAME;
}

/*
 * `add rsp, imm; pop rbp; cmp rsp, [r15 + poll]; ja stub; ret`, and the poll's stub, where the
 * frame is gone as well.
 */
static __always_inline int epilogue_state(struct walk *w)
{
	const __u8 *c = &w->bytes[BEFORE_PC];

	if (read_code(w, AROUND_PC, w->pc - BEFORE_PC))
		return WHOLE_FRAME;
	if (RULE(EPILOGUE_RET) && c[0] == 0xc3)
		return RA_AT_SP;
	/* `pop rbp`, also before a tail jump to a stub that throws on; nothing else pops it */
	if (RULE(EPILOGUE_POP) && c[0] == 0x5d)
		return RA_ABOVE_FP;
	if (RULE(EPILOGUE_JUMP) && c[0] == 0xe9 && c[-1] == 0x5d)
		return RA_AT_SP;
	if (c[0] == 0x49 && c[1] == 0x3b && c[2] == 0xa7 &&
	    (c[-1] == 0x5d || (c[7] == 0x0f && c[8] == 0x87 && c[13] == 0xc3)))
		return RA_AT_SP;
	if (RULE(EPILOGUE_POLL) && c[0] == 0x49 && c[1] == 0x3b && c[2] == 0x67 &&
	    (c[-1] == 0x5d || (c[4] == 0x0f && c[5] == 0x87 && c[10] == 0xc3)))
		return RA_AT_SP;
	if (RULE(EPILOGUE_BRANCH) && c[0] == 0x0f && c[1] == 0x87 && c[6] == 0xc3)
		return RA_AT_SP;
	/* @ReservedStackAccess: another compare and branch between pop and poll */
	if (RULE(RESERVED_STACK) && c[0] == 0x0f && c[1] == 0x82 && c[-8] == 0x5d && c[-7] == 0x49 && c[-6] == 0x3b)
		return RA_AT_SP;
	if (RULE(DEOPT_HANDLER) && (w->self.flags & CODE_FLAG_OUT_OF_LINE) && in_deopt_handler(c))
		return ONE_PUSHED;
	if (RULE(POLL_STUB) && in_poll_stub(c))
		return RA_AT_SP;
	return RULE(PROLOGUE_OSR) ? osr_prologue_state(c) : WHOLE_FRAME;
}

__noinline int exact_nmethod_state(struct walk *w)
{
	if (!w)
		return WHOLE_FRAME;
	if (w->self.pc_offset <= w->self.entry) /* the prologue says the same, at the price of a look at it */
		return RA_AT_SP;
	if (w->self.complete > 0 && w->self.pc_offset < (__u32)w->self.complete)
		return prologue_state(w, w->pc - w->self.pc_offset + w->self.entry);
	return epilogue_state(w);
}

/* The bytes of a push (base 0x50) or pop (0x58) of a register other than rsp and rbp, 0: it is none. */
static __always_inline __u32 moves_word(const __u8 *c, __u8 base)
{
	if (c[0] == 0x41)
		return (c[1] & 0xf8) == base ? 2 : 0;
	return (c[0] & 0xf8) == base && (c[0] & 7) != 4 && (c[0] & 7) != 5;
}

/*
 * What one instruction does to the words below the frame: its length in bits 0 to 7, 1 more than it takes off in 8
 * to 15, and in bits 16 on whether the call has been seen (1) or a pop after it (2). 0: it does nothing of the kind.
 * A function of its own, since the verifier would look at it anew in each round of the loop.
 */
__noinline __u32 word_moved(struct walk *w, __u32 at, __u32 called)
{
	const __u8 *c;
	__u32 length;

	if (!w)
		return 0;
	c = &w->bytes[at & 31];
	length = moves_word(c, 0x58);
	if (length)
		return 2 << 16 | 2 << 8 | length;
	if (called)
		return 0;
	if (c[0] == 0xe8)
		return 1 << 16 | 1 << 8 | 5;
	return moves_word(c, 0x50); /* puts one on */
}

/*
 * Compilers keep registers over a call with `push …; call; pop …`, some words below the frame. How many
 * of them are there at the pc is told by the pops to come. Where nobody asks, an old return
 * address in the frame may be taken for the one that lies so far above.
 */
__noinline int words_pushed(struct walk *w)
{
	__u32 at = 0, called = 0;
	int words = 0;

	if (!w || read_user(w->bytes, PUSHES_BYTES, w->pc))
		return 0;
	for (int i = 0; i < PUSHES_MAX && at < PUSHES_BYTES - 6; i++) {
		__u32 moved = word_moved(w, at, called);

		if (!moved)
			break;
		at += moved & 0xff;
		words += (int)(moved >> 8 & 0xff) - 1;
		called = moved >> 16;
	}
	return called == 2 && words > 0 ? words : 0;
}

/*
 * C2's string searches save rsp on the stack when they copy short strings there; [rsp] is the old
 * value until they are done. 0: it is not.
 */
static __always_inline __u64 saved_rsp(struct walk *w)
{
	__u64 saved;

	if (!RULE(SAVED_RSP) || read_word(w, w->sp))
		return 0;
	saved = w->value;
	if (saved - w->sp > SAVED_RSP_MAX || saved - w->sp < 8 || (saved & 7))
		return 0;
	return java_caller(w, saved + w->self.frame_bytes - 8) ? saved : 0;
}

/*
 * A call of a method that is interpreted goes by a stub behind the caller's own code: `mov rbx, method;
 * jmp`. There the caller's frame is whole and its return address pushed: it has called, and is not a
 * frame once more.
 */
static __always_inline bool in_call_stub_of_its_own(struct walk *w)
{
	__u8 c[12] = {};

	if (!RULE(STATIC_STUB) || !(w->self.flags & CODE_FLAG_OUT_OF_LINE) ||
	    read_user(c, sizeof(c), w->pc - 10))
		return false;
	if (!(c[10] == 0x48 && c[11] == 0xbb) && !(c[10] == 0xe9 && c[0] == 0x48 && c[1] == 0xbb))
		return false;
	return plausible_word(w, w->sp) && w->found.blob == w->self.blob;
}

/*
 * Whether a native method's wrapper is behind its `leave`, by the bytes from the pc on:
 *   leave; [test byte [r15 + x], 1; …;] cmp qword [r15 + x], 0; jne; ret; jmp forward_exception
 */
static __always_inline bool wrapper_has_left(const __u8 *c)
{
	for (int i = 0; i < WRAPPER_BYTES - 2; i++) {
		if (c[i] == 0xc3 && c[i + 1] == 0xe9)
			return true;
		if (i && c[i] == 0xc9 && ((c[i + 1] == 0x41 && c[i + 2] == 0xf6) || (c[i + 1] == 0x49 && c[i + 2] == 0x83)))
			return false;
	}
	return false;
}

/* Whether a native method's wrapper has yet to run `push rbp; mov rbp, rsp`, or has taken its frame off. */
static __always_inline bool wrapper_has_no_frame(struct walk *w)
{
	const __u8 *c = w->bytes;

	if (read_code(w, WRAPPER_BYTES, w->pc - 1))
		return false;
	if (c[1] == 0xc3 || (RULE(WRAPPER_LEFT) && wrapper_has_left(c)))
		return true;
	if (w->self.complete <= 0 || w->self.pc_offset >= (__u32)w->self.complete)
		return false;
	for (int i = 0; i < WRAPPER_BYTES - 4; i++) {
		if (c[i] == 0x55 && c[i + 1] == 0x48 && c[i + 2] == 0x8b && c[i + 3] == 0xec)
			return true;
	}
	return false;
}

__noinline int unwind_exact_nmethod(struct walk *w)
{
	__u64 sp, fp, saved;
	int state, lowered;

	if (!w)
		return 1;
	if (in_call_stub_of_its_own(w)) {
		w->frames = 0;
		w->callee = 0;
		return return_at(w, w->sp, w->fp);
	}
	state = exact_nmethod_state(w);
	if (state == RA_AT_SP && plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (state == RA_ABOVE_FP && plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	sp = w->sp + w->self.frame_bytes + (state == ONE_PUSHED ? 8 : 0);
	saved = 0;
	if (state == WHOLE_FRAME) {
		lowered = RULE(OUT_OF_LINE_EXACT) ? out_of_line_depth(w) : 0;
		if (w->searching)
			saved = rsp_in_rcx(w);
		if (w->searching == SEARCHING && !saved)
			saved = saved_rsp(w);
		if (!saved && lowered && java_caller(w, sp + lowered - 8))
			sp += lowered;
		else if (!saved && RULE(WORDS_PUSHED))
			sp += 8 * words_pushed(w);
	}
	if (!saved && !java_caller(w, sp - 8)) {
		saved = saved_rsp(w);
		if (!saved)
			return unwind_out_of_line(w, sp);
	}
	if (saved)
		sp = saved + w->self.frame_bytes;
	fp = state == WHOLE_KEEP_FP ? w->fp : WORD(w, sp - 16);
	return return_at(w, sp - 8, fp);
}

#endif
