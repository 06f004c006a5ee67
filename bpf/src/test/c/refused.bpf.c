/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/* Test object: the verifier refuses it, after a long log. Has what KernelObject.open asks for. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "jebpf_types.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} walks SEC(".maps");

const volatile struct jebpf_config config SEC(".rodata.config");

SEC("perf_event")
int on_cpu(void *context)
{
	__u64 sum = config.code_low;
	__u32 key = 0;
	__u64 *value;

	for (int i = 0; i < 2000; i++) /* the verifier walks, and logs, every round */
		sum ^= bpf_ktime_get_ns();
	value = bpf_map_lookup_elem(&walks, &key);
	return value ? value[7] + sum : 0; /* beyond the value */
}
