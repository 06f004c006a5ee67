/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * x86-64: HotSpot code interrupted at an arbitrary instruction. Frames are half built in
 * prologues, half gone in epilogues; which half is read off the instructions around the pc.
 */
#ifndef JEBPF_EXACT_X86_BPF_H
#define JEBPF_EXACT_X86_BPF_H

#define PROLOGUE_BYTES                                                                             \
	96 /* verified entry to the end of `sub rsp`: class initialisation check, stack bang */
#define BEFORE_PC 8
#define AROUND_PC 32
#define SCAN_FP_MAX 8192 /* a stub's frame pointer is at most this far above rsp */
#define ADAPTER_ARGS_MAX 65536

/* Where the return address of an exact frame is. */
enum exact_state {
	WHOLE_FRAME = 0,
	RA_AT_SP = 1,	   /* nothing built yet, or all gone */
	RA_ABOVE_FP = 2,   /* rbp pushed: [rsp] is rbp, [rsp + 8] the return address */
	WHOLE_KEEP_FP = 3, /* frame allocated, rbp not stored yet */
};

/* Whether the bytes before an address are a call: e8 rel32, or ff /2 with any addressing. */
static __always_inline int behind_call(struct walk *w, __u64 pc)
{
	__u8 c[CALL_BYTES + 1] = {};

	if (read_user(c, CALL_BYTES, pc - CALL_BYTES))
		return 0;
	return c[2] == 0xe8 || (c[5] == 0xff && (c[6] & 0x38) == 0x10) ||
	       (c[4] == 0xff && (c[5] & 0x38) == 0x10) || (c[3] == 0xff && (c[4] & 0x38) == 0x10) ||
	       (c[1] == 0xff && (c[2] & 0x38) == 0x10) || (c[0] == 0xff && (c[1] & 0x38) == 0x10);
}

/* The immediate of a `sub rsp, imm` at w->bytes[i], or 0. */
static __always_inline __u64 lowered_by(const struct walk *w, int i)
{
	if (i < 0 || i > LOOK_BACK_BYTES - 7)
		return 0;
	if (w->bytes[i] != 0x48 || w->bytes[i + 2] != 0xec)
		return 0;
	if (w->bytes[i + 1] == 0x83)
		return w->bytes[i + 3] < 0x80 ? w->bytes[i + 3] : 0;
	if (w->bytes[i + 1] == 0x81)
		return w->bytes[i + 3] | w->bytes[i + 4] << 8 | (__u64)w->bytes[i + 5] << 16 |
		       (__u64)w->bytes[i + 6] << 24;
	return 0;
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

static __always_inline bool plausible_word(struct walk *w, __u64 address)
{
	return !read_word(w, address) && plausible_return(w, w->value);
}

/*
 * `push rbp; [mov rbp, rsp;] sub rsp, imm`, or in small leaf methods `sub rsp, imm32;
 * mov [rsp + x], rbp`, somewhere behind the verified entry.
 */
__noinline int prologue_state(struct walk *w, __u64 entry)
{
	__u64 at;
	__u8 *c;

	if (!w || read_user(w->bytes, PROLOGUE_BYTES, entry))
		return WHOLE_FRAME;
	for (int i = 0; i < PROLOGUE_BYTES - 16; i++) {
		c = &w->bytes[i];
		at = entry + i;
		if (c[0] == 0x55 && c[1] == 0x48 && c[3] == 0xec &&
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
		if (c[0] == 0x48 && c[1] == 0x81 && c[2] == 0xec && c[7] == 0x48 && c[8] == 0x89 &&
		    (c[9] == 0x6c || c[9] == 0xac) && c[10] == 0x24) {
			if (w->pc <= at)
				return RA_AT_SP;
			return w->pc == at + 7 ? WHOLE_KEEP_FP : WHOLE_FRAME;
		}
	}
	return WHOLE_FRAME;
}

/*
 * `add rsp, imm; pop rbp; cmp rsp, [r15 + poll]; ja stub; ret`, and the poll's stub, where the
 * frame is gone as well.
 */
static __always_inline int epilogue_state(struct walk *w)
{
	const __u8 *c = &w->bytes[BEFORE_PC];

	if (read_user(w->bytes, AROUND_PC, w->pc - BEFORE_PC))
		return WHOLE_FRAME;
	if (c[0] == 0xc3)
		return RA_AT_SP;
	if (c[0] == 0x5d && (c[1] == 0xc3 || (c[1] == 0x49 && c[2] == 0x3b)))
		return RA_ABOVE_FP;
	if (c[0] == 0x49 && c[1] == 0x3b && c[2] == 0xa7 &&
	    (c[-1] == 0x5d || (c[7] == 0x0f && c[8] == 0x87 && c[13] == 0xc3)))
		return RA_AT_SP;
	if (c[0] == 0x49 && c[1] == 0x3b && c[2] == 0x67 &&
	    (c[-1] == 0x5d || (c[4] == 0x0f && c[5] == 0x87 && c[10] == 0xc3)))
		return RA_AT_SP;
	if (c[0] == 0x0f && c[1] == 0x87 && c[6] == 0xc3)
		return RA_AT_SP;
	/* @ReservedStackAccess: another compare and branch between pop and poll */
	if (c[0] == 0x0f && c[1] == 0x82 && c[-8] == 0x5d && c[-7] == 0x49 && c[-6] == 0x3b)
		return RA_AT_SP;
	/* poll stub: lea r10, [rip + x]; mov [r15 + y], r10; jmp SafepointBlob */
	if ((w->self.flags & CODE_FLAG_OUT_OF_LINE) &&
	    ((c[0] == 0x4c && c[1] == 0x8d && c[2] == 0x15) ||
	     (c[0] == 0x4d && c[1] == 0x89 && (c[2] & 0x3f) == 0x17) || c[0] == 0xe9))
		return RA_AT_SP;
	return WHOLE_FRAME;
}

static __always_inline __u64 verified_entry(struct walk *w)
{
	if (config.nmethod_verified_entry != JEBPF_ABSENT)
		return read_pointer(w->self.blob + config.nmethod_verified_entry);
	return w->pc - w->self.pc_offset +
	       read_short(w->self.blob + config.nmethod_verified_entry_offset);
}

static __always_inline __s32 frame_complete(struct walk *w)
{
	if (config.flag_frame_complete_i16)
		return (__s16)read_short(w->self.blob + config.blob_frame_complete);
	return (__s32)read_int(w->self.blob + config.blob_frame_complete);
}

__noinline int exact_nmethod_state(struct walk *w)
{
	__u64 entry;
	__s32 complete;

	if (!w)
		return WHOLE_FRAME;
	entry = verified_entry(w);
	if (w->pc <= entry)
		return RA_AT_SP;
	complete = frame_complete(w);
	if (complete > 0 && w->self.pc_offset < (__u32)complete)
		return prologue_state(w, entry);
	return epilogue_state(w);
}

__noinline int unwind_exact_nmethod(struct walk *w)
{
	__u64 sp, fp;
	int state;

	if (!w)
		return 1;
	state = exact_nmethod_state(w);
	if (state == RA_AT_SP && plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (state == RA_ABOVE_FP && plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	sp = w->sp + w->self.frame_bytes;
	if (!plausible_word(w, sp - 8))
		return unwind_out_of_line(w, sp);
	fp = state == WHOLE_KEEP_FP ? w->fp : WORD(w, sp - 16);
	return return_at(w, sp - 8, fp);
}

/* Pushes the frame of the method whose entry code runs: its Method* is in rbx, bci is 0. */
static __always_inline int push_entered(struct walk *w)
{
	__u64 const_method = w->rbx ? read_pointer(w->rbx + config.method_const) : 0;

	if (!const_method)
		return MARK(w, JEBPF_END_CODELET);
	push_frame(w, JEBPF_FRAME_INTERPRETED, JEBPF_FRAME_EXACT, w->rbx,
		   const_method & 0xffffffffffffULL);
	return 0;
}

/* Interpreter entry: the frame is being built. -1: it is built, or this is no entry codelet. */
__noinline int unwind_entry(struct walk *w)
{
	__u32 offset = 0, pop_rax = 0, push_rax = 0, built = 0, n;
	__u64 ra, sender, fp;

	if (!w)
		return 1;
	n = config.entry_codelet_count;
	for (__u32 i = 0; i < JEBPF_ENTRY_CODELETS_MAX; i++) {
		if (i >= n || w->pc < config.entry_codelets[i].start)
			break;
		offset = w->pc - config.entry_codelets[i].start;
		built = offset < config.entry_codelets[i].size ? config.entry_codelets[i].built : 0;
		pop_rax = config.entry_codelets[i].pop_rax;
		push_rax = config.entry_codelets[i].push_rax;
	}
	if (offset >= built)
		return -1;
	if (push_entered(w))
		return 1;
	fp = w->fp;
	if (offset <= pop_rax) {
		ra = WORD(w, w->sp);
		sender = w->sp + 8;
	} else if (offset <= push_rax) {
		ra = w->rax;
		sender = w->sp;
	} else if (offset == push_rax + 1) {
		ra = WORD(w, w->sp);
		sender = w->sp + 8;
	} else if (offset < push_rax + 5) {
		fp = WORD(w, w->sp);
		ra = WORD(w, w->sp + 8);
		sender = w->sp + 16;
	} else {
		fp = WORD(w, w->fp);
		ra = WORD(w, w->fp + 8);
		sender = w->fp + 16;
	}
	return to_caller(
		w, ra, w->r13 > sender && w->r13 - sender < ADAPTER_ARGS_MAX ? w->r13 : sender, fp);
}

/* Interpreter exit: `leave; [mov byte [r15 + x], 0;] pop r13; mov rsp, rbx; [poll;] jmp r13`. */
__noinline int unwind_exit(struct walk *w)
{
	const __u8 *c;
	__u64 ra;

	if (!w)
		return 1;
	c = &w->bytes[BEFORE_PC];
	if (read_user(w->bytes, AROUND_PC, w->pc - BEFORE_PC))
		return -1;
	if ((c[0] == 0x41 && c[1] == 0x5d && c[2] == 0x48 && c[3] == 0x8b && c[4] == 0xe3) ||
	    (c[0] == 0x41 && c[1] == 0xc6 &&
	     ((c[8] == 0x41 && c[9] == 0x5d) || (c[5] == 0x41 && c[6] == 0x5d)))) {
		ra = WORD(w, w->sp);
		push_frame(w, JEBPF_FRAME_INTERPRETER, JEBPF_FRAME_EXACT, w->pc, 0);
		return to_caller(w, ra, w->rbx, w->fp);
	}
	if (c[0] == 0x48 && c[1] == 0x8b && c[2] == 0xe3 && c[-2] == 0x41 && c[-1] == 0x5d) {
		push_frame(w, JEBPF_FRAME_INTERPRETER, JEBPF_FRAME_EXACT, w->pc, 0);
		return to_caller(w, w->r13, w->rbx, w->fp);
	}
	if ((c[0] == 0x41 && c[1] == 0xff && c[2] == 0xe5) ||
	    (c[-3] == 0x48 && c[-2] == 0x8b && c[-1] == 0xe3)) {
		push_frame(w, JEBPF_FRAME_INTERPRETER, JEBPF_FRAME_EXACT, w->pc, 0);
		return to_caller(w, w->r13, w->sp, w->fp);
	}
	return -1;
}

__noinline int unwind_exact_interpreter(struct walk *w)
{
	int result;

	if (!w)
		return 1;
	result = unwind_entry(w);
	if (result >= 0)
		return result;
	result = unwind_exit(w);
	if (result >= 0)
		return result;
	return unwind_interpreted(w);
}

/* Adapters shuffle arguments between conventions; the return address waits in rax meanwhile. */
static __always_inline int unwind_adapter(struct walk *w)
{
	if (plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (plausible_return(w, w->rax)) {
		bool moved = w->r13 > w->sp && w->r13 - w->sp < ADAPTER_ARGS_MAX;

		return to_caller(w, w->rax, moved ? w->r13 : w->sp, w->fp);
	}
	if (plausible_word(w, w->sp + 8))
		return return_at(w, w->sp + 8, w->fp);
	return unwind_pushed_words(w, w->sp);
}

/* What the bytes at the pc of a stub or blob say about its frame. */
static __always_inline int stub_state(struct walk *w)
{
	const __u8 *c = &w->bytes[BEFORE_PC];

	if (read_user(w->bytes, AROUND_PC, w->pc - BEFORE_PC))
		return WHOLE_FRAME;
	if (c[0] == 0xc3 || (c[0] == 0xc5 && c[1] == 0xf8 && c[2] == 0x77 && c[3] == 0xc3))
		return RA_AT_SP;
	if (c[0] == 0x55 && c[1] == 0x48 && c[2] == 0x8b && c[3] == 0xec)
		return RA_AT_SP;
	if (c[-1] == 0x55 && c[0] == 0x48 && c[1] == 0x8b && c[2] == 0xec)
		return RA_ABOVE_FP;
	if (c[0] == 0x5d && c[1] == 0xc3)
		return RA_ABOVE_FP;
	return WHOLE_FRAME;
}

/* Stubs, runtime blobs, adapters and frameless code, interrupted anywhere. */
__noinline int unwind_exact_blob(struct walk *w)
{
	__u64 sp, fp;
	int state;

	if (!w)
		return 1;
	switch (w->self.kind) {
	case CODE_INTRINSIC:
	case CODE_VTABLE:
		return return_at(w, w->sp, w->fp);
	case CODE_ADAPTER:
		return unwind_adapter(w);
	case CODE_EXCEPTION:
		if (plausible_return(w, w->rdx) &&
		    !plausible_word(w, w->sp + w->self.frame_bytes - 8))
			return to_caller(w, w->rdx, w->sp, w->fp);
	}
	state = stub_state(w);
	if (state == RA_AT_SP && plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (state == RA_ABOVE_FP && plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	if (in_continuation_stubs(w->pc))
		return cross_to_carrier(w);
	sp = w->sp + w->self.frame_bytes;
	if (w->self.frame_bytes > 0 && plausible_word(w, sp - 8)) {
		fp = WORD(w, sp - 16);
		return return_at(w, sp - 8, fp);
	}
	if (w->fp - (w->sp - 8) <= SCAN_FP_MAX && plausible_word(w, w->fp + 8))
		return unwind_by_fp(w);
	if (plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	return unwind_pushed_words(w, w->sp);
}

#endif
