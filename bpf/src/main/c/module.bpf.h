/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Frames of mapped files: mapping, table row and rule of a pc, and the step to the caller.
 * Tables are compiled from .eh_frame in user space.
 */
#ifndef JEBPF_MODULE_BPF_H
#define JEBPF_MODULE_BPF_H

#define EXACT_KEY (1ULL << 63) /* user addresses have 47 or 56 bits */
#define MAPPING_STEPS 14       /* log2(JEBPF_MAPPINGS_MAX) + 1 */
#define ROW_STEPS 21	       /* log2(JEBPF_TABLE_ROWS_MAX) + 1 */

static __always_inline __u32 cache_index(__u64 pc)
{
	return (pc * 0x9e3779b97f4a7c15ULL) >> 54 & (CACHE_SLOTS - 1); /* 10 bits: CACHE_SLOTS */
}

/* The entry of called code, or NULL. An entry is in its own place or in the neighbour's. */
static __always_inline struct code *cached(struct walk *w, __u64 pc)
{
	__u32 index = cache_index(pc);

	if (w->cache[index].pc == pc)
		return &w->cache[index];
	index ^= 1;
	return w->cache[index].pc == pc ? &w->cache[index] : 0;
}

/* The same for interrupted code, which has a part of the cache for itself. */
static __always_inline struct code *exact_slot(struct walk *w, __u64 key)
{
	return &w->cache[CACHE_SLOTS + (cache_index(key) & (EXACT_SLOTS - 1))];
}

/* Keeps w->found. What is in its place moves to the neighbour's: of a pair the older one goes. */
static __always_inline void remember(struct walk *w)
{
	__u32 index = cache_index(w->found.pc);

	if (w->cache[index].pc != w->found.pc)
		w->cache[index ^ 1] = w->cache[index];
	w->cache[index] = w->found;
}

/*
 * The last mapping that starts at or below the pc, or NULL. The bounds live in the walk: the
 * verifier then sees the same state in each round, and looks at the body once a round.
 */
static __always_inline struct jebpf_mapping *find_mapping(struct walk *w, __u64 pc)
{
	__u32 half = target.mappings_half & 1;
	__u32 base = half ? JEBPF_MAPPINGS_MAX : 0;
	struct jebpf_mapping *mapping;
	__u32 key;

	if (w->mapping - base < target.mappings_count[half]) {
		key = w->mapping;
		mapping = bpf_map_lookup_elem(&mappings, &key);
		if (mapping && pc >= mapping->start && pc < mapping->end)
			return mapping;
	}
	w->low = 0;
	w->high = target.mappings_count[half];
	for (int i = 0; i < MAPPING_STEPS; i++) {
		if (w->low >= w->high)
			break;
		key = base + (__u32)((w->low + w->high) >> 1);
		mapping = bpf_map_lookup_elem(&mappings, &key);
		if (!mapping)
			return 0;
		if (mapping->start <= pc)
			w->low = key - base + 1;
		else
			w->high = key - base;
	}
	if (!w->low)
		return 0;
	key = base + (__u32)w->low - 1;
	mapping = bpf_map_lookup_elem(&mappings, &key);
	if (!mapping || pc < mapping->start || pc >= mapping->end)
		return 0;
	w->mapping = key;
	return mapping;
}

/* The rule of an ELF virtual address; rule 0 where the table has none. */
static __always_inline __u32 find_rule(struct walk *w, const struct jebpf_mapping *mapping,
				       __u64 address)
{
	__u32 key = mapping->table;
	struct jebpf_row *row;
	void *table;

	if (!key || address >> 32)
		return 0;
	w->low = 0;
	w->high = mapping->row_count;
	table = bpf_map_lookup_elem(&unwind_tables, &key);
	if (!table)
		return 0;
	key = mapping->row_count + ((__u32)address >> JEBPF_INDEX_SHIFT) + 1;
	row = bpf_map_lookup_elem(table, &key);
	if (row) {
		w->high = row->start;
		key--;
		row = bpf_map_lookup_elem(table, &key);
		if (row)
			w->low = row->start;
	}
	for (int i = 0; i < ROW_STEPS; i++) {
		if (w->low >= w->high)
			break;
		key = (__u32)((w->low + w->high) >> 1);
		row = bpf_map_lookup_elem(table, &key);
		if (!row)
			return 0;
		if (row->start <= (__u32)address)
			w->low = key + 1;
		else
			w->high = key;
	}
	if (!w->low)
		return 0;
	key = (__u32)w->low - 1;
	row = bpf_map_lookup_elem(table, &key);
	return row ? row->rule : 0;
}

/* Fills w->found for a pc outside the code heaps, from the cache where it is still true. */
__noinline int find_module(struct walk *w)
{
	const struct jebpf_mapping *mapping;
	struct jebpf_rule *rule;
	struct code *slot;
	__u64 pc, key;
	__u32 index;

	if (!w)
		return 0;
	pc = w->pc;
	key = w->exact ? pc | EXACT_KEY : pc;
	slot = w->exact ? exact_slot(w, key) : cached(w, key);
	if (slot && slot->pc == key && slot->generation == w->generation) {
		w->found = *slot;
		return 0;
	}
	count(JEBPF_STAT_CACHE_MISS, 1);
	w->found.pc = key;
	w->found.kind = CODE_NONE;
	w->found.module = 0;
	w->found.blob = 0;
	w->found.mapping_flags = 0;
	w->found.generation = w->generation;
	mapping = find_mapping(w, pc);
	if (mapping) {
		__u64 bias = mapping->bias;

		w->found.kind = CODE_MODULE;
		w->found.module = mapping->module;
		w->found.mapping_flags = mapping->flags;
		/* a return address belongs to the call before it, which may be the last of a function */
		index = find_rule(w, mapping, pc - bias - (w->exact || !RULE(CALL_BELONGS_BEFORE) ? 0 : 1));
		/* and so does the pc behind a system call: sigreturn's is not followed by anything */
		if (!index && w->exact)
			index = find_rule(w, mapping, pc - bias - 1);
		rule = bpf_map_lookup_elem(&unwind_rules, &index);
		if (rule)
			w->found.rule = *rule;
	}
	if (w->exact)
		*exact_slot(w, key) = w->found;
	else
		remember(w);
	return 0;
}

/* One frame of a mapped file. 0: go on at the caller; else the walk ended, w->end says why. */
__noinline int unwind_module(struct walk *w)
{
	const struct jebpf_rule *rule;
	__u64 cfa, ra, fp;

	if (!w)
		return 1;
	rule = &w->found.rule;
	switch (rule->cfa) {
	case JEBPF_CFA_RSP:
		cfa = w->sp + rule->cfa_offset;
		break;
	case JEBPF_CFA_RBP:
		cfa = w->fp + rule->cfa_offset;
		break;
	case JEBPF_CFA_DEREF_RBP:
		cfa = WORD(w, w->fp + rule->cfa_offset);
		break;
	case JEBPF_CFA_DEREF_RSP:
		cfa = WORD(w, w->sp + rule->cfa_offset) + 8;
		break;
	case JEBPF_CFA_PLT:
		cfa = w->sp + 8 + (RULE(PLT) && (__s32)(w->pc & 15) >= rule->cfa_offset ? 8 : 0);
		break;
	case JEBPF_CFA_SIGNAL:
		if (!RULE(SIGNAL))
			return MARK(w, JEBPF_END_NO_RULE);
		return unwind_signal(w, rule);
	case JEBPF_CFA_ROOT:
		return MARK(w, JEBPF_END_ROOT);
	default:
		if (!RULE(CFA_REGISTER) || !exact_register(w, rule->cfa, &cfa))
			return MARK(w, JEBPF_END_NO_RULE);
		cfa += rule->cfa_offset;
	}
	ra = WORD(w, cfa + rule->ra_offset);
	fp = w->fp;
	if (rule->rbp == JEBPF_RBP_CFA)
		fp = WORD(w, cfa + rule->rbp_offset);
	else if (rule->rbp == JEBPF_RBP_DEREF_RBP)
		fp = WORD(w, w->fp + rule->rbp_offset);
	return to_caller(w, ra, cfa, fp);
}

#endif
