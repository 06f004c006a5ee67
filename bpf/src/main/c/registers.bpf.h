/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* From the kernel's saved registers to the start of a walk, for each architecture. */
#ifndef JEBPF_REGISTERS_BPF_H
#define JEBPF_REGISTERS_BPF_H

#if defined(__TARGET_ARCH_x86)

static __always_inline bool interrupted_kernel(struct bpf_perf_event_data *ctx)
{
	return (ctx->regs.cs & 3) == 0;
}

static __always_inline __u64 thread_pointer(struct task_struct *task)
{
	return task->thread.fsbase;
}

#define set_registers(w, regs)                                                                     \
	({                                                                                         \
		(w)->pc = (regs)->ip;                                                              \
		(w)->sp = (regs)->sp;                                                              \
		(w)->fp = (regs)->bp;                                                              \
		(w)->rax = (regs)->ax;                                                             \
		(w)->rbx = (regs)->bx;                                                             \
		(w)->rcx = (regs)->cx;                                                             \
		(w)->rdx = (regs)->dx;                                                             \
		(w)->rdi = (regs)->di;                                                             \
		(w)->r10 = (regs)->r10;                                                            \
		(w)->r11 = (regs)->r11;                                                            \
		(w)->r13 = (regs)->r13;                                                            \
		(w)->r15 = (regs)->r15;                                                            \
		(w)->exact = 1;                                                                    \
	})

#endif
#endif
