// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * Prints the kernel's code symbols in the form of /proc/kallsyms, for where that file hides the
 * addresses. An object of its own: it is loaded only there, and a kernel that has no such iterator
 * (before 6.0) refuses nothing else.
 */
#include <stdbool.h>

#include "kernel.bpf.h"

char LICENSE[] SEC("license") = "GPL v2";

/* The kernel decides by show_value, from the reader's rights, what the file shows: not read here. */
struct kallsym_iter {
	unsigned long value;
	char type;
	char name[128]; /* 512 from 6.1 on */
	char module_name[56];
} RELOCATED;

struct bpf_iter__ksym {
	struct bpf_iter_meta *meta;
	struct kallsym_iter *ksym;
} RELOCATED;

static __always_inline bool is_code(char type)
{
	return type == 't' || type == 'T' || type == 'w' || type == 'W';
}

/* The padding before a function has a symbol too, half of all: the reader has no use for it. */
static __always_inline bool is_padding(struct kallsym_iter *symbol)
{
	return symbol->name[0] == '_' && symbol->name[1] == '_' && symbol->name[2] == 'p' &&
	       symbol->name[3] == 'f' && symbol->name[4] == 'x' && symbol->name[5] == '_';
}

/*
 * What does not fit into the kernel's buffer is printed again at the next read. Called once more
 * after the last symbol, which stands there twice then.
 */
SEC("iter/ksym")
int on_symbol(struct bpf_iter__ksym *context)
{
	struct seq_file *out = context->meta->seq;
	struct kallsym_iter *symbol = context->ksym;

	if (!symbol || !symbol->value || !is_code(symbol->type) || !symbol->name[0] ||
	    is_padding(symbol))
		return 0;
	/* in parts: all strings of one call share 512 bytes, the length of one name */
	BPF_SEQ_PRINTF(out, "%016llx %c ", symbol->value, symbol->type);
	BPF_SEQ_PRINTF(out, "%s", symbol->name);
	if (symbol->module_name[0])
		BPF_SEQ_PRINTF(out, "\t[%s]", symbol->module_name);
	BPF_SEQ_PRINTF(out, "\n");
	return 0;
}
