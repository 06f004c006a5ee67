/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the kernel object with the knobs of a JDK 25, so that the verifier sees every branch that a
 * real JVM opens, and prints the outcome. Linked statically: runs as the only program of a VM.
 *
 *   verify OBJECT [SYMBOLS]   exit 0: loaded. 1: refused, with the end of the verifier's log. Says for each ticker.
 *                             SYMBOLS is the object that reads the kernel's symbols.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../main/c/jebpf_types.h"

#define CODE 0x7f0000000000ULL
#define HEAP_BYTES 0x5000000ULL

static int print_warnings(enum libbpf_print_level level, const char *format, va_list arguments)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, arguments) : 0;
}

static void set_offsets(struct jebpf_config *config)
{
	for (__u16 *offset = &config->heap_block_bytes; offset < (__u16 *)(config + 1); offset++)
		*offset = 16; /* an absent one would hide what it opens */
	config->heap_block_bytes = 8;
	config->heap_block_used = 4;
	config->blob_name = 8;
	config->blob_size = 24;
	config->blob_frame_size = 44;
	config->blob_frame_complete = 54;
	config->flag_frame_complete_i16 = 1;
	config->blob_kind = 56;
	config->blob_code_offset = 36;
	config->blob_data_offset = 40;
	config->nmethod_method = 80;
	config->nmethod_compile_id = 212;
	config->nmethod_orig_pc = 208;
	config->nmethod_deopt_offset = 176;
	config->nmethod_deopt_mh_offset = 180;
	config->nmethod_stub_offset = 168;
	config->nmethod_verified_entry_offset = 154;
	config->method_const = 8;
	config->const_method_bytes = 56;
	config->const_method_constants = 8;
	config->const_method_code_size = 34;
	config->thread_anchor_sp = 1152;
	config->thread_anchor_pc = 1160;
	config->thread_anchor_fp = 1168;
	config->thread_state = 1324;
	config->thread_osthread = 1016;
	config->thread_vframe_array_head = 1208;
	config->thread_cont_entry = 1560;
	config->osthread_id = 12;
	config->cont_entry_parent = 8;
	config->state_in_java = 8;
	for (int i = 0; i < 11; i++)
		(&config->kind_nmethod)[i] = i + 1;
}

static void set_knobs(struct jebpf_config *config)
{
	config->depth_max = JEBPF_FRAMES_MAX;
	config->has_hotspot = 1;
	config->code_low = CODE;
	config->code_high = CODE + 3 * HEAP_BYTES;
	config->interpreter_low = CODE + 0x1000;
	config->interpreter_high = CODE + 0x41000;
	for (int i = 0; i < 3; i++)
		config->heaps[i] = (struct jebpf_code_heap){CODE + i * HEAP_BYTES,
							    CODE + (i + 1) * HEAP_BYTES,
							    0x7e0000000000ULL + i * 0x100000, 7, 0};
	config->call_stub_return = CODE + 0xd00;
	config->cont_barrier = CODE + 0xe00;
	config->cont_barrier_exc = CODE + 0xe40;
	config->cont_stubs_low = CODE + 0xe00;
	config->cont_stubs_high = CODE + 0xf00;
	config->thaw_end_low = 0x7c0000000000ULL;
	config->thaw_end_high = 0x7c0000000200ULL;
	config->thaw_moved = 0x7c0000000050ULL;
	config->thaw_moved_last = 0x7c0000000180ULL;
	config->cont_return_pc = CODE + 0x50000;
	config->cont_entry_frame_bytes = 80;
	config->name_nmethod = 0x7d0000000000ULL;
	config->name_native_nmethod = 0x7d0000000010ULL;
	config->tls_module_id = 2;
	config->tls_thread_offset = 0x20;
	config->entry_codelet_count = 30;
	for (int i = 0; i < 30; i++)
		config->entry_codelets[i] =
			(struct jebpf_codelet){CODE + 0x2000 + i * 512, 512, 10, 40, 100};
	set_offsets(config);
}

/* The off-CPU programs, which are not loaded unless asked for; with either ticker. */
static const char *const BY_LIST[] = {"on_switch", "on_waking", "on_tick", "on_edge", "on_park", NULL};
static const char *const BY_ITERATOR[] = {"on_switch", "on_waker", "on_tick_task",
					  "on_edge_task", "on_park", NULL};

/* 0: loaded. 1: refused. 2: the object is not what it should be. */
static int load(const char *path, const char *const *programs)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_map *map;
	size_t bytes;
	struct jebpf_config *config;
	int refused;

	if (!object)
		return 2;
	map = bpf_object__find_map_by_name(object, ".rodata.config");
	config = map ? (void *)bpf_map__initial_value(map, &bytes) : NULL;
	if (!config || bytes != sizeof(struct jebpf_config)) {
		fprintf(stderr, "verify: .rodata.config is missing or of another size\n");
		return 2;
	}
	set_knobs(config);
	config->tick_iterator = programs == BY_ITERATOR;
	for (; *programs; programs++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, *programs);

		if (!program || bpf_program__set_autoload(program, true)) {
			fprintf(stderr, "verify: no program %s\n", *programs);
			return 2;
		}
	}
	refused = bpf_object__load(object) != 0;
	bpf_object__close(object);
	return refused;
}

/* As it stands: it has no knobs. */
static int load_symbols(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int refused = !object || bpf_object__load(object);

	bpf_object__close(object);
	return refused;
}

/*
 * A kernel has to take the programs with the task iterator and wakers' stacks. Those with the list
 * need bpf_task_from_pid (Linux 6.2): told, not asked for.
 */
int main(int argc, char **argv)
{
	int by_list, by_iterator, symbols = 0;

	if (argc < 2 || argc > 3)
		return 2;
	libbpf_set_print(print_warnings);
	by_iterator = load(argv[1], BY_ITERATOR);
	by_list = load(argv[1], BY_LIST);
	if (argc > 2)
		symbols = load_symbols(argv[2]);
	printf("verify: CPU, waits by task iterator, wakers' stacks: %s; waits by list: %s; symbols: %s\n",
	       by_iterator ? "refused" : "loaded", by_list ? "refused" : "loaded",
	       argc < 3  ? "not asked"
	       : symbols ? "refused"
			 : "loaded");
	return by_iterator || symbols;
}
