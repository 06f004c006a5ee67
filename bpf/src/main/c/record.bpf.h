/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Frames on their way into the record. A stack within the limit is kept whole. A deeper one keeps its
 * leaf end in the record and its last frames in a ring; when the walk is over those are appended,
 * behind a marker with the number of frames between:
 *
 *   record: [leaf frames, depth_max - root frames][cut: n][root frames][marker, when the end is no root]
 */
#ifndef JEBPF_RECORD_BPF_H
#define JEBPF_RECORD_BPF_H

/* Frames kept at the root end of a stack that is deeper than the limit. */
static __always_inline __u32 root_frames(void)
{
	return config.depth_max >= 4 * ROOT_FRAMES ? ROOT_FRAMES : (config.depth_max + 3) / 4;
}

static __always_inline __u32 leaf_frames(void)
{
	return config.depth_max - root_frames();
}

/* A frame's place in the record. 64 bits wide: of sums of narrower numbers Linux 6.1's verifier forgets the bound. */
static __always_inline struct jebpf_frame *frame_place(struct walk *w, __u64 at)
{
	__u64 base = w->kernel_bytes;

	if (at >= JEBPF_FRAMES_MAX + MARKERS_MAX || base > JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64))
		return 0;
	return (void *)&w->record[sizeof(struct jebpf_sample) + base + at * sizeof(struct jebpf_frame)];
}

static __always_inline void set_frame(struct walk *w, __u64 at, __u64 head, __u64 detail)
{
	struct jebpf_frame *frame = frame_place(w, at);

	if (!frame)
		return;
	frame->head = head;
	frame->detail = detail;
}

static __always_inline __u64 frame_head(__u64 kind, __u64 flags, __u64 addr)
{
	return kind << 56 | flags << 48 | (addr & ADDRESS_MASK);
}

/* Appends a frame: to the record, or where the leaf end is full, to the ring of the last frames. */
static __always_inline void push_frame(struct walk *w, __u64 kind, __u64 flags, __u64 addr,
				       __u64 detail)
{
	__u64 head = frame_head(kind, flags, addr);
	__u32 n = w->frames;

	if (n < leaf_frames()) {
		set_frame(w, n, head, detail);
	} else {
		n = (n - leaf_frames()) % root_frames() & (ROOT_FRAMES - 1);
		w->root[n].head = head;
		w->root[n].detail = detail;
	}
	w->frames++;
	w->callee = kind;
}

/* Appends the marker of frames that are missing here. */
static __always_inline void push_gap(struct walk *w, __u32 gap, __u64 detail)
{
	push_frame(w, JEBPF_FRAME_MARKER, 0, gap, detail);
	w->gaps |= 1 << (gap - JEBPF_GAP_NATIVE);
}

/* Appends one frame of the ring: the one at w->low, to place w->high. */
static long append_root(__u32 index, void *context)
{
	struct walk *w = *(struct walk **)context;
	__u32 at = (w->low - leaf_frames()) % root_frames() & (ROOT_FRAMES - 1);

	if (w->low >= w->taken)
		return 1;
	set_frame(w, w->high, w->root[at].head, w->root[at].detail);
	w->low++;
	w->high++;
	return 0;
}

/*
 * After the walk: makes one stack of leaf end, ring and markers. A walk that ran out of rounds has
 * not seen the root: the ring holds frames from somewhere between, and is left out.
 */
static __always_inline void finish_record(struct walk *w)
{
	__u32 leaf = leaf_frames(), kept;

	w->taken = w->frames;
	if (w->end == JEBPF_END_DEPTH && w->taken > leaf) {
		w->frames = leaf;
	} else if (w->taken > leaf) {
		kept = w->taken - leaf < root_frames() ? w->taken - leaf : root_frames();
		w->low = w->taken - kept;
		w->high = leaf;
		if (RULE(CUT_MARKER) && w->low > leaf) {
			set_frame(w, leaf, frame_head(JEBPF_FRAME_MARKER, 0, JEBPF_GAP_CUT),
				  w->low - leaf);
			w->gaps |= 1 << (JEBPF_GAP_CUT - JEBPF_GAP_NATIVE);
			w->high++;
		}
		LOOP(ROOT_FRAMES, append_root, &w);
		w->frames = w->high;
	}
	if (w->end == JEBPF_END_ROOT)
		return;
	set_frame(w, w->frames, frame_head(JEBPF_FRAME_MARKER, 0, w->end),
		  w->end == JEBPF_END_READ_FAULT ? w->unread : w->pc);
	w->frames++;
}

#endif
