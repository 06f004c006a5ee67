/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * arm64: compiles, and walks native frames that keep a frame record. HotSpot frames at an exact
 * pc are not done: their walks end with a marker (see exact_arm64.bpf.h).
 */
#ifndef JEBPF_REGISTERS_ARM64_BPF_H
#define JEBPF_REGISTERS_ARM64_BPF_H

#define PSTATE_EL0 0 /* pstate's mode bits in user space */

static __always_inline bool interrupted_kernel(struct bpf_perf_event_data *ctx)
{
	return (ctx->regs.pstate & 0xf) != PSTATE_EL0;
}

static __always_inline __u64 thread_pointer(struct task_struct *task)
{
	return 0; /* TPIDR_EL0's place in thread_struct is not established */
}

/* Not used here: the kernel unwinds its own frames by frame pointers, without tables. */
static __always_inline __u64 stack_pointer(struct task_struct *task)
{
	return 0;
}

static __always_inline __u32 system_call(const struct pt_regs *regs)
{
	return 0;
}

static __always_inline void set_registers(struct walk *w, const struct pt_regs *regs)
{
	w->pc = regs->pc;
	w->sp = regs->sp;
	w->fp = regs->regs[29];
	w->lr = regs->regs[30];
	w->exact = 1;
}

static __always_inline int exact_register(const struct walk *w, __u8 cfa, __u64 *value)
{
	return 0;
}

static __always_inline int unwind_signal(struct walk *w, const struct jebpf_rule *rule)
{
	return MARK(w, JEBPF_END_NO_RULE);
}

#endif
