/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What user space tells the kernel about one JVM, from an IMAGE file: knobs by name, mappings,
 * rules and unwind tables. KernelImage.java writes it.
 */
#ifndef JEBPF_IMAGE_H
#define JEBPF_IMAGE_H

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "user_shim.h"

#define IMAGE_MAGIC 0x4a45425046494d47ULL /* "GMIFPBEJ" */
#define KNOB_BYTES_MAX (1 << 20)

/*
 * IMAGE: header, knobs as text lines (`field value` or `array index field value`, the names of
 * struct jebpf_config), mappings, rules, then per table {u32 number, u32 rows, rows}.
 */
struct image_header {
	__u64 magic;
	__u32 knob_bytes;
	__u32 mapping_count;
	__u32 rule_count;
	__u32 table_count;
};

static char *knob_text; /* of the loaded image: copied into cases */
static int skip_unknown; /* knobs: the object may be older than the image */

static void die(const char *what)
{
	fprintf(stderr, "walker: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void need(FILE *file, void *to, size_t bytes)
{
	if (bytes && fread(to, bytes, 1, file) != 1)
		die("file is cut short");
}

static const struct btf_member *member_of(const struct btf *btf, const struct btf_type *type,
					  const char *name)
{
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, members[i].name_off), name))
			return &members[i];
	if (!skip_unknown)
		die(name);
	return NULL;
}

/* Sets one knob by its name in the BTF of the kernel object, as the agent does. */
static void set_knob(const struct btf *btf, char *line)
{
	int id = btf__find_by_name_kind(btf, "jebpf_config", BTF_KIND_STRUCT);
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_member *member;
	char *words[4], *rest = NULL;
	size_t offset, size;
	int count = 0;
	__u64 value;

	for (char *word = strtok_r(line, " ", &rest); word && count < 4;
	     word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	if (count != 2 && count != 4)
		die("bad knob line");
	member = member_of(btf, type, words[0]);
	if (!member)
		return;
	offset = member->offset / 8;
	if (count == 4) {
		const struct btf_array *array = btf_array(btf__type_by_id(btf, member->type));
		const struct btf_type *element = btf__type_by_id(btf, array->type);

		offset += strtoull(words[1], NULL, 0) * btf__resolve_size(btf, array->type);
		member = member_of(btf, element, words[2]);
		offset += member->offset / 8;
	}
	value = strtoull(words[count - 1], NULL, 0);
	size = btf__resolve_size(btf, member->type);
	if (size > sizeof(value) || offset + size > sizeof(config))
		die("knob out of range");
	memcpy((char *)&config + offset, &value, size);
}

/* Leaves the text as it is. */
static void load_knobs(const char *text)
{
	struct btf *btf = btf__parse(getenv("JEBPF_OBJECT"), NULL);
	char *copy = strdup(text), *rest = NULL, *line;

	if (!btf)
		die("no BTF: JEBPF_OBJECT must name jebpf.bpf.o");
	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		set_knob(btf, line);
	config.depth_max = config.depth_max ? config.depth_max : 1024;
	free(copy);
	btf__free(btf);
}

static void empty_maps(void)
{
	mappings = (struct shim_map){calloc(2 * JEBPF_MAPPINGS_MAX, sizeof(struct jebpf_mapping)),
				     sizeof(struct jebpf_mapping), 2 * JEBPF_MAPPINGS_MAX};
	unwind_rules = (struct shim_map){calloc(JEBPF_RULES_MAX, sizeof(struct jebpf_rule)),
					 sizeof(struct jebpf_rule), JEBPF_RULES_MAX};
	unwind_tables = (struct shim_map){calloc(JEBPF_TABLES_MAX, sizeof(struct shim_map)),
					  sizeof(struct shim_map), JEBPF_TABLES_MAX};
	target.generation = 1;
}

static void load_image(FILE *file)
{
	struct image_header header;

	need(file, &header, sizeof(header));
	if (header.magic != IMAGE_MAGIC || header.knob_bytes > KNOB_BYTES_MAX ||
	    header.mapping_count > JEBPF_MAPPINGS_MAX || header.rule_count > JEBPF_RULES_MAX)
		die("not an image of this version");
	knob_text = calloc(header.knob_bytes + 1, 1);
	need(file, knob_text, header.knob_bytes);
	load_knobs(knob_text);
	empty_maps();
	need(file, mappings.data, header.mapping_count * sizeof(struct jebpf_mapping));
	need(file, unwind_rules.data, header.rule_count * sizeof(struct jebpf_rule));
	target.mappings_count[0] = header.mapping_count;
	for (__u32 i = 0; i < header.table_count; i++) {
		__u32 table[2];
		struct shim_map *map;

		need(file, table, sizeof(table));
		if (table[0] >= JEBPF_TABLES_MAX || table[1] > 2 * JEBPF_TABLE_ROWS_MAX)
			die("bad table");
		map = (struct shim_map *)unwind_tables.data + table[0];
		*map = (struct shim_map){calloc(table[1] + 1, sizeof(struct jebpf_row)),
					 sizeof(struct jebpf_row), table[1]};
		need(file, map->data, table[1] * sizeof(struct jebpf_row));
	}
}

static void free_image(void)
{
	for (__u32 i = 0; i < unwind_tables.count; i++) {
		free(((struct shim_map *)unwind_tables.data)[i].data);
		free(((struct shim_map *)unwind_tables.data)[i].known);
	}
	free(unwind_tables.data);
	free(unwind_rules.data);
	free(mappings.data);
	free(knob_text);
}

#endif
