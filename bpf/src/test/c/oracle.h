/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second opinion on walks, from what one instruction can do: it may replace the leaf, push a
 * frame or pop one, but the frames above stay as they are. Two walks at neighbouring instructions
 * that differ in more contradict each other: one of them has lost or invented a frame.
 *
 * Where the machine itself moves whole stacks (deoptimisation, freeze and thaw of virtual threads,
 * signals) the two are not compared, but while frames are thawed or frozen the thread's Java frames are
 * the same all the time. Nor where a gap stands for native frames: the anchor behind it names a pc of
 * its own. A stub that delivers an exception gives its caller another pc.
 */
#ifndef JEBPF_ORACLE_H
#define JEBPF_ORACLE_H

#include "case.h"

static struct jebpf_frame before[JEBPF_FRAMES_MAX + 1];
static __u32 before_count, before_end;
static __u64 before_pc, before_sp, before_fp;
static char disagreement[16384];
static __u32 thawing; /* walks compared while frames were thawed or frozen */

static int is_java(const struct jebpf_frame *frame)
{
	__u32 kind = frame->head >> 56;

	return kind == JEBPF_FRAME_COMPILED || kind == JEBPF_FRAME_INTERPRETED;
}

static int is_continuation_stub(const struct jebpf_frame *frame)
{
	__u64 pc = (frame->head & ADDRESS_MASK) + frame->detail;

	return frame->head >> 56 == JEBPF_FRAME_STUB && config.cont_stubs_high &&
	       pc - config.cont_stubs_low < config.cont_stubs_high - config.cont_stubs_low;
}

/* Index of the youngest Java frame, where a continuation stub that has called native code comes before it. */
static __u32 thaws(const struct jebpf_frame *frames, __u32 count)
{
	int stub = 0;

	for (__u32 i = 0; i < count; i++) {
		if (is_java(&frames[i]))
			return stub ? i : 0;
		stub |= i && is_continuation_stub(&frames[i]);
	}
	return 0;
}

/* The first frames of a walk may move whole stacks. */
static int moves_stacks(const struct jebpf_frame *frames, __u32 count)
{
	for (__u32 i = 0; i < count && i < 40; i++) {
		__u32 kind = frames[i].head >> 56;
		__u64 blob = frames[i].head & 0xffffffffffffULL;
		unsigned char number = 0;

		/* a signal's handler may give the interrupted code another pc */
		if (i && frames[i].head >> 48 & JEBPF_FRAME_EXACT)
			return 1;
		if (is_java(&frames[i]))
			return 0;
		if (is_continuation_stub(&frames[i]))
			return 1;
		if (kind != JEBPF_FRAME_STUB || config.blob_kind == JEBPF_ABSENT)
			continue;
		shim_read(&number, 1, blob + config.blob_kind);
		if (number == config.kind_deoptimization || number == config.kind_uncommon_trap ||
		    number == config.kind_safepoint) /* steps over the poll: its caller's pc moves */
			return 1;
	}
	return 0;
}

static int has_gap(const struct jebpf_frame *frames, __u32 count)
{
	for (__u32 i = 0; i < count; i++)
		if (frames[i].head >> 56 == JEBPF_FRAME_MARKER)
			return 1;
	return 0;
}

/* The stub at the leaf has put an exception handler in the place of its return address. */
static int delivers_exception(const struct jebpf_frame *now, __u32 count)
{
	return count > 1 && before_count > 1 && now[0].head >> 56 == JEBPF_FRAME_STUB &&
	       now[0].head == before[0].head && now[1].head >> 56 == JEBPF_FRAME_COMPILED &&
	       now[1].head == before[1].head;
}

/* doYield, its frames frozen, has set rsp to the entry of the continuation; or has left it, then, for the carrier. */
static int leaves_continuation(const struct jebpf_frame *now, __u32 count)
{
	return count && before_count && now[0].head >> 56 == JEBPF_FRAME_WRAPPER &&
	       now[0].head == before[0].head && (before_count == 1 || case_regs.sp - before_sp > 64);
}

/* Between a virtual thread, whose root ends the stack, and its carrier. */
static int enters_continuation(void)
{
	__u64 bytes = config.cont_enter_high - config.cont_enter_low;

	return before_pc - config.cont_enter_low < bytes || case_regs.ip - config.cont_enter_low < bytes;
}

static __u32 common_from_root(const struct jebpf_frame *now, __u32 count)
{
	__u32 n = 0;

	for (; n < count && n < before_count; n++) {
		const struct jebpf_frame *a = &now[count - 1 - n], *b = &before[before_count - 1 - n];

		if (a->head != b->head)
			break;
		/* a gap's detail is the pc in front of it */
		if (a->detail != b->detail && a->head >> 56 != JEBPF_FRAME_MARKER)
			break;
	}
	return n;
}

static int describe(int at, const char *what, const struct jebpf_frame *frames, __u32 count)
{
	for (__u32 i = 0; i < count && i < 12 && at < (int)sizeof(disagreement) - 100; i++)
		at += sprintf(disagreement + at, "\n# %s %2u %u %u %llx %llx", what, i,
			      (unsigned)(frames[i].head >> 56), (unsigned)(frames[i].head >> 48 & 0xff),
			      (unsigned long long)(frames[i].head & 0xffffffffffffULL),
			      (unsigned long long)frames[i].detail);
	return at;
}

/* Whether a walk fits the one before; `jumped`: something else than one instruction lies between. */
static int agrees(struct walk *w, int jumped)
{
	struct jebpf_frame *now = frame_at(w, 0);
	__u32 common = 0, gone = 0, come = 0;
	int fits = 1, at;

	if (jumped || before_end != JEBPF_END_ROOT || w->end != JEBPF_END_ROOT ||
	    has_gap(before, before_count) || has_gap(now, w->frames)) {
		/* not compared */
	} else if (thaws(before, before_count) && thaws(now, w->frames)) {
		common = common_from_root(now, w->frames);
		gone = before_count - thaws(before, before_count) - common;
		come = w->frames - thaws(now, w->frames) - common;
		fits = (int)gone <= 0 && (int)come <= 0;
		thawing++;
	} else if (!moves_stacks(before, before_count) && !moves_stacks(now, w->frames)) {
		common = common_from_root(now, w->frames);
		gone = before_count - common;
		come = w->frames - common;
		/* at most: a call (1 gone, 2 come), a return (2 gone, 1 come), a jump (1 and 1) */
		fits = gone + come <= 3 ||
		       (gone == 2 && come == 2 && delivers_exception(now, w->frames)) ||
		       leaves_continuation(now, w->frames) || enters_continuation();
	}
	if (!fits) {
		at = sprintf(disagreement,
			     "%d gone, %d come, %u stay; pc %llx sp %llx fp %llx, now pc %lx sp %lx fp %lx",
			     gone, come, common, before_pc, before_sp, before_fp, case_regs.ip,
			     case_regs.sp, case_regs.bp);
		at = describe(at, "before", before, before_count);
		describe(at, "now", now, w->frames);
	}
	memcpy(before, now, w->frames * sizeof(*now));
	before_count = w->frames;
	before_end = w->end;
	before_pc = case_regs.ip;
	before_sp = case_regs.sp;
	before_fp = case_regs.bp;
	return fits;
}

#endif
