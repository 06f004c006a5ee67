/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A CASE is one walk reduced to nothing: the knobs, the registers, and every byte and table entry
 * that the walk looked at, as text, followed by the frames that it must give:
 *
 *   # comment
 *   knob FIELD VALUE
 *   registers FS_BASE and struct pt_regs as hex words
 *   mappings COUNT
 *   map|rule KEY HEX            entry of a map
 *   row TABLE KEY HEX           row of an unwind table
 *   read ADDRESS HEX            user memory
 *   fault ADDRESS SIZE          user memory that could not be read
 *   expect END
 *   frame KIND FLAGS ADDR DETAIL
 */
#ifndef JEBPF_CASE_H
#define JEBPF_CASE_H

#include "image.h"

#define READS_MAX 65536
#define LINE_BYTES 4096

struct read_record {
	__u64 address;
	__u32 size;
	__u32 failed;
	unsigned char *bytes;
};

struct expected_frame {
	unsigned int kind, flags;
	unsigned long long addr, detail;
};

static struct walk walk;
static struct read_record reads[READS_MAX];
static int read_count;
static struct pt_regs case_regs;
static __u64 case_fs_base;
static struct expected_frame expected[JEBPF_FRAMES_MAX + 1];
static int expected_count;
static char expected_end[32];

static const char *const END_NAMES[] = {
	"root",	       "depth", "bad-return",	"no-blob",     "no-mapping", "no-rule", "read-fault",
	"interpreter", "deopt", "continuation", "no-progress", "no-user",    "segmap",	"codelet"};

static const char *end_name(__u32 end)
{
	return end < sizeof(END_NAMES) / sizeof(*END_NAMES) ? END_NAMES[end] : "?";
}

static struct jebpf_frame *frame_at(struct walk *w, int i)
{
	return (struct jebpf_frame *)&w->record[sizeof(struct jebpf_sample)] + i;
}

static void remember_read(__u64 address, __u32 size, const void *bytes, int failed)
{
	for (int i = read_count - 1; i >= 0; i--)
		if (reads[i].address == address && reads[i].size == size)
			return;
	if (read_count == READS_MAX)
		die("too many reads for a case");
	reads[read_count] = (struct read_record){address, size, failed, malloc(size)};
	memcpy(reads[read_count++].bytes, bytes, size);
}

static void forget_reads(void)
{
	for (int i = 0; i < read_count; i++)
		free(reads[i].bytes);
	read_count = 0;
}

/* Any read that lies inside one recorded read. */
static long read_recorded(void *to, __u32 size, __u64 address)
{
	for (int i = 0; i < read_count; i++) {
		if (!reads[i].failed && address >= reads[i].address &&
		    address + size <= reads[i].address + reads[i].size) {
			memcpy(to, reads[i].bytes + (address - reads[i].address), size);
			return 0;
		}
	}
	return -EFAULT;
}

static void write_hex(FILE *file, const void *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		fprintf(file, "%02x", ((const unsigned char *)bytes)[i]);
	fputc('\n', file);
}

static void write_used(FILE *file, const char *word, struct shim_map *map)
{
	for (__u32 i = 0; i < map->count; i++) {
		if (!map->used || !map->used[i])
			continue;
		fprintf(file, "%s %u ", word, i);
		write_hex(file, (char *)map->data + (size_t)i * map->size, map->size);
	}
}

/* Without the long list of interpreter entries where the walk does not begin in the interpreter. */
static void write_knobs(FILE *file)
{
	__u32 leaf = walk.frames ? frame_at(&walk, 0)->head >> 56 : 0;
	int entries = leaf == JEBPF_FRAME_INTERPRETED || leaf == JEBPF_FRAME_INTERPRETER;
	char *copy = strdup(knob_text), *rest = NULL, *line;

	for (line = strtok_r(copy, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (entries || strncmp(line, "entry_codelet", 13))
			fprintf(file, "knob %s\n", line);
	free(copy);
}

/* Writes the last walk, which was recorded from the start with empty caches. */
static void write_case(const char *path, const char *comment)
{
	struct shim_map *tables = unwind_tables.data;
	FILE *file = fopen(path, "w");

	if (!file)
		die(path);
	fprintf(file, "# %s\n", comment);
	write_knobs(file);
	fprintf(file, "registers %llx", (unsigned long long)case_fs_base);
	for (size_t i = 0; i < sizeof(case_regs) / 8; i++)
		fprintf(file, " %lx", ((unsigned long *)&case_regs)[i]);
	fprintf(file, "\nmappings %u\n", target.mappings_count[0]);
	write_used(file, "map", &mappings);
	write_used(file, "rule", &unwind_rules);
	for (__u32 t = 0; t < unwind_tables.count; t++) {
		char word[32];

		snprintf(word, sizeof(word), "row %u", t);
		write_used(file, word, &tables[t]);
	}
	for (int i = 0; i < read_count; i++) {
		if (reads[i].failed) {
			fprintf(file, "fault %llx %u\n", (unsigned long long)reads[i].address, reads[i].size);
			continue;
		}
		fprintf(file, "read %llx ", (unsigned long long)reads[i].address);
		write_hex(file, reads[i].bytes, reads[i].size);
	}
	fprintf(file, "expect %s\n", end_name(walk.end));
	for (__u32 i = 0; i < walk.frames; i++) {
		struct jebpf_frame *f = frame_at(&walk, i);

		fprintf(file, "frame %u %u %llx %llx\n", (unsigned)(f->head >> 56),
			(unsigned)(f->head >> 48 & 0xff), f->head & 0xffffffffffffULL,
			(unsigned long long)f->detail);
	}
	fclose(file);
}

static size_t parse_hex(const char *text, unsigned char *to, size_t most)
{
	size_t n = 0;
	unsigned int byte;

	while (n < most && sscanf(text + 2 * n, "%2x", &byte) == 1)
		to[n++] = byte;
	return n;
}

static void parse_entry(struct shim_map *map, unsigned int key, const char *hex)
{
	if (key >= map->count || parse_hex(hex, (unsigned char *)map->data + (size_t)key * map->size,
					   map->size) != map->size)
		die("bad map entry in case");
}

static void parse_registers(char *text)
{
	unsigned long *words = (unsigned long *)&case_regs;

	case_fs_base = strtoull(text, &text, 16);
	for (size_t i = 0; i < sizeof(case_regs) / 8; i++)
		words[i] = strtoull(text, &text, 16);
}

static void parse_line(char *line, char *knobs)
{
	struct shim_map *tables = unwind_tables.data;
	unsigned int key, table, size;
	unsigned long long address;
	unsigned char bytes[LINE_BYTES / 2];
	int at = 0;

	if (!strncmp(line, "knob ", 5)) {
		strcat(knobs, line + 5);
	} else if (!strncmp(line, "registers ", 10)) {
		parse_registers(line + 10);
	} else if (sscanf(line, "mappings %u", &key) == 1) {
		target.mappings_count[0] = key;
	} else if (sscanf(line, "map %u %n", &key, &at) == 1 && at) {
		parse_entry(&mappings, key, line + at);
	} else if (sscanf(line, "rule %u %n", &key, &at) == 1 && at) {
		parse_entry(&unwind_rules, key, line + at);
	} else if (sscanf(line, "row %u %u %n", &table, &key, &at) == 2 && table < unwind_tables.count) {
		if (!tables[table].data)
			tables[table] = (struct shim_map){
				calloc(JEBPF_TABLE_ROWS_MAX, sizeof(struct jebpf_row)),
				sizeof(struct jebpf_row), JEBPF_TABLE_ROWS_MAX, NULL,
				calloc(JEBPF_TABLE_ROWS_MAX, 1)};
		if (key < JEBPF_TABLE_ROWS_MAX)
			tables[table].known[key] = 1;
		parse_entry(&tables[table], key, line + at);
	} else if (sscanf(line, "read %llx %n", &address, &at) == 1 && at) {
		size = parse_hex(line + at, bytes, sizeof(bytes));
		remember_read(address, size, bytes, 0);
	} else if (sscanf(line, "fault %llx %u", &address, &size) == 2 && size <= sizeof(bytes)) {
		memset(bytes, 0, size);
		remember_read(address, size, bytes, 1);
	} else if (sscanf(line, "expect %31s", expected_end) == 1) {
		expected_count = 0;
	} else if (!strncmp(line, "frame ", 6) && expected_count <= JEBPF_FRAMES_MAX) {
		struct expected_frame *f = &expected[expected_count++];

		if (sscanf(line, "frame %u %u %llx %llx", &f->kind, &f->flags, &f->addr, &f->detail) != 4)
			die("bad frame in case");
	} else if (line[0] != '#') {
		die("bad line in case");
	}
}

static void load_case(const char *path)
{
	FILE *file = fopen(path, "r");
	char *line = malloc(LINE_BYTES);

	if (!file)
		die(path);
	empty_maps();
	knob_text = calloc(KNOB_BYTES_MAX, 1);
	while (fgets(line, LINE_BYTES, file))
		parse_line(line, knob_text);
	free(line);
	fclose(file);
	memset(&config, 0, sizeof(config));
	config.thread_saved_pc = JEBPF_ABSENT; /* younger than most cases */
	load_knobs(knob_text);
}

#endif
