/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Maps and globals shared by all programs. Included once, by jebpf.bpf.c. */
#ifndef JEBPF_MAPS_BPF_H
#define JEBPF_MAPS_BPF_H

/* The reader is woken when the ring is fuller than one part in so many. */
#define WAKE_SHARE 8

/* Samples on their way to the reader, which polls; see wake_flags(). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024); /* user space may choose another size before load */
} samples SEC(".maps");

/* One element with all counters: they share cache lines, and one look-up finds them. */
struct counters {
	__u64 by_stat[JEBPF_STAT_COUNT]; /* index: enum jebpf_stat */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} stats SEC(".maps");

/*
 * One walk per CPU. Not a per-CPU map: those are limited to 32 KiB a value. To be mapped, because the
 * first value then begins a page, and all of them begin cache lines.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* user space sets the number of possible CPUs before load */
	__type(key, __u32);
	__type(value, struct walk);
} walks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2 * JEBPF_MAPPINGS_MAX);
	__type(key, __u32);
	__type(value, struct jebpf_mapping);
} mappings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, JEBPF_RULES_MAX);
	__type(key, __u32);
	__type(value, struct jebpf_rule);
} unwind_rules SEC(".maps");

struct unwind_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	/* sizes, not types: clang leaves the types of an inner map incomplete in BTF */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct jebpf_row));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, JEBPF_TABLES_MAX);
	__type(key, __u32);
	__array(values, struct unwind_table);
} unwind_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct jebpf_whoami);
} whoami_result SEC(".maps");

/* Set before load; the verifier knows the values. */
const volatile struct jebpf_config config SEC(".rodata.config") = {};

/* Changed by user space while the programs run. */
struct jebpf_target target SEC(".data.target") = {};

/* With which flags a sample is submitted: the reader polls, and is woken only if it sleeps for long. */
static __always_inline __u64 wake_flags(const struct walk *w)
{
	enum jebpf_until until = target.reader_asleep;
	bool unknown = until == JEBPF_UNTIL_UNKNOWN && w->end == JEBPF_END_NO_MAPPING;

	if (likely(!until) ||
	    (!unknown && bpf_ringbuf_query(&samples, BPF_RB_AVAIL_DATA) <
				 bpf_ringbuf_query(&samples, BPF_RB_RING_SIZE) / WAKE_SHARE))
		return BPF_RB_NO_WAKEUP;
	target.reader_asleep = JEBPF_UNTIL_RUNG;
	return BPF_RB_FORCE_WAKEUP;
}

/* This CPU's counters. */
static __always_inline struct counters *counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stats, &zero);
}

static __always_inline void count(__u32 stat, __u64 by)
{
	struct counters *c = counters();

	if (c && stat < JEBPF_STAT_COUNT)
		c->by_stat[stat] += by;
}

#endif
