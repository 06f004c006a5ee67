/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's unwinder as a program, for tests.
 *
 *   walker live IMAGE TID N STEPS CASEDIR   stops thread TID N times, STEPS single steps each time, walks
 *                                   at each stop, prints one line a walk; failing walks go to CASEDIR
 *   walker replay CASE              walks a recorded case, prints its frames
 *   walker faults CASE              walks it once for each of its reads with that read failing
 *
 * IMAGE is what user space tells the kernel: see struct image_header. A CASE is an image reduced to
 * nothing: the knobs, the registers, and every byte that the walk read.
 */
#define _GNU_SOURCE
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user_shim.h"

#define IMAGE_MAGIC 0x4a45425046494d47ULL /* "GMIFPBEJ" */
#define READS_MAX 65536

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

/* One read of the recorded walk; `failed` reads have no bytes. */
struct read_record {
	__u64 address;
	__u32 size;
	__u32 failed;
};

static struct walk walk;
static pid_t live_tid;
static int recording;
static struct read_record reads[READS_MAX];
static unsigned char *read_bytes[READS_MAX];
static int read_count, fault_at = -1, read_index;

static void die(const char *what)
{
	fprintf(stderr, "walker: %s: %s\n", what, strerror(errno));
	exit(2);
}

static long read_live(void *to, __u32 size, __u64 address)
{
	struct iovec local = {to, size}, remote = {(void *)address, size};

	return process_vm_readv(live_tid, &local, 1, &remote, 1, 0) == (ssize_t)size ? 0 : -EFAULT;
}

/* From the record: any read that lies inside one recorded read. */
static long read_recorded(void *to, __u32 size, __u64 address)
{
	for (int i = 0; i < read_count; i++) {
		if (!reads[i].failed && address >= reads[i].address &&
		    address + size <= reads[i].address + reads[i].size) {
			memcpy(to, read_bytes[i] + (address - reads[i].address), size);
			return 0;
		}
	}
	return -EFAULT;
}

long shim_read(void *to, __u32 size, __u64 address)
{
	long result;

	if (read_index++ == fault_at)
		result = -EFAULT;
	else
		result = live_tid ? read_live(to, size, address) : read_recorded(to, size, address);
	if (result)
		memset(to, 0, size);
	if (recording && read_count < READS_MAX) {
		reads[read_count] = (struct read_record){address, size, result != 0};
		read_bytes[read_count] = malloc(size);
		memcpy(read_bytes[read_count++], to, size);
	}
	return result;
}

static void need(FILE *file, void *to, size_t bytes)
{
	if (bytes && fread(to, bytes, 1, file) != 1)
		die("image is cut short");
}

static const struct btf_member *member_of(const struct btf *btf, const struct btf_type *type,
					  const char *name)
{
	const struct btf_member *members = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, members[i].name_off), name))
			return &members[i];
	die(name);
	return NULL;
}

/* Sets one knob by its name in the BTF of the kernel object, as the agent does. */
static void set_knob(const struct btf *btf, char *line)
{
	const struct btf_type *type = btf__type_by_id(btf, btf__find_by_name_kind(btf, "jebpf_config", BTF_KIND_STRUCT));
	char *words[4];
	int count = 0;
	size_t offset;
	__u64 value;
	const struct btf_member *member;

	for (char *word = strtok(line, " "); word && count < 4; word = strtok(NULL, " "))
		words[count++] = word;
	if (count != 2 && count != 4)
		die("bad knob line");
	member = member_of(btf, type, words[0]);
	offset = member->offset / 8;
	if (count == 4) {
		const struct btf_array *array = btf_array(btf__type_by_id(btf, member->type));
		const struct btf_type *element = btf__type_by_id(btf, array->type);

		offset += strtoull(words[1], NULL, 0) * btf__resolve_size(btf, array->type);
		member = member_of(btf, element, words[2]);
		offset += member->offset / 8;
	}
	value = strtoull(words[count - 1], NULL, 0);
	if (offset + 8 > sizeof(config) + 6)
		die("knob out of range");
	memcpy((char *)&config + offset, &value, btf__resolve_size(btf, member->type));
}

static void load_knobs(char *text)
{
	struct btf *btf = btf__parse(getenv("JEBPF_OBJECT"), NULL);
	char *rest = NULL, *line;

	if (!btf)
		die("no BTF: JEBPF_OBJECT must name jebpf.bpf.o");
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		set_knob(btf, line);
	btf__free(btf);
}

static void load_image(FILE *file)
{
	struct image_header header;
	char *knobs;

	need(file, &header, sizeof(header));
	if (header.magic != IMAGE_MAGIC || header.knob_bytes > 1 << 20)
		die("not an image of this version");
	knobs = calloc(header.knob_bytes + 1, 1);
	need(file, knobs, header.knob_bytes);
	load_knobs(knobs);
	free(knobs);
	config.depth_max = config.depth_max ? config.depth_max : 1024;
	mappings = (struct shim_map){calloc(2 * JEBPF_MAPPINGS_MAX, sizeof(struct jebpf_mapping)),
				     sizeof(struct jebpf_mapping), 2 * JEBPF_MAPPINGS_MAX};
	unwind_rules = (struct shim_map){calloc(JEBPF_RULES_MAX, sizeof(struct jebpf_rule)),
					 sizeof(struct jebpf_rule), JEBPF_RULES_MAX};
	unwind_tables = (struct shim_map){calloc(JEBPF_TABLES_MAX, sizeof(struct shim_map)),
					  sizeof(struct shim_map), JEBPF_TABLES_MAX};
	need(file, mappings.data, header.mapping_count * sizeof(struct jebpf_mapping));
	need(file, unwind_rules.data, header.rule_count * sizeof(struct jebpf_rule));
	target.mappings_count[0] = header.mapping_count;
	target.generation = 1;
	for (__u32 i = 0; i < header.table_count; i++) {
		__u32 table[2];
		struct shim_map *map;

		need(file, table, sizeof(table));
		if (table[0] >= JEBPF_TABLES_MAX || table[1] > JEBPF_TABLE_ROWS_MAX)
			die("bad table");
		map = (struct shim_map *)unwind_tables.data + table[0];
		*map = (struct shim_map){calloc(table[1] + 1, sizeof(struct jebpf_row)),
					 sizeof(struct jebpf_row), table[1]};
		need(file, map->data, table[1] * sizeof(struct jebpf_row));
	}
}

static const char *const END_NAMES[] = {
	"root",	    "depth",	"bad-return",  "no-blob", "no-mapping",	  "no-rule",	 "read-fault",
	"interpreter", "deopt", "continuation", "no-progress", "no-user", "segmap", "codelet"};

static const char *end_name(__u32 end)
{
	return end < sizeof(END_NAMES) / sizeof(*END_NAMES) ? END_NAMES[end] : "?";
}

static void print_frames(void)
{
	struct jebpf_frame *frame = (void *)&walk.record[sizeof(struct jebpf_sample)];

	printf("end %s frames %u reads %d\n", end_name(walk.end), walk.frames, read_index);
	for (__u32 i = 0; i < walk.frames; i++)
		printf("%u %u %llx %llx\n", (unsigned)(frame[i].head >> 56),
		       (unsigned)(frame[i].head >> 48 & 0xff), frame[i].head & 0xffffffffffffULL,
		       (unsigned long long)frame[i].detail);
}

/* The image's part that a case needs: knobs, mappings and rules whole; tables are few rows of use. */
static void write_case(const char *path, const struct pt_regs *regs, __u64 fs_base, FILE *image)
{
	FILE *file = fopen(path, "w");
	char buffer[65536];
	size_t n;
	__u64 extra[2] = {fs_base, read_count};

	if (!file)
		die(path);
	fwrite(regs, sizeof(*regs), 1, file);
	fwrite(extra, sizeof(extra), 1, file);
	for (int i = 0; i < read_count; i++) {
		fwrite(&reads[i], sizeof(reads[i]), 1, file);
		fwrite(read_bytes[i], reads[i].size, 1, file);
	}
	rewind(image);
	while ((n = fread(buffer, 1, sizeof(buffer), image)) > 0)
		fwrite(buffer, 1, n, file);
	fclose(file);
}

static void walk_once(const struct pt_regs *regs, __u64 fs_base)
{
	read_index = 0;
	walk.number++;
	walk.thread = 0;
	walk.fs_base = fs_base;
	walk.kernel_bytes = 0;
	set_registers(&walk, regs);
	walk_user(&walk);
}

static void forget_reads(void)
{
	for (int i = 0; i < read_count; i++)
		free(read_bytes[i]);
	read_count = 0;
}

static void stop_registers(struct pt_regs *regs, __u64 *fs_base)
{
	struct user_regs_struct user;

	if (ptrace(PTRACE_GETREGS, live_tid, 0, &user))
		die("PTRACE_GETREGS");
	*regs = (struct pt_regs){
		.r15 = user.r15, .r14 = user.r14, .r13 = user.r13, .r12 = user.r12, .bp = user.rbp,
		.bx = user.rbx,	 .r11 = user.r11, .r10 = user.r10, .r9 = user.r9,   .r8 = user.r8,
		.ax = user.rax,	 .cx = user.rcx,  .dx = user.rdx,  .si = user.rsi,  .di = user.rdi,
		.ip = user.rip,	 .cs = 3,	  .sp = user.rsp,  .ss = user.ss};
	*fs_base = user.fs_base;
}

static void await_stop(void)
{
	int status;

	if (waitpid(live_tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		die("the thread ended");
}

/* Walks at each instruction of a burst; signals that arrive meanwhile are handed on. */
static void burst(int steps, const char *case_directory, FILE *image, int *counts)
{
	static int cases;

	for (int i = 0; i <= steps; i++) {
		struct pt_regs regs;
		__u64 fs_base;
		int status;

		stop_registers(&regs, &fs_base);
		forget_reads();
		recording = 1;
		walk_once(&regs, fs_base);
		recording = 0;
		counts[walk.end]++;
		if (getenv("JEBPF_PRINT"))
			print_frames();
		if (walk.end && cases < 200) {
			char path[512];

			snprintf(path, sizeof(path), "%s/%03d-%s.case", case_directory, cases++, end_name(walk.end));
			write_case(path, &regs, fs_base, image);
		}
		if (i == steps)
			break;
		if (ptrace(PTRACE_SINGLESTEP, live_tid, 0, 0))
			die("PTRACE_SINGLESTEP");
		if (waitpid(live_tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
			die("the thread ended");
		if (WSTOPSIG(status) != SIGTRAP) {
			ptrace(PTRACE_SINGLESTEP, live_tid, 0, WSTOPSIG(status));
			await_stop();
		}
	}
}

static void live(int argc, char **argv)
{
	int counts[JEBPF_END_COUNT] = {};
	FILE *image = fopen(argv[2], "r");
	int stops = atoi(argv[4]), steps = atoi(argv[5]);
	int total = 0;

	(void)argc;
	if (!image)
		die(argv[2]);
	load_image(image);
	live_tid = atoi(argv[3]);
	for (int i = 0; i < stops; i++) {
		if (ptrace(PTRACE_SEIZE, live_tid, 0, 0))
			die("PTRACE_SEIZE");
		if (ptrace(PTRACE_INTERRUPT, live_tid, 0, 0))
			die("PTRACE_INTERRUPT");
		await_stop();
		burst(steps, argv[6], image, counts);
		ptrace(PTRACE_DETACH, live_tid, 0, 0);
		usleep(1000 + rand() % 9000);
	}
	for (int i = 0; i < JEBPF_END_COUNT; i++)
		total += counts[i];
	printf("walks %d", total);
	for (int i = 0; i < JEBPF_END_COUNT; i++)
		if (counts[i])
			printf(" %s %d", end_name(i), counts[i]);
	printf("\n");
}

static void replay(char **argv, int inject)
{
	FILE *file = fopen(argv[2], "r");
	struct pt_regs regs;
	__u64 extra[2];
	int all;

	if (!file)
		die(argv[2]);
	need(file, &regs, sizeof(regs));
	need(file, extra, sizeof(extra));
	if (extra[1] > READS_MAX)
		die("bad case");
	for (read_count = 0; read_count < (int)extra[1]; read_count++) {
		need(file, &reads[read_count], sizeof(reads[0]));
		read_bytes[read_count] = malloc(reads[read_count].size);
		need(file, read_bytes[read_count], reads[read_count].size);
	}
	load_image(file);
	walk_once(&regs, extra[0]);
	print_frames();
	all = read_index;
	for (int i = 0; inject && i < all; i++) {
		memset(walk.cache, 0, sizeof(walk.cache));
		fault_at = i;
		walk_once(&regs, extra[0]);
		printf("fault %d end %s frames %u\n", i, end_name(walk.end), walk.frames);
		if (walk.frames > JEBPF_FRAMES_MAX + 1 || walk.end >= JEBPF_END_COUNT)
			exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "live"))
		live(argc, argv);
	else if (argc == 3 && !strcmp(argv[1], "replay"))
		replay(argv, 0);
	else if (argc == 3 && !strcmp(argv[1], "faults"))
		replay(argv, 1);
	else
		die("usage: live IMAGE TID STOPS STEPS CASEDIR | replay CASE | faults CASE");
	return 0;
}
