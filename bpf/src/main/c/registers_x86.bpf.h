/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* x86-64: from the kernel's saved registers to the start of a walk, and signal frames. */
#ifndef JEBPF_REGISTERS_X86_BPF_H
#define JEBPF_REGISTERS_X86_BPF_H

static __always_inline bool interrupted_kernel(struct bpf_perf_event_data *ctx)
{
	return (ctx->regs.cs & 3) == 0;
}

static __always_inline __u64 thread_pointer(struct task_struct *task)
{
	return task->thread.fsbase;
}

/* Of the kernel's stack of a thread that has no CPU; 0: not known. */
static __always_inline __u64 stack_pointer(struct task_struct *task)
{
	return task->thread.sp;
}

/* Number of the system call that the thread is in; all ones: it is in none. */
static __always_inline __u32 system_call(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void set_registers(struct walk *w, const struct pt_regs *regs)
{
	w->pc = regs->ip;
	w->sp = regs->sp;
	w->fp = regs->bp;
	w->rax = regs->ax;
	w->rbx = regs->bx;
	w->rcx = regs->cx;
	w->rdx = regs->dx;
	w->rdi = regs->di;
	w->rsi = regs->si;
	w->r10 = regs->r10;
	w->r11 = regs->r11;
	w->r13 = regs->r13;
	w->r15 = regs->r15;
	w->exact = 1;
}

/* The value of a register other than rsp and rbp that an unwind rule starts from. */
static __always_inline int exact_register(const struct walk *w, __u8 cfa, __u64 *value)
{
	if (!w->exact)
		return 0;
	switch (cfa) {
	case JEBPF_CFA_RBX:
		*value = w->rbx;
		return 1;
	case JEBPF_CFA_RDI:
		*value = w->rdi;
		return 1;
	case JEBPF_CFA_RDX:
		*value = w->rdx;
		return 1;
	case JEBPF_CFA_RCX:
		*value = w->rcx;
		return 1;
	case JEBPF_CFA_R11:
		*value = w->r11;
		return 1;
	case JEBPF_CFA_R10:
		*value = w->r10;
		return 1;
	case JEBPF_CFA_RAX:
		*value = w->rax;
		return 1;
	case JEBPF_CFA_RSI:
		*value = w->rsi;
		return 1;
	}
	return 0;
}

/* Below a signal frame the interrupted code goes on: all registers come from the saved context. */
static __always_inline int unwind_signal(struct walk *w, const struct jebpf_rule *rule)
{
	__u64 frame = w->sp;
	__u64 pc = WORD(w, frame + rule->ra_offset);
	__u64 sp = WORD(w, frame + rule->cfa_offset);
	__u64 fp = WORD(w, frame + rule->rbp_offset);

	/* struct rt_sigframe: ucontext at rsp, its gregs from byte 40: r8 … r15 rdi rsi rbp rbx rdx rax rcx */
	w->r10 = WORD(w, frame + 56);
	w->r11 = WORD(w, frame + 64);
	w->r13 = WORD(w, frame + 80);
	w->r15 = WORD(w, frame + 96);
	w->rdi = WORD(w, frame + 104);
	w->rsi = WORD(w, frame + 112);
	w->rbx = WORD(w, frame + 128);
	w->rdx = WORD(w, frame + 136);
	w->rax = WORD(w, frame + 144);
	w->rcx = WORD(w, frame + 152);
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->exact = 1;
	return 0;
}

#endif
