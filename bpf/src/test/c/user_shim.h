/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiles the kernel's unwinder as ordinary C: maps are arrays, user memory is whatever
 * shim_read() says. Nothing of the unwinder is repeated here.
 */
#ifndef JEBPF_USER_SHIM_H
#define JEBPF_USER_SHIM_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define __TARGET_ARCH_x86
#undef __noinline
#undef __always_inline
#define __noinline __attribute__((noinline))
#define __always_inline inline __attribute__((always_inline))
#define barrier_var(var) asm volatile("" : "+r"(var))

struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax, ip, cs, flags, sp, ss;
};

struct task_struct {
	struct {
		unsigned long sp, fsbase;
	} thread;
};

struct bpf_perf_event_data {
	struct pt_regs regs;
};

/* 0 when `size` bytes at `address` were copied; else the destination is zeroed, as in the kernel. */
long shim_read(void *to, __u32 size, __u64 address);

#define read_user(to, size, address) shim_read((void *)(to), size, (__u64)(address))
#define LOOP(rounds, body, context)                                                                \
	do {                                                                                       \
		for (__u32 round_ = 0; round_ < (rounds); round_++)                                \
			if (body(round_, context))                                                 \
				break;                                                             \
	} while (0)

#define EXACT_REGISTERS __u64 rax, rbx, rcx, rdx, rsi, rdi, r10, r11, r13, r15;
#define BYTECODE_POINTER r13

/* Word by word, so that a recorded case holds what the walk used and nothing else. */
#define STACK_WINDOW_WORDS 1
#define STACK_WINDOW_BELOW 0

#include "rules.h"
#include "../../main/c/walk.bpf.h"

/*
 * An array map: `count` elements of `size` bytes. An array of maps holds struct shim_map. While
 * mark_used is set, `used` notes the elements that were looked up.
 */
struct shim_map {
	void *data;
	__u32 size;
	__u32 count;
	unsigned char *used;
	unsigned char *known; /* of a recorded case: the elements it has; the others are not there */
};

static int mark_used;

static struct shim_map mappings, unwind_rules, unwind_tables;
static struct jebpf_config config;
static struct jebpf_target target;
static __u64 shim_stats[JEBPF_STAT_COUNT];

static inline void *bpf_map_lookup_elem(struct shim_map *map, const __u32 *key)
{
	if (*key >= map->count || (map->known && !map->known[*key]))
		return NULL;
	if (mark_used) {
		if (!map->used)
			map->used = calloc(map->count, 1);
		map->used[*key] = 1;
	}
	return (char *)map->data + (size_t)*key * map->size;
}

static inline void forget_used(struct shim_map *map)
{
	free(map->used);
	map->used = NULL;
}

static inline void count(__u32 stat, __u64 by)
{
	shim_stats[stat % JEBPF_STAT_COUNT] += by;
}

#include "../../main/c/record.bpf.h"
#include "../../main/c/registers_x86.bpf.h"
#include "../../main/c/module.bpf.h"
#include "../../main/c/blob.bpf.h"
#include "../../main/c/hotspot.bpf.h"
#include "../../main/c/exact_x86.bpf.h"
#include "../../main/c/exact_interpreter_x86.bpf.h"
#include "../../main/c/exact_blob_x86.bpf.h"
#include "../../main/c/deopt.bpf.h"
#include "../../main/c/unwind.bpf.h"

#endif
