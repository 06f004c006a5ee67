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

static __always_inline __u64 read_pointer(__u64 address)
{
	__u64 value = 0;

	return read_user(&value, 8, address) ? 0 : value;
}

static __always_inline __u32 read_int(__u64 address)
{
	__u32 value = 0;

	return read_user(&value, 4, address) ? 0 : value;
}

static __always_inline __u16 read_short(__u64 address)
{
	__u16 value = 0;

	return read_user(&value, 2, address) ? 0 : value;
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
	__u8 step = 0, used = 0;

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
		if (read_user(&step, 1, segmap + segment) || step == SEGMAP_FREE)
			return 0;
		if (!step) {
			low += segment << shift;
			if (read_user(&used, 1, low + config.heap_block_used) || !used)
				return 0;
			return low + config.heap_block_bytes;
		}
		w->low = segment - step;
	}
	w->end = JEBPF_END_SEGMAP;
	return 0;
}

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
	return frame_bytes > 0 ? CODE_RUNTIME : CODE_STUB;
}

static __always_inline __u8 kind_of_blob(__u64 blob, __u64 name, __s32 frame_bytes)
{
	__u8 number = 0;

	if (name == config.name_nmethod)
		return CODE_NMETHOD;
	if (name == config.name_native_nmethod)
		return frame_bytes > 0 ? CODE_WRAPPER : CODE_INTRINSIC;
	if (config.blob_kind != JEBPF_ABSENT) {
		read_user(&number, 1, blob + config.blob_kind);
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

/* Fills in what only nmethods have. */
static __always_inline void describe_nmethod(struct walk *w, __u64 begin)
{
	__u64 blob = w->found.blob, pc = w->found.pc, handler = 0, mh_handler = 0;

	w->found.compile_id = read_int(blob + config.nmethod_compile_id);
	w->found.pc_offset = pc - begin;
	if (config.nmethod_stub_offset != JEBPF_ABSENT &&
	    pc - blob >= read_int(blob + config.nmethod_stub_offset))
		w->found.flags |= CODE_FLAG_OUT_OF_LINE;
	if (config.nmethod_deopt_begin != JEBPF_ABSENT)
		handler = read_pointer(blob + config.nmethod_deopt_begin);
	else if (config.nmethod_deopt_offset != JEBPF_ABSENT)
		handler = blob + read_int(blob + config.nmethod_deopt_offset);
	if (config.nmethod_deopt_mh_begin != JEBPF_ABSENT)
		mh_handler = read_pointer(blob + config.nmethod_deopt_mh_begin);
	else if (config.nmethod_deopt_mh_offset != JEBPF_ABSENT)
		mh_handler = blob + read_int(blob + config.nmethod_deopt_mh_offset);
	if (pc == handler || pc == mh_handler)
		w->found.flags |= CODE_FLAG_DEOPTED;
}

static __always_inline __u64 code_begin(__u64 blob)
{
	if (config.blob_code_begin != JEBPF_ABSENT)
		return read_pointer(blob + config.blob_code_begin);
	return blob + read_int(blob + config.blob_code_offset);
}

static __always_inline __u64 code_end(__u64 blob)
{
	if (config.blob_code_end != JEBPF_ABSENT)
		return read_pointer(blob + config.blob_code_end);
	return blob + read_int(blob + config.blob_data_offset);
}

/*
 * A cache entry for HotSpot code is true for the walk in which it was checked: code on the stack
 * of a stopped thread is not freed. In a later walk the blob must still be the same one: an
 * nmethod by its compile id, which is never given twice, other blobs by their name and kind.
 */
static __always_inline bool still_true(struct walk *w, struct code *slot)
{
	if (slot->walk == w->number)
		return true;
	if (is_nmethod(slot->kind)) {
		if (read_int(slot->blob + config.nmethod_compile_id) != slot->compile_id)
			return false;
	} else if (read_pointer(slot->blob + config.blob_name) != slot->blob_name) {
		return false;
	}
	slot->walk = w->number;
	return true;
}

/*
 * Describes the code at a pc inside the code cache in w->found. 0, or an enum jebpf_end.
 * Inline where the eight call frames that a program may nest are short.
 */
static __always_inline int find_code_inline(struct walk *w, __u64 pc)
{
	struct code *slot;
	__u64 blob, begin, name;

	slot = cache_slot(w, pc);
	if (slot->pc == pc && slot->blob && still_true(w, slot)) {
		w->found = *slot;
		return 0;
	}
	count(JEBPF_STAT_CACHE_MISS, 1);
	blob = find_blob(w, pc);
	if (!blob)
		return w->end;
	begin = code_begin(blob);
	if (pc < begin || pc >= code_end(blob))
		return JEBPF_END_NO_BLOB;
	name = read_pointer(blob + config.blob_name);
	w->found.pc = pc;
	w->found.blob = blob;
	w->found.walk = w->number;
	w->found.blob_name = name;
	w->found.frame_bytes = (__s32)read_int(blob + config.blob_frame_size) * 8;
	w->found.blob_bytes = read_int(blob + config.blob_size);
	w->found.compile_id = 0;
	w->found.pc_offset = pc - blob;
	w->found.module = 0;
	w->found.generation = 0;
	w->found.flags = 0;
	w->found.mapping_flags = 0;
	w->found.kind = kind_of_blob(blob, name, w->found.frame_bytes);
	if (is_nmethod(w->found.kind))
		describe_nmethod(w, begin);
	*slot = w->found;
	return 0;
}

__noinline int find_code(struct walk *w, __u64 pc)
{
	return w ? find_code_inline(w, pc) : JEBPF_END_NO_BLOB;
}

#endif
