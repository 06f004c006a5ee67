/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* arm64: HotSpot code at an exact pc. Not done: each walk ends here with a reason. */
#ifndef JEBPF_EXACT_ARM64_BPF_H
#define JEBPF_EXACT_ARM64_BPF_H

/* bl imm26, or blr xN */
static __always_inline int behind_call(struct walk *w, __u64 pc)
{
	__u32 instruction = 0;

	if (read_user(&instruction, 4, pc - 4))
		return -1;
	return (instruction & 0xfc000000) == 0x94000000 || (instruction & 0xfffffc1f) == 0xd63f0000;
}

__noinline int unwind_system_call(struct walk *w)
{
	return 1;
}

__noinline int out_of_line_depth(struct walk *w)
{
	return 0;
}

__noinline int unwind_exact_nmethod(struct walk *w)
{
	return w ? MARK(w, JEBPF_END_BAD_RETURN) : 1;
}

static __always_inline bool wrapper_has_no_frame(struct walk *w)
{
	return false;
}

__noinline int unwind_exact_interpreter(struct walk *w)
{
	return w ? MARK(w, JEBPF_END_CODELET) : 1;
}

__noinline int unwind_exact_blob(struct walk *w)
{
	return w ? MARK(w, JEBPF_END_BAD_RETURN) : 1;
}

__noinline int unwind_frameless_interpreter(struct walk *w)
{
	return -1;
}

__noinline int unwind_stub(struct walk *w)
{
	return w ? unwind_by_fp(w) : 1;
}

#endif
