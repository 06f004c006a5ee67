/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Test object: the maps, sections and programs of jebpf.bpf.c with the least inside that makes the
 * Java side testable on its own. No unwinding: a sample has no user frames.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "jebpf_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct upid {
	int nr;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

struct task_struct {
	int pid;
	int tgid;
	__u64 start_boottime;
	struct pid *thread_pid;
	struct task_struct *group_leader;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 * 1024 * 1024);
} samples SEC(".maps");

struct counters {
	__u64 by_stat[JEBPF_STAT_COUNT];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counters);
} stats SEC(".maps");

/* As in jebpf.bpf.c: one entry per CPU, the number set before load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
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

const volatile struct jebpf_config config SEC(".rodata.config");
volatile struct jebpf_target target SEC(".data.target");

/* Puts the enums into the BTF, for the tests that compare them with Java's constants. */
enum jebpf_stat stat_anchor = JEBPF_STAT_EVENTS;
struct jebpf_park park_anchor;
enum jebpf_end end_anchor = JEBPF_END_ROOT;
enum jebpf_gap gap_anchor = JEBPF_GAP_NATIVE;
enum jebpf_unread unread_anchor = JEBPF_UNREAD_STACK;
enum jebpf_frame_kind kind_anchor = JEBPF_FRAME_NATIVE;
enum jebpf_record record_anchor = JEBPF_RECORD_SAMPLE;
enum jebpf_cfa cfa_anchor = JEBPF_CFA_NONE;
enum jebpf_rbp rbp_anchor = JEBPF_RBP_SAME;
enum jebpf_state state_anchor = JEBPF_STATE_RUNNING;
enum jebpf_park_kind park_kind_anchor = JEBPF_PARK_YIELD;
struct jebpf_frame frame_anchor;
struct jebpf_sample sample_anchor;
struct jebpf_row row_anchor;
struct jebpf_wait_end wait_end_anchor;
struct jebpf_clock clock_anchor;
struct jebpf_list list_anchor;
struct jebpf_context context_anchor;
struct jebpf_text_context text_context_anchor;

/* So that #defines are in the BTF too. */
enum limits {
	MAPPINGS_MAX = JEBPF_MAPPINGS_MAX,
	TABLES_MAX = JEBPF_TABLES_MAX,
	TABLE_ROWS_MAX = JEBPF_TABLE_ROWS_MAX,
	INDEX_SHIFT = JEBPF_INDEX_SHIFT,
	GAP_COUNT = JEBPF_GAP_COUNT,
	RULES_MAX = JEBPF_RULES_MAX,
	CLOCKS_MAX = JEBPF_CLOCKS_MAX,
	COMM_BYTES = JEBPF_COMM_BYTES,
	CONTEXT_BYTES = JEBPF_CONTEXT_BYTES,
	CONTEXT_GROUPS = JEBPF_CONTEXT_GROUPS,
	CONTEXT_WAYS = JEBPF_CONTEXT_WAYS,
	CONTEXT_TEXT_IDS = JEBPF_CONTEXT_TEXT_IDS,
	VIRTUAL_NAME_BYTES = JEBPF_VIRTUAL_NAME_BYTES,
	NAME_UTF16 = JEBPF_NAME_UTF16,
	NAME_CUT = JEBPF_NAME_CUT,
	NAME_UNREAD = JEBPF_NAME_UNREAD,
	FRAME_POINTERS = JEBPF_MAPPING_FRAME_POINTERS,
} limits_anchor = MAPPINGS_MAX;

static __always_inline void count(__u32 which, __u64 amount)
{
	__u32 zero = 0;
	struct counters *c = bpf_map_lookup_elem(&stats, &zero);

	if (c && which < JEBPF_STAT_COUNT)
		c->by_stat[which] += amount;
}

static __always_inline __u32 namespace_pid(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	struct upid *number;

	number = (void *)((char *)pid + bpf_core_field_offset(struct pid, numbers) +
			  level * bpf_core_type_size(struct upid));
	return (__u32)BPF_CORE_READ(number, nr);
}

/* Row 0 of unwind table 1, start and rule mixed, so that a test sees what it wrote. */
static __always_inline __u64 table_check(void)
{
	__u32 one = 1, row = 0;
	void *table = bpf_map_lookup_elem(&unwind_tables, &one);
	struct jebpf_row *first;

	if (!table)
		return 0;
	first = bpf_map_lookup_elem(table, &row);
	return first ? ((__u64)first->start << 16 | first->rule) : 0;
}

SEC("perf_event")
int on_cpu(void *context)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct jebpf_mapping *mapping;
	struct jebpf_sample *sample;
	__u32 slot, cpu = bpf_get_smp_processor_id();

	if (!bpf_map_lookup_elem(&walks, &cpu)) {
		count(JEBPF_STAT_SCRATCH, 1);
		return 0;
	}
	count(JEBPF_STAT_EVENTS, 1);
	if (target.tgid == 0 || id >> 32 != target.tgid)
		return 0;
	count(JEBPF_STAT_SAMPLES, 1);
	count(JEBPF_STAT_WEIGHT_NS, target.period_ns);
	sample = bpf_ringbuf_reserve(&samples, sizeof(*sample), 0);
	if (!sample) {
		count(JEBPF_STAT_RING_FULL, 1);
		return 0;
	}
	__builtin_memset(sample, 0, sizeof(*sample));
	sample->type = JEBPF_RECORD_SAMPLE;
	sample->bytes = sizeof(*sample);
	sample->time_ns = bpf_ktime_get_ns();
	sample->weight_ns = target.period_ns;
	sample->thread_start_ns = BPF_CORE_READ(task, start_boottime);
	sample->tid = namespace_pid(task);
	sample->cpu = bpf_get_smp_processor_id();
	sample->end = JEBPF_END_NO_USER;
	bpf_get_current_comm(sample->comm, sizeof(sample->comm));
	/* Echoes, so that a test sees what the kernel reads of what user space wrote. */
	slot = (target.mappings_half & 1) * JEBPF_MAPPINGS_MAX;
	mapping = bpf_map_lookup_elem(&mappings, &slot);
	sample->java_thread = target.mappings_count[target.mappings_half & 1] && mapping ? mapping->start : config.code_low;
	sample->walk_ns = (__u32)table_check();
	bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("syscall")
int whoami(void *context)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	__u64 id = bpf_get_current_pid_tgid();
	struct jebpf_whoami *out;
	__u32 zero = 0;

	out = bpf_map_lookup_elem(&whoami_result, &zero);
	if (!out)
		return 1;
	out->tgid = id >> 32;
	out->tid = (__u32)id;
	out->ns_tid = namespace_pid(task);
	out->ns_tgid = namespace_pid(BPF_CORE_READ(task, group_leader));
	return 0;
}
