/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * HotSpot's code cache: from a pc to the code blob around it, and what kind of code that is.
 * Field offsets come from the knobs, so one program serves every JDK.
 */
#ifndef JEBPF_BLOB_BPF_H
#define JEBPF_BLOB_BPF_H

/* A block of n segments is a chain of about n / 254 steps; the longest seen with live code has 4. */
#define SEGMAP_STEPS 24
#define SEGMAP_FREE 0xff
#define SEGMENT_SHIFT 7 /* the least that any release has */

/* Fields of the JVM's structures: 0 where they cannot be read, and no decision may rest on that. */
static __always_inline __u64 read_pointer(struct walk *w, __u64 address)
{
	__u64 value = 0;

	if (!read_user(&value, 8, address))
		return value;
	fail_unread(w, JEBPF_UNREAD_JVM, address);
	return 0;
}

static __always_inline __u32 read_int(struct walk *w, __u64 address)
{
	__u32 value = 0;

	if (!read_user(&value, 4, address))
		return value;
	fail_unread(w, JEBPF_UNREAD_JVM, address);
	return 0;
}

static __always_inline bool in_code_cache(__u64 pc)
{
	return config.has_hotspot && pc - config.code_low < config.code_high - config.code_low;
}

static __always_inline bool in_interpreter(__u64 pc)
{
	return pc - config.interpreter_low < config.interpreter_high - config.interpreter_low;
}

static __always_inline bool is_nmethod(__u8 kind)
{
	return kind == CODE_NMETHOD || kind == CODE_WRAPPER || kind == CODE_INTRINSIC;
}

/* The blob whose block covers the pc, or 0; w->end says why. */
static __always_inline __u64 find_blob(struct walk *w, __u64 pc)
{
	__u64 segment, low = 0, segmap = 0;
	__u32 shift = 0;
	__u8 step = 0;

	for (int i = 0; i < JEBPF_CODE_HEAPS_MAX; i++) {
		if (pc - config.heaps[i].low < config.heaps[i].high - config.heaps[i].low) {
			low = config.heaps[i].low;
			segmap = config.heaps[i].segmap;
			shift = config.heaps[i].shift & 31;
			break;
		}
	}
	w->end = JEBPF_END_NO_BLOB;
	if (!low)
		return 0;
	w->low = (pc - low) >> shift;
	for (int i = 0; i < SEGMAP_STEPS; i++) {
		segment = w->low;
		if (read_user(&step, 1, segmap + segment)) {
			/* of a word that was tried: it points where the code cache has not grown yet */
			if (pc == w->pc)
				fail_unread(w, JEBPF_UNREAD_JVM, segmap + segment);
			return 0;
		}
		if (step == SEGMAP_FREE)
			return 0;
		if (!step)
			return low + (segment << shift) + config.heap_block_bytes;
		w->low = segment - step;
	}
	w->end = JEBPF_END_SEGMAP;
	return 0;
}

/*
 * Reads a blob's header, and the heap block in front of it, in one go: the fields then come from
 * w->header. Nothing in front of the block: it may begin a page, and the one before may never have
 * been written, which cannot be read. False: it cannot be read.
 */
static __always_inline bool read_header(struct walk *w, __u64 blob)
{
	__u32 skipped = RULE(HEADER_FROM_BLOCK) && config.heap_block_bytes == HEADER_BEFORE / 2 ?
				HEADER_BEFORE / 2 :
				0;
	__u32 size = config.blob_kind != JEBPF_ABSENT ? HEADER_BYTES_25 : HEADER_BYTES;
	__u64 from = blob - HEADER_BEFORE + skipped;

	if (!read_user(&w->header[skipped], size - skipped, from))
		return true;
	__builtin_memset(w->header, 0, sizeof(w->header));
	return !read_user(&w->header[skipped], HEADER_BYTES_LEAST - skipped, from);
}

/* Fields of the header, by their offset from the blob; 0 for one that is absent. */
#define HEADER_FIELD(w, type, offset)                                                              \
	((offset) > HEADER_BYTES - HEADER_BEFORE ?                                                 \
		 (type)0 :                                                                         \
		 *(const type *)&(w)->header[HEADER_BEFORE + ((offset) & 511)])

/* The kind of a blob by the numbers that JDK 25 and later keep in it. */
static __always_inline __u8 kind_by_number(__u8 number, __s32 frame_bytes)
{
	if (number == config.kind_adapter || number == config.kind_mh_adapter)
		return CODE_ADAPTER;
	if (number == config.kind_vtable)
		return CODE_VTABLE;
	if (number == config.kind_upcall)
		return CODE_UPCALL;
	if (number == config.kind_deoptimization || number == config.kind_uncommon_trap)
		return CODE_DEOPT;
	if (number == config.kind_exception)
		return CODE_EXCEPTION;
	if (number == config.kind_safepoint)
		return CODE_SAFEPOINT;
	return frame_bytes > 0 ? CODE_RUNTIME : CODE_STUB;
}

static __always_inline __u8 kind_of_blob(const struct walk *w, __u64 name, __s32 frame_bytes)
{
	__u8 number;

	if (name == config.name_nmethod)
		return CODE_NMETHOD;
	if (name == config.name_native_nmethod)
		return frame_bytes > 0 ? CODE_WRAPPER : CODE_INTRINSIC;
	if (config.blob_kind != JEBPF_ABSENT) {
		number = HEADER_FIELD(w, __u8, config.blob_kind);
		/* before user space has seen a wrapper, its name pointer is not known: all nmethods
		 * that are not named "nmethod" are wrappers */
		if (number == config.kind_nmethod)
			return frame_bytes > 0 ? CODE_WRAPPER : CODE_INTRINSIC;
		return kind_by_number(number, frame_bytes);
	}
	if (name == config.name_adapter || name == config.name_mh_adapter)
		return CODE_ADAPTER;
	if (name == config.name_vtable)
		return CODE_VTABLE;
	return frame_bytes > 0 ? CODE_RUNTIME : CODE_STUB;
}

/* What depends on the place in an nmethod. */
static __always_inline void locate(struct code *code, __u64 pc)
{
	code->pc_offset = pc - code->begin;
	if (pc - code->blob >= code->stub_offset)
		code->flags |= CODE_FLAG_OUT_OF_LINE;
	else
		code->flags &= ~CODE_FLAG_OUT_OF_LINE;
}

/* Fills in what only nmethods have. */
static __always_inline void describe_nmethod(struct walk *w, __u64 begin)
{
	__u64 blob = w->found.blob, pc = w->found.pc, handler = 0, mh_handler = 0;

	w->found.compile_id = HEADER_FIELD(w, __u32, config.nmethod_compile_id);
	w->found.begin = begin;
	if (config.nmethod_verified_entry != JEBPF_ABSENT)
		w->found.entry = HEADER_FIELD(w, __u64, config.nmethod_verified_entry) - begin;
	else
		w->found.entry = HEADER_FIELD(w, __u16, config.nmethod_verified_entry_offset);
	if (config.flag_frame_complete_i16)
		w->found.complete = HEADER_FIELD(w, __s16, config.blob_frame_complete);
	else
		w->found.complete = HEADER_FIELD(w, __s32, config.blob_frame_complete);
	w->found.stub_offset = config.nmethod_stub_offset != JEBPF_ABSENT ?
				       HEADER_FIELD(w, __u32, config.nmethod_stub_offset) :
				       ~0u;
	locate(&w->found, pc);
	if (config.nmethod_deopt_begin != JEBPF_ABSENT)
		handler = HEADER_FIELD(w, __u64, config.nmethod_deopt_begin);
	else if (config.nmethod_deopt_offset != JEBPF_ABSENT)
		handler = blob + HEADER_FIELD(w, __u32, config.nmethod_deopt_offset);
	if (config.nmethod_deopt_mh_begin != JEBPF_ABSENT)
		mh_handler = HEADER_FIELD(w, __u64, config.nmethod_deopt_mh_begin);
	else if (config.nmethod_deopt_mh_offset != JEBPF_ABSENT)
		mh_handler = blob + HEADER_FIELD(w, __u32, config.nmethod_deopt_mh_offset);
	if (pc == handler || pc == mh_handler)
		w->found.flags |= CODE_FLAG_DEOPTED;
}

static __always_inline __u64 code_begin(const struct walk *w, __u64 blob)
{
	if (config.blob_code_begin != JEBPF_ABSENT)
		return HEADER_FIELD(w, __u64, config.blob_code_begin);
	return blob + HEADER_FIELD(w, __u32, config.blob_code_offset);
}

static __always_inline __u64 code_end(const struct walk *w, __u64 blob)
{
	if (config.blob_code_end != JEBPF_ABSENT)
		return HEADER_FIELD(w, __u64, config.blob_code_end);
	return blob + HEADER_FIELD(w, __u32, config.blob_data_offset);
}

/* Whether a blob's heap block is not free. */
static __always_inline bool is_used(__u64 blob)
{
	__u8 used;

	return !read_user(&used, 1, blob - config.heap_block_bytes + config.heap_block_used) && used;
}

/* Whether the nmethod of an entry was on a stack in the present epoch of the code cache. */
static __always_inline bool in_epoch(const struct walk *w, const struct code *slot)
{
	return w->epoch && slot->generation == w->epoch;
}

/*
 * A cache entry for HotSpot code is true for the walk in which it was checked: code on the stack
 * of a stopped thread is not freed. In a later walk the blob must still be the same one: an
 * nmethod by its compile id, which is never given twice, other blobs by their name and kind. And its block
 * must be in use: a block that was freed keeps all of this, while new code is taken from its end.
 *
 * To look at each blob costs two cache misses a frame. Since JDK 21 most looks can be spared: nmethods
 * are only freed by a collection that has marked, CodeCache::_gc_epoch grows when marking begins
 * and when it ends, and what is on a stack when it ends is not freed by that collection. So an
 * nmethod that was a frame in this epoch is still there; see note_on_stack().
 */
static __always_inline bool still_true(struct walk *w, struct code *slot)
{
	bool nmethod = is_nmethod(slot->kind);

	if (slot->walk == w->number)
		return true;
	if (!nmethod || !in_epoch(w, slot)) {
		if (nmethod ? read_int(w, slot->blob + config.nmethod_compile_id) != slot->compile_id :
			      read_pointer(w, slot->blob + config.blob_name) != slot->blob_name)
			return false;
		if (!is_used(slot->blob))
			return false;
	}
	slot->walk = w->number;
	return true;
}

/* Only for code that surely is a frame of a stopped thread, never for a guess. */
static __always_inline void note_on_stack(struct walk *w)
{
	struct code *slot = cached(w, w->self.pc);

	if (slot)
		slot->generation = w->epoch;
}

/*
 * An interrupted pc is seldom met twice, its method often is: nmethods have entries for it by segment
 * of the code heap, which is never shared by two blobs.
 */
static __always_inline bool find_exact(struct walk *w, __u64 pc)
{
	struct code *slot = exact_slot(w, pc >> SEGMENT_SHIFT);

	if (slot->pc != pc >> SEGMENT_SHIFT || !still_true(w, slot))
		return false;
	w->found = *slot;
	w->found.pc = pc;
	locate(&w->found, pc);
	if (w->found.pc_offset >= (__u32)w->found.complete) /* behind the entry barrier, where dead code ends */
		slot->generation = w->epoch; /* it runs: surely a frame */
	return true;
}

/*
 * Describes the code at a pc inside the code cache in w->found. 0, or an enum jebpf_end.
 * Inline where the eight call frames that a program may nest are short.
 */
static __always_inline int find_code_inline(struct walk *w, __u64 pc)
{
	bool exact = w->exact && pc == w->pc;
	struct code *slot;
	__u64 blob, begin, name;

	if (exact) {
		if (find_exact(w, pc))
			return 0;
	} else {
		slot = cached(w, pc);
		if (slot && slot->blob && still_true(w, slot)) {
			w->found = *slot;
			return 0;
		}
	}
	count(JEBPF_STAT_CACHE_MISS, 1);
	blob = find_blob(w, pc);
	if (!blob)
		return w->end;
	if (!read_header(w, blob)) {
		fail_unread(w, JEBPF_UNREAD_CODE_CACHE, blob);
		return JEBPF_END_READ_FAULT;
	}
	if (!w->header[(HEADER_BEFORE - config.heap_block_bytes + config.heap_block_used) & 31])
		return JEBPF_END_NO_BLOB;
	begin = code_begin(w, blob);
	if (pc < begin || pc >= code_end(w, blob))
		return JEBPF_END_NO_BLOB;
	name = HEADER_FIELD(w, __u64, config.blob_name);
	w->found.pc = pc;
	w->found.blob = blob;
	w->found.walk = w->number;
	w->found.blob_name = name;
	w->found.frame_bytes = HEADER_FIELD(w, __s32, config.blob_frame_size) * 8;
	w->found.compile_id = 0;
	w->found.pc_offset = pc - blob;
	w->found.module = 0;
	w->found.generation = 0;
	w->found.flags = 0;
	w->found.mapping_flags = 0;
	w->found.kind = kind_of_blob(w, name, w->found.frame_bytes);
	if (!is_nmethod(w->found.kind)) {
		w->found.blob_bytes = HEADER_FIELD(w, __u32, config.blob_size);
		if (!exact)
			remember(w);
		return 0;
	}
	describe_nmethod(w, begin);
	if (!exact) {
		remember(w);
		return 0;
	}
	slot = exact_slot(w, pc >> SEGMENT_SHIFT);
	*slot = w->found;
	slot->pc = pc >> SEGMENT_SHIFT;
	return 0;
}

__noinline int find_code(struct walk *w, __u64 pc)
{
	return w ? find_code_inline(w, pc) : JEBPF_END_NO_BLOB;
}

#endif
