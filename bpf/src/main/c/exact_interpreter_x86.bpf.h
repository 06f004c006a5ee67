/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* x86-64: the interpreter where its frame is not built yet, or is gone. */
#ifndef JEBPF_EXACT_INTERPRETER_X86_BPF_H
#define JEBPF_EXACT_INTERPRETER_X86_BPF_H

#define SENDER_PUSHED 7 /* bytes of `push rax; push rbp; mov rbp, rsp; push r13` */
#define ADAPTER_ARGS_MAX 65536 /* arguments that an adapter moves, in bytes */
#define SPECIAL_WORDS_MAX 96	/* that an entry without a frame puts on the stack */
#define NO_OFFSET 0xffffffff   /* of a codelet that has no such place */
#define EXIT_BEFORE 128	       /* bytes read before the pc; the longest exit sequence has 100 */
#define EXIT_BYTES 208

/* Pushes the frame of the method whose entry code runs: its Method* is in rbx, bci is 0. */
static __always_inline int push_entered(struct walk *w)
{
	__u64 const_method = w->rbx ? read_pointer(w, w->rbx + config.method_const) : 0;
	__u16 code_size = 0;

	if (!const_method)
		return MARK(w, JEBPF_END_CODELET);
	push_frame(w, JEBPF_FRAME_INTERPRETED, JEBPF_FRAME_EXACT, w->rbx,
		   method_identity(const_method, &code_size));
	return 0;
}

/* No Java frame is left, or none is there yet: names the interpreter itself. */
static __always_inline int leave_interpreter(struct walk *w, __u64 ra, __u64 sp)
{
	push_frame(w, JEBPF_FRAME_INTERPRETER, w->exact ? JEBPF_FRAME_EXACT : 0, w->pc, 0);
	return to_caller(w, ra, sp, w->fp);
}

/*
 * An entry that does its method's work itself, without a frame. Where a collector's barrier keeps registers
 * there, the return address is further up, below r13, with the arguments of a compiled caller between; and
 * rbx may have been put to other use: then nobody knows the method.
 */
static __always_inline int unwind_special_entry(struct walk *w)
{
	__u64 address = w->r13 - 8, const_method = 0, ra;
	__u8 byte;

	if (!RULE(SPECIAL_ENTRY) || address < w->sp || address - w->sp > 8 * SPECIAL_WORDS_MAX || (address & 7))
		return -1;
	for (int i = 0; i < SPECIAL_WORDS_MAX && address >= w->sp; i++, address -= 8) {
		if (!plausible_word(w, address))
			continue;
		ra = w->value;
		if (w->rbx)
			const_method = read_pointer(w, w->rbx + config.method_const);
		if (!const_method || read_user(&byte, 1, const_method))
			return leave_interpreter(w, ra, w->r13);
		return push_entered(w) ? 1 : to_caller(w, ra, w->r13, w->fp);
	}
	return -1;
}

/* Interpreter entry: the frame is being built. -1: it is built, or this is no entry codelet. */
__noinline int unwind_entry(struct walk *w)
{
	__u32 offset = 0, pop_rax = 0, push_rax = 0, built = 0, n;
	__u64 ra, sender, fp;
	int result;

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
	if (!RULE(ENTRY) || offset >= built)
		return -1;
	if (pop_rax == NO_OFFSET) {
		result = unwind_special_entry(w);
		if (result >= 0)
			return result;
	}
	if (push_entered(w))
		return 1;
	fp = w->fp;
	if (RULE(ENTRY_BEGIN) && offset <= pop_rax && plausible_word(w, w->sp)) {
		ra = w->value;
		sender = w->sp + 8;
	} else if (offset <= pop_rax) {
		/* methods that are done right here: `pop rdi; mov rsp, r13; jmp rdi`; Thread.currentThread with rcx */
		ra = RULE(ENTRY_RCX) && !plausible_return(w, w->rdi) ? w->rcx : w->rdi;
		sender = w->sp;
	} else if (RULE(ENTRY_POPPED) && offset <= push_rax) {
		ra = w->rax;
		sender = w->sp;
	} else if (RULE(ENTRY_PUSHED) && offset == push_rax + 1) {
		ra = WORD(w, w->sp);
		sender = w->sp + 8;
	} else if (RULE(ENTRY_FP) && offset < push_rax + 5) {
		fp = WORD(w, w->sp);
		ra = WORD(w, w->sp + 8);
		sender = w->sp + 16;
	} else {
		fp = WORD(w, w->fp);
		ra = WORD(w, w->fp + 8);
		sender = w->fp + 16;
		if (RULE(ENTRY_SENDER) && offset >= push_rax + SENDER_PUSHED) {
			sender = WORD(w, w->fp + SLOT_SENDER_SP); /* r13 is used for other things by now */
			return to_caller(w, ra, sender, fp);
		}
	}
	return to_caller(
		w, ra, w->r13 > sender && w->r13 - sender < ADAPTER_ARGS_MAX ? w->r13 : sender, fp);
}

/* Four bytes at w->bytes[i], the first one lowest. */
static __always_inline __u32 four_bytes(const struct walk *w, __u32 i)
{
	const __u8 *c = &w->bytes[i & 255];

	return c[0] | c[1] << 8 | c[2] << 16 | (__u32)c[3] << 24;
}

/* Whether these bytes are at w->bytes[i]; a function of its own, as add_depth() is. */
__noinline int bytes_at(struct walk *w, __u32 i, __u32 bytes, __u32 mask)
{
	return w && (four_bytes(w, i) & mask) == bytes;
}

/* The first place in [from, to) of w->bytes with these bytes (those that the mask has), or -1. */
__noinline int find_bytes(struct walk *w, __u32 from, __u32 to, __u32 bytes, __u32 mask)
{
	if (!w)
		return -1;
	/* in memory: the verifier learns nothing about the bounds in a round, so no two differ */
	w->low = from;
	w->high = to;
	for (__u32 i = 0; i < EXIT_BYTES - 4; i++) {
		if (!bytes_at(w, i, bytes, mask))
			continue;
		if (i >= *(volatile __u64 *)&w->low && i < *(volatile __u64 *)&w->high)
			return i;
	}
	return -1;
}

/*
 * An exception leaves an interpreted method: its frame is gone, the return address is in rdx or on
 * the stack while C++ looks for the handler:
 *   push rax; push rdx; …; [sub rsp, 8;] call; [add rsp, 8;] mov rbx, rax; pop rdx; pop rax; jmp rbx
 */
static __always_inline int unwind_throw(struct walk *w, int at)
{
	int push = find_bytes(w, at, EXIT_BYTES, 0x8b485250, ~0u); /* push rax; push rdx; mov … */
	int pop = find_bytes(w, at, EXIT_BYTES, 0xe3ff585a, ~0u);
	__u64 skip;

	if (!RULE(INTERPRETER_THROW) || push < 0 || pop < push || EXIT_BEFORE > pop + 2)
		return -1;
	if (EXIT_BEFORE <= push)
		return leave_interpreter(w, w->rdx, w->sp);
	if (EXIT_BEFORE == push + 1 || EXIT_BEFORE == pop + 1)
		return leave_interpreter(w, w->rdx, w->sp + 8);
	if (EXIT_BEFORE == pop + 2)
		return leave_interpreter(w, w->rdx, w->sp);
	skip = plausible_word(w, w->sp) ? 0 : 8;
	if (read_word(w, w->sp + skip))
		return MARK(w, JEBPF_END_READ_FAULT);
	return leave_interpreter(w, w->value, w->sp + skip + 16);
}

/* The register that took the return address: by the last byte of its pop. */
static __always_inline __u64 popped(const struct walk *w, __u8 pop)
{
	return pop == 0x5a ? w->rdx : pop == 0x5e ? w->rsi : w->r13;
}

/*
 * Interpreter exit: `leave; [mov byte [r15 + x], 0;] pop r13; mov rsp, rbx; [checks;] jmp r13`, or
 * with rsi or rdx in the place of r13. -1: the pc is not in there, the frame is whole.
 */
__noinline int unwind_exit(struct walk *w)
{
	int at = -1, next, jump;
	__u8 pop;
	__u64 ra;

	if (!w || read_code(w, EXIT_BYTES, w->pc - EXIT_BEFORE))
		return -1;
	/* the last `mov rsp, rbx` before the pc, or one close behind it */
	for (int i = 0; i < 4; i++) {
		next = find_bytes(w, at + 1, EXIT_BEFORE + 12, 0xe38b48, 0xffffff);
		if (next < 0)
			break;
		at = next;
	}
	if (at < 2)
		return -1;
	pop = w->bytes[(at - 1) & 255];
	if (pop != 0x5a && pop != 0x5e && (pop != 0x5d || w->bytes[(at - 2) & 255] != 0x41))
		return -1;
	if (RULE(EXIT_LEFT) && EXIT_BEFORE < at) {
		next = at - (pop == 0x5d ? 2 : 1) - EXIT_BEFORE; /* bytes to the pop */
		if (next && (four_bytes(w, EXIT_BEFORE) & 0xffff) != 0xc641)
			return -1;
		ra = WORD(w, w->sp);
		return leave_interpreter(w, ra, w->rbx);
	}
	if (RULE(EXIT_POPPED) && EXIT_BEFORE == at)
		return leave_interpreter(w, popped(w, pop), w->rbx);
	jump = find_bytes(w, at, EXIT_BEFORE, 0xe0ff, 0xf8ff);
	if (jump >= 0) /* behind the jump other code begins */
		return -1;
	if (pop == 0x5a && find_bytes(w, at, EXIT_BYTES, 0xe3ff585a, ~0u) >= 0)
		return unwind_throw(w, at);
	return RULE(EXIT_RETURN) ? leave_interpreter(w, popped(w, pop), w->sp) : -1;
}

/*
 * The interpreter called a stub or C++ where it has no frame: at a throw, or in an entry that does
 * its method's work itself (CRC32, sine). -1: there is a frame.
 */
__noinline int unwind_frameless_interpreter(struct walk *w)
{
	__u32 offset = ~0u, before = 0, n;
	int pop;

	if (!w)
		return 1;
	if (read_code(w, EXIT_BYTES, w->pc))
		return -1;
	/* behind the call: `[add rsp, 8; jmp +5; call;] mov rbx, rax; pop rdx; pop rax; jmp rbx` */
	pop = find_bytes(w, 0, 20, 0xe3ff585a, ~0u);
	if (pop == 3 || pop == 17) {
		__u64 skip = pop == 17 ? 8 : 0;
		__u64 ra = WORD(w, w->sp + skip);

		return leave_interpreter(w, ra, w->sp + skip + 16);
	}
	n = config.entry_codelet_count;
	for (__u32 i = 0; i < JEBPF_ENTRY_CODELETS_MAX; i++) {
		if (i >= n || w->pc < config.entry_codelets[i].start)
			break;
		offset = w->pc - config.entry_codelets[i].start;
		before = config.entry_codelets[i].pop_rax;
	}
	if (!n || before == NO_OFFSET || offset > before)
		return -1;
	for (int i = 0; i < 4; i++) {
		if (plausible_word(w, w->sp + 8 * i))
			return leave_interpreter(w, w->value, w->sp + 8 * i + 8);
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


#endif
