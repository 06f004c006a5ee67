/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * x86-64: stubs, adapters and runtime blobs: hand-made code, each piece with a frame of its own
 * kind. Nothing is taken on trust: a frame pointer may belong to a frame far out, a slot may hold
 * an old return address. Certain is a return address whose call goes to the very blob.
 */
#ifndef JEBPF_EXACT_BLOB_X86_BPF_H
#define JEBPF_EXACT_BLOB_X86_BPF_H

#define SCAN_FP_MAX 8192   /* a stub's frame pointer is at most this far above rsp */
#define SCAN_WORDS_MAX 128 /* scratch words of a stub without frame pointer: SHA-512 has 70 */
#define SUBTYPE_STUB_BYTES 1024
#define COOKIE (~0ULL)	   /* pushed by the method entry barrier below its frame */
#define LONG_CALL_BYTES 13
/* all registers, as HotSpot pushes them */
#define PUSHED_R13 (2 * 8)
#define PUSHED_RBP (10 * 8)
#define PUSHED_RAX (15 * 8)
#define FPU_STATE_MAX 4096
#define BARRIER_DEPTH_MAX 1024
#define BARRIER_UNSEEN (1 << 20)

/*
 * Whether the word at an address returns behind a call that goes into the blob being unwound: call
 * rel32, or mov r10, imm64; call r10.
 */
__noinline int called_here(struct walk *w, __u64 address)
{
	__u8 c[16] = {};
	__u64 goes_to;

	if (!w || read_word(w, address) || !in_code_cache(w->value))
		return 0;
	/* the code cache's own address: no call lies in front of it, and nothing can be read there */
	if (RULE(CALL_IN_CACHE) && !in_code_cache(w->value - LONG_CALL_BYTES))
		return 0;
	if (read_user(c, LONG_CALL_BYTES, w->value - LONG_CALL_BYTES)) {
		if (find_blob(w, w->value)) /* else there is no code */
			fail_unread(w, JEBPF_UNREAD_FILE, w->value - LONG_CALL_BYTES);
		return 0;
	}
	if (c[8] == 0xe8)
		goes_to = w->value + (__s64)(__s32)(c[9] | c[10] << 8 | c[11] << 16 | (__u32)c[12] << 24);
	else if (c[0] == 0x49 && c[1] == 0xba && c[10] == 0x41 && c[11] == 0xff && c[12] == 0xd2)
		goes_to = c[2] | c[3] << 8 | c[4] << 16 | (__u64)c[5] << 24 | (__u64)c[6] << 32 |
			  (__u64)c[7] << 40;
	else
		return 0;
	return goes_to - w->self.blob < (__u32)w->self.blob_bytes;
}

/* Looks for a certain return address above the first two words. */
__noinline int scan_stub(struct walk *w)
{
	if (!w || !RULE(SCAN_STUB))
		return -1;
	for (int k = 2; k < SCAN_WORDS_MAX; k++) {
		if (called_here(w, w->sp + 8 * k))
			return to_caller(w, w->value, w->sp + 8 * k + 8, w->fp);
	}
	return -1;
}

/*
 * The method entry barrier: push -1; push rbp; mov rbp, rsp; … leave; add rsp, 8; ret. -1: no
 * cookie is where it would be.
 */
static __always_inline int unwind_barrier_stub(struct walk *w)
{
	__u64 fp;

	if (!RULE(BARRIER_STUB))
		return -1;
	/* other stubs keep vectors there, which may look like the cookie */
	if (!read_word(w, w->sp) && w->value == COOKIE && plausible_word(w, w->sp + 8))
		return return_at(w, w->sp + 8, w->fp);
	if (!read_word(w, w->sp + 8) && w->value == COOKIE && plausible_word(w, w->sp + 16)) {
		fp = WORD(w, w->sp);
		return return_at(w, w->sp + 16, fp);
	}
	if (w->fp - w->sp < SCAN_FP_MAX && !read_word(w, w->fp + 8) && w->value == COOKIE &&
	    plausible_word(w, w->fp + 16)) {
		fp = WORD(w, w->fp);
		return return_at(w, w->fp + 16, fp);
	}
	return -1;
}

/*
 * forward_exception: the throwing frame is gone, its return address lies at rsp until `pop rdx`:
 *   …; [sub rsp, 8;] call; [add rsp, 8;] mov rbx, rax; pop rdx; mov rax, [r15 + x]; …; jmp rbx
 * The bytes around the pc are in w->bytes. -1: this is another stub.
 */
static __always_inline int unwind_forward_exception(struct walk *w)
{
	const __u8 *c = &w->bytes[EXIT_BEFORE];
	int pop = find_bytes(w, EXIT_BEFORE - 24, EXIT_BEFORE + 56, 0x5ad88b48, ~0u);
	__u64 skip = 0;

	if (pop < 0 || !RULE(FORWARD_EXCEPTION))
		return -1;
	if (EXIT_BEFORE > pop + 3) {
		if (find_bytes(w, pop, EXIT_BEFORE, 0xe3ff, 0xffff) >= 0)
			return -1;
		return to_caller(w, w->rdx, w->sp, w->fp);
	}
	if (w->exact) {
		/* between `sub rsp, 8` and `add rsp, 8` */
		if ((c[-1] == 0x08 && c[-2] == 0xec) || (c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xc4))
			skip = 8;
	} else if (c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xc4) {
		skip = 8;
	}
	return return_at(w, w->sp + skip, w->fp);
}

/*
 * An adapter from compiled to interpreted code has called C++ to patch the caller. On the stack are
 * the FPU's state, whose size the `add rsp, imm32` behind the call tells, and all registers; r13 is
 * the stack pointer from before. -1: that is not what happened.
 */
static __always_inline int unwind_patching_adapter(struct walk *w)
{
	__u64 registers, sp, ra, fp;
	__u32 fpu;
	int add;

	if (read_code(w, AROUND_PC, w->pc))
		return MARK(w, JEBPF_END_READ_FAULT);
	add = find_bytes(w, 0, AROUND_PC - 8, 0xc48148, 0xffffff);
	if (add < 0 || !RULE(ADAPTER_PATCHES))
		return -1;
	fpu = four_bytes(w, add + 3);
	if (fpu > FPU_STATE_MAX)
		return -1;
	registers = w->sp + fpu;
	sp = WORD(w, registers + PUSHED_R13);
	ra = WORD(w, registers + PUSHED_RAX);
	fp = WORD(w, registers + PUSHED_RBP);
	if (sp - registers > 2 * PUSHED_RAX || read_word(w, sp) || w->value != ra)
		return -1;
	return to_caller(w, ra, sp + 8, fp);
}

/*
 * The adapter from compiled to interpreted code holds its callee's class alive first. Some collectors'
 * barrier there saves all registers, and calls C++. How far rsp is lowered at the pc is added up over the
 * instructions since the barrier's start: the code is straight but for jumps over balanced pieces.
 * -1: the pc is not in a barrier.
 */
__noinline int adapter_depth(struct walk *w)
{
	__u64 size;

	if (!w)
		return -1;
	size = w->pc - w->self.blob;
	if (size > BARRIER_CODE)
		size = BARRIER_CODE;
	if (size < 16 || read_code(w, size, w->pc - size))
		return -1;
	w->high = size;
	w->low = BARRIER_UNSEEN;
	w->restored = 0;
	for (__u32 i = 2; i < BARRIER_CODE; i++)
		if (add_depth(w, i))
			break;
	return w->low < BARRIER_DEPTH_MAX ? w->low : -1;
}

static __always_inline int unwind_adapter_barrier(struct walk *w)
{
	int depth = adapter_depth(w);

	if (!RULE(ADAPTER_BARRIER) || depth < 0 || !java_caller(w, w->sp + depth))
		return -1;
	return return_at(w, w->sp + depth, w->fp);
}

/* Stubs and upcalls below another frame: rbp frames, but for a few. */
__noinline int unwind_stub(struct walk *w)
{
	__u64 fp, ra;
	int result;

	if (!w)
		return 1;
	if (w->self.kind == CODE_ADAPTER) {
		result = unwind_patching_adapter(w);
		if (result < 0)
			result = unwind_adapter_barrier(w);
		if (result < 0)
			result = scan_stub(w);
		return result >= 0 ? result : unwind_pushed_words(w, w->sp);
	}
	if (w->self.pc != config.call_stub_return && w->self.kind != CODE_UPCALL) {
		result = unwind_barrier_stub(w);
		if (result >= 0)
			return result;
		if (read_code(w, EXIT_BYTES, w->pc - EXIT_BEFORE))
			return MARK(w, JEBPF_END_READ_FAULT);
		result = unwind_forward_exception(w);
		if (result >= 0)
			return result;
		if (!called_here(w, w->fp + 8)) {
			result = scan_stub(w);
			if (result >= 0)
				return result;
		}
		if (!plausible_word(w, w->fp + 8))
			return unwind_pushed_words(w, w->sp);
	}
	if (RULE(ENTRY_WRAPPER_ANCHOR) && w->self.pc == config.call_stub_return)
		w->entry_fp = w->fp;
	fp = WORD(w, w->fp);
	ra = WORD(w, w->fp + 8);
	return to_caller(w, ra, w->fp + 16, fp);
}

/*
 * Adapters shuffle arguments between conventions; the return address waits in rax meanwhile, the
 * caller's sp in r13: lea r13, [rsp + 8]; pop rax; sub rsp, x; push rax; …; jmp.
 */
static __always_inline int unwind_adapter(struct walk *w)
{
	const __u8 *c = &w->bytes[EXIT_BEFORE];
	bool moved = RULE(ADAPTER_SENDER) && w->r13 > w->sp && w->r13 - w->sp < ADAPTER_ARGS_MAX;
	bool popped = RULE(ADAPTER_POPPED) && (c[0] == 0x50 || c[-1] == 0x58);

	if (popped && plausible_return(w, w->rax))
		return to_caller(w, w->rax, moved ? w->r13 : w->sp, w->fp);
	if (plausible_word(w, w->sp))
		return to_caller(w, w->value, moved && w->value == w->rax ? w->r13 : w->sp + 8, w->fp);
	/* about to call C++: r13 is the old rsp */
	if (moved && !read_word(w, w->r13) && (w->value == w->rax || plausible_return(w, w->value)))
		return return_at(w, w->r13, w->fp);
	if (plausible_return(w, w->rax))
		return to_caller(w, w->rax, moved ? w->r13 : w->sp, w->fp);
	if (plausible_word(w, w->sp + 8))
		return return_at(w, w->sp + 8, w->fp);
	return unwind_pushed_words(w, w->sp);
}

/* What the bytes at the pc of a stub or blob say about its frame. */
static __always_inline int stub_state(struct walk *w)
{
	const __u8 *c = &w->bytes[EXIT_BEFORE];

	if (!RULE(STUB_STATE))
		return WHOLE_FRAME;
	if (c[0] == 0xc3 || (c[0] == 0xc5 && c[1] == 0xf8 && c[2] == 0x77 && c[3] == 0xc3))
		return RA_AT_SP;
	if (c[0] == 0x55 && c[1] == 0x48 && c[2] == 0x8b && c[3] == 0xec)
		return RA_AT_SP;
	if (c[-1] == 0x55 && c[0] == 0x48 && c[1] == 0x8b && c[2] == 0xec)
		return RA_ABOVE_FP;
	/* pop rbp; ret, or a jump to another blob */
	if (c[0] == 0x5d && (c[1] == 0xc3 || c[1] == 0xe9))
		return RA_ABOVE_FP;
	if (c[0] == 0xe9 && c[-1] == 0x5d)
		return RA_AT_SP;
	/* C2's rethrow stub: push [rsp + 24]; pop [rsp] */
	if (RULE(RETHROW) && c[0] == 0x48 && c[1] == 0x8f && c[2] == 0x04 && c[3] == 0x24)
		return ONE_PUSHED;
	/* its end: pop rbp; pop rdx; jmp r10 */
	if (RULE(RETHROW_LEFT) && c[0] == 0x5d && c[1] == 0x5a && c[2] == 0x41 && c[3] == 0xff && c[4] == 0xe2)
		return RA_ABOVE_FP;
	if (RULE(RETHROW_LEFT) && c[0] == 0x5a && c[1] == 0x41 && c[2] == 0xff && c[3] == 0xe2)
		return RA_AT_SP;
	if (RULE(RETHROW_LEFT) && c[-1] == 0x5a && c[0] == 0x41 && c[1] == 0xff && c[2] == 0xe2)
		return RA_IN_RDX;
	/* C1's exception stub: leave; pop rcx; jmp rcx, the handler's address as return address */
	if (RULE(HANDLER) && c[0] == 0x59 && c[1] == 0xff && c[2] == 0xe1)
		return HANDLER_AT_SP;
	if (RULE(HANDLER_POPPED) && c[-1] == 0x59 && c[0] == 0xff && c[1] == 0xe1)
		return HANDLER_IN_RCX;
	/* exception blob: push rdx; sub rsp, 8; mov [rsp], rbp */
	if (c[0] == 0x52 && c[1] == 0x48 && c[2] == 0x83 && c[3] == 0xec && c[4] == 0x08)
		return RA_IN_RDX;
	if (c[-1] == 0x52 && c[0] == 0x48 && c[1] == 0x83 && c[2] == 0xec && c[3] == 0x08)
		return RA_AT_SP;
	/* its end: add rsp, 8; pop rdx; mov r8, rax */
	if (RULE(EXCEPTION_POP) && c[-1] == 0x08 && c[0] == 0x5a && c[1] == 0x4c && c[2] == 0x8b && c[3] == 0xc0)
		return RA_AT_SP;
	return WHOLE_FRAME;
}

/* A blob with a frame size. The safepoint blob returns to a poll, which is no call. */
__noinline int returns_to_code(struct walk *w, __u64 address)
{
	if (!w || read_word(w, address) || !in_code_cache(w->value))
		return 0;
	if (in_interpreter(w->value) || (RULE(RETURNS_TO_CALL_STUB) && w->value == config.call_stub_return))
		return 1;
	return !find_code(w, w->value) && w->found.kind == CODE_NMETHOD;
}

/* Where no return address is certain: what is plausible, the likelier places first. */
__noinline int unwind_uncertain_blob(struct walk *w)
{
	if (!w)
		return 1;
	/* of the call stub this is not the frame to find an anchor by: it may not have kept its place yet */
	if (w->fp - (w->sp - 8) <= SCAN_FP_MAX && plausible_word(w, w->fp + 8) &&
	    !plausible_word(w, w->sp))
		return unwind_by_fp(w);
	if (plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	if (w->self.kind == CODE_EXCEPTION && plausible_return(w, w->rdx))
		return to_caller(w, w->rdx, w->sp, w->fp);
	return unwind_pushed_words(w, w->sp);
}

/* The exception blob behind `pop rdx; mov r8, rax; …; jmp r8`: the frame is gone. */
static __always_inline bool exception_delivered(struct walk *w)
{
	int pop = find_bytes(w, EXIT_BEFORE - 40, EXIT_BEFORE, 0xc08b4c5a, ~0u);

	return RULE(EXCEPTION_BLOB) && pop >= 0 && find_bytes(w, pop, EXIT_BEFORE, 0xe0ff41, 0xffffff) < 0;
}

/* The pc of the poll that was met last, in compiled code; 0: it is not known. */
__noinline __u64 polled_pc(struct walk *w)
{
	__u64 pc;

	if (!w || config.thread_saved_pc == JEBPF_ABSENT || !current_thread(w))
		return 0;
	pc = read_pointer(w, w->thread + config.thread_saved_pc);
	return in_code_cache(pc) && !find_code(w, pc) && w->found.kind == CODE_NMETHOD ? pc : 0;
}

/*
 * A safepoint blob that was entered by a poll in the middle of a method:
 *   push rbx; push rbp; mov rbp, rsp; …; mov rbx, [r15 + x]; mov [rbp + 8], rbx
 * The first push makes room for the return address, which the thread keeps until the last of these.
 * -1: the return address is in its place.
 */
static __always_inline int unwind_safepoint(struct walk *w)
{
	const __u8 *c = &w->bytes[EXIT_BEFORE];
	__u64 pc, frame = w->fp;

	if (!RULE(SAFEPOINT_SAVES))
		return -1;
	if ((c[0] == 0x53 && c[1] == 0x55) || (c[-1] == 0x53 && c[0] == 0x55)) {
		pc = polled_pc(w);
		return pc ? to_caller(w, pc, c[0] == 0x53 ? w->sp : w->sp + 8, w->fp) : -1;
	}
	if (c[-1] == 0x55 && c[0] == 0x48 && c[1] == 0x8b)
		frame = w->sp;
	if (frame - w->sp >= (__u32)w->self.frame_bytes || returns_to_code(w, frame + 8))
		return -1;
	pc = polled_pc(w);
	/* rbx is what was pushed, or by now what takes its place */
	if (!pc || (WORD(w, frame + 8) != w->rbx && pc != w->rbx))
		return -1;
	return to_caller(w, pc, frame + 16, WORD(w, frame));
}

static __always_inline int unwind_exact_runtime(struct walk *w, int state)
{
	__u64 sp = w->sp + w->self.frame_bytes + (state == ONE_PUSHED ? 8 : 0);
	__u64 fp;
	int result;

	if (w->self.kind == CODE_SAFEPOINT) {
		result = unwind_safepoint(w);
		if (result >= 0)
			return result;
	}
	if (state == RA_IN_RDX || exception_delivered(w))
		return to_caller(w, w->rdx, w->sp, w->fp);
	if (state == HANDLER_IN_RCX)
		return to_caller(w, w->rcx, w->sp, w->fp);
	if ((state == RA_AT_SP || state == HANDLER_AT_SP) && returns_to_code(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (state == RA_ABOVE_FP && returns_to_code(w, w->sp + 8))
		return return_at_pushed_fp(w);
	/* registers are being saved or restored: where its frame would end another's return address may lie */
	if (RULE(RUNTIME_PARTLY) && w->fp - w->sp < (__u64)w->self.frame_bytes - 16 && called_here(w, w->fp + 8))
		return unwind_by_fp(w);
	if (RULE(RUNTIME_FRAME) && returns_to_code(w, sp - 8)) {
		fp = WORD(w, sp - 16);
		return return_at(w, sp - 8, fp);
	}
	/* the same, where the call is none that can be followed */
	if (w->fp - w->sp < (__u32)w->self.frame_bytes && returns_to_code(w, w->fp + 8))
		return unwind_by_fp(w);
	return unwind_uncertain_blob(w);
}

/*
 * C1's stub that searches a class's supertypes keeps four registers, and lowers rsp by four words more of
 * which one is never written: there the return address of an older call of the same stub may lie. What it
 * pushes is known by its code, behind that the words that it saved cannot be taken for others:
 *   push rdi; push rsi; push rcx; push rax; …; [sub rsp, 32; …; add rsp, 32; …;] pop rax; … pop rdi; ret
 * -1: this is another stub.
 */
__noinline int subtype_stub_depth(struct walk *w)
{
	__u8 first[4] = {}, next[2] = {};
	__u64 begin;

	if (!w || !RULE(SUBTYPE_STUB) || w->self.blob_bytes > SUBTYPE_STUB_BYTES || !read_header(w, w->self.blob))
		return -1;
	begin = code_begin(w, w->self.blob);
	if (read_user(first, sizeof(first), begin) || first[0] != 0x57 || first[1] != 0x56 || first[2] != 0x51 ||
	    first[3] != 0x50 || read_user(next, sizeof(next), w->pc))
		return -1;
	if (w->pc - begin <= sizeof(first))
		return 8 * (w->pc - begin);
	if (next[0] == 0x58)
		return 32;
	if (next[0] == 0x59 && next[1] == 0x5e)
		return 24;
	if (next[0] == 0x5e && next[1] == 0x5f)
		return 16;
	if (next[0] == 0x5f)
		return 8;
	if (next[0] == 0xc3)
		return 0;
	return called_here(w, w->sp + 32) ? 32 : 64;
}

/* A stub: certain return addresses first, at rsp, above a pushed rbp, above rbp, further up. */
__noinline int unwind_exact_stub(struct walk *w)
{
	int result;

	if (!w)
		return 1;
	result = unwind_barrier_stub(w);
	if (result >= 0)
		return result;
	result = unwind_forward_exception(w);
	if (result >= 0)
		return result;
	result = subtype_stub_depth(w);
	if (result >= 0 && called_here(w, w->sp + result))
		return return_at(w, w->sp + result, w->fp);
	if (RULE(CALLED_HERE) && called_here(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (called_here(w, w->sp + 8))
		return return_at_pushed_fp(w);
	if (w->fp - w->sp <= SCAN_FP_MAX && called_here(w, w->fp + 8))
		return unwind_by_fp(w);
	result = scan_stub(w);
	return result >= 0 ? result : unwind_uncertain_blob(w);
}

/*
 * A stub that thaws, once `thaw` has returned in rax: the stack pointer of the youngest thawed frame,
 * moved to rbx, or 0. Before, rbx is the size of the room for them, or what the method that
 * returned has left in it.
 */
static __always_inline __u64 thawed_sp(struct walk *w)
{
	__u64 entry = RULE(THAWING) ? find_entry(w, w->sp) : 0;
	__u64 sp = w->rbx - w->sp < entry - w->sp ? w->rbx : w->rax;

	if (entry - w->sp <= BARRIER_SAVED_BYTES + 8)
		return 0; /* there is no room yet */
	return sp - w->sp < entry - w->sp && !(sp & 15) && plausible_word(w, sp - 8) ? sp : 0;
}

/* Stubs, runtime blobs, adapters and frameless code, interrupted anywhere. */
__noinline int unwind_exact_blob(struct walk *w)
{
	int state;
	__u64 sp;

	if (!w)
		return 1;
	if (read_code(w, EXIT_BYTES, w->pc - EXIT_BEFORE))
		return MARK(w, JEBPF_END_READ_FAULT);
	if (w->self.kind == CODE_ADAPTER) {
		state = unwind_adapter_barrier(w);
		if (state >= 0)
			return state;
		if (read_code(w, EXIT_BYTES, w->pc - EXIT_BEFORE))
			return MARK(w, JEBPF_END_READ_FAULT);
		return unwind_adapter(w);
	}
	/* no frame, but a load barrier in them may save registers */
	if (RULE(FRAMELESS) && (w->self.kind == CODE_INTRINSIC || w->self.kind == CODE_VTABLE) &&
	    plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	state = stub_state(w);
	if (state == RA_AT_SP && plausible_word(w, w->sp))
		return return_at(w, w->sp, w->fp);
	if (state == RA_ABOVE_FP && plausible_word(w, w->sp + 8))
		return return_at_pushed_fp(w);
	if (RULE(CONTINUATION_STUBS) && in_continuation_stubs(w->pc)) {
		sp = thawed_sp(w);
		if (sp)
			return to_caller(w, WORD(w, sp - 8), sp, WORD(w, sp - 16));
		return cross_to_carrier(w);
	}
	if (w->self.frame_bytes > 0)
		return unwind_exact_runtime(w, state);
	return unwind_exact_stub(w);
}

#endif
