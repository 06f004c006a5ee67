/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's unwinder as a program, for tests.
 *
 *   walker live IMAGE TID STOPS STEPS CASEDIR
 *         stops thread TID STOPS times, then goes on STEPS single steps, and walks at each instruction.
 *         Prints how the walks ended and how often two neighbouring walks contradict each other. Walks
 *         that do not reach the root, and contradictions, are recorded in CASEDIR.
 *   walker replay CASE...   walks recorded cases; exit code 1 when frames differ from the expected
 *   walker update CASE...   the same, and writes the frames as the new expectation
 *   walker faults CASE...   walks each once for each of its reads with that read failing
 *   walker rules CASE...    walks each once for each rule with that rule switched off; exit code 1 when
 *                           there is a rule that no case misses
 *
 * JEBPF_OBJECT names the kernel object: its BTF says where a knob lies. With JEBPF_KEEP=NAME `live`
 * also records walks that reached the root, as golden cases NNN-NAME.case; with JEBPF_RULES=1 those that
 * need a rule, as NNN-rule-RULE.case; with JEBPF_RULES=RULE,RULE those that need one of these. Stacks with
 * gaps are not recorded then. With JEBPF_BREAK=ADDRESS, in hex, each burst of steps begins where the thread
 * gets to that instruction; no other thread may run it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "case.h"
#include "oracle.h"

#define CASES_MAX 200
#define CASES_OF_RULE 2 /* recorded in one run */
#define TRAP_FLAG 0x100L
#define SIGNAL_FRAME_FLAGS 184 /* bytes from rsp at a handler's first instruction */
#define PAGE 4096
#define PAGES 256 /* of the stopped thread's memory, kept while it stands still */

static pid_t live_tid;
static int recording, fault_at = -1, read_index;
static __u64 faulted;
static __u32 faulted_size;
static struct {
	__u64 address;
	int state; /* 0: empty, 1: read, 2: cannot be read */
	unsigned char bytes[PAGE];
} pages[PAGES];

static int live_page(__u64 address)
{
	int slot = address / PAGE % PAGES;
	struct iovec local = {pages[slot].bytes, PAGE}, remote = {(void *)address, PAGE};

	if (!pages[slot].state || pages[slot].address != address) {
		pages[slot].address = address;
		pages[slot].state =
			process_vm_readv(live_tid, &local, 1, &remote, 1, 0) == PAGE ? 1 : 2;
	}
	return pages[slot].state == 1 ? slot : -1;
}

static long read_live(void *to, __u32 size, __u64 address)
{
	while (size) {
		__u32 offset = address % PAGE;
		__u32 part = size < PAGE - offset ? size : PAGE - offset;
		int slot = live_page(address - offset);

		if (slot < 0)
			return -EFAULT;
		memcpy(to, pages[slot].bytes + offset, part);
		to = (char *)to + part;
		address += part;
		size -= part;
	}
	return 0;
}

long shim_read(void *to, __u32 size, __u64 address)
{
	long result;

	if (read_index++ == fault_at) {
		result = -EFAULT;
		faulted = address;
		faulted_size = size;
	} else
		result = live_tid ? read_live(to, size, address) : read_recorded(to, size, address);
	if (result)
		memset(to, 0, size);
	if (recording)
		remember_read(address, size, to, result != 0);
	return result;
}

static void walk_once(void)
{
	read_index = 0;
	walk.number++;
	walk.thread = 0;
	walk.fs_base = case_fs_base;
	walk.kernel_bytes = 0;
	set_registers(&walk, &case_regs);
	walk_user(&walk);
}

static void walk_with_empty_cache(void)
{
	memset(walk.cache, 0, sizeof(walk.cache));
	walk.mapping = 0;
	walk_once();
}

static void record(const char *directory, const char *name, const char *comment)
{
	static int cases;
	unsigned char code[384];
	char path[512];

	if (cases >= CASES_MAX)
		return;
	forget_reads();
	mark_used = recording = 1;
	walk_with_empty_cache();
	if (getenv("JEBPF_CODE")) /* for whoever looks for the cause */
		for (__u32 i = 0; i < 8 && i < walk.frames; i++)
			if (frame_at(&walk, i)->head >> 56 == JEBPF_FRAME_STUB)
				shim_read(code, sizeof(code), (frame_at(&walk, i)->head & 0xffffffffffffULL) +
								       frame_at(&walk, i)->detail - 256);
	mark_used = recording = 0;
	snprintf(path, sizeof(path), "%s/%03d-%s.case", directory, cases++, name);
	write_case(path, comment);
	forget_used(&mappings);
	forget_used(&unwind_rules);
	for (__u32 i = 0; i < unwind_tables.count; i++)
		forget_used((struct shim_map *)unwind_tables.data + i);
}

static void stop_registers(void)
{
	struct user_regs_struct user;

	if (ptrace(PTRACE_GETREGS, live_tid, 0, &user))
		die("PTRACE_GETREGS");
	case_regs = (struct pt_regs){
		.r15 = user.r15, .r14 = user.r14, .r13 = user.r13, .r12 = user.r12, .bp = user.rbp,
		.bx = user.rbx,	 .r11 = user.r11, .r10 = user.r10, .r9 = user.r9,   .r8 = user.r8,
		.ax = user.rax,	 .cx = user.rcx,  .dx = user.rdx,  .si = user.rsi,  .di = user.rdi,
		.ip = user.rip,	 .cs = 3,	  .sp = user.rsp,  .ss = user.ss};
	case_fs_base = user.fs_base;
	for (int i = 0; i < PAGES; i++)
		pages[i].state = 0;
}

static int await_stop(void)
{
	int status;

	if (waitpid(live_tid, &status, __WALL) < 0 || !WIFSTOPPED(status))
		die("the thread ended");
	return WSTOPSIG(status);
}

/* The stored flags hold the one that single steps need: loaded again it would stay set for good. */
static void clear_stored_trap_flag(long from_rsp)
{
	struct user_regs_struct user;
	long flags;

	if (ptrace(PTRACE_GETREGS, live_tid, 0, &user))
		die("PTRACE_GETREGS");
	flags = ptrace(PTRACE_PEEKDATA, live_tid, user.rsp + from_rsp, 0);
	ptrace(PTRACE_POKEDATA, live_tid, user.rsp + from_rsp, flags & ~TRAP_FLAG);
}

/* One instruction. Signals that arrive meanwhile are handed on; true when there was one. */
static int single_step(void)
{
	unsigned char code[2] = {};
	int signal, signals = 0;

	read_live(code, 2, case_regs.ip);
	if (ptrace(PTRACE_SINGLESTEP, live_tid, 0, 0))
		die("PTRACE_SINGLESTEP");
	while ((signal = await_stop()) != SIGTRAP && signals++ < 8)
		ptrace(PTRACE_SINGLESTEP, live_tid, 0, signal);
	if (code[0] == 0x9c || (code[0] == 0x66 && code[1] == 0x9c))
		clear_stored_trap_flag(0);
	if (signals)
		clear_stored_trap_flag(SIGNAL_FRAME_FLAGS);
	return signals != 0;
}

/* Lets the thread run for a while. It stays traced: a stray trap would end the process otherwise. */
static void let_run(int micros)
{
	int status, signal = 0;

	ptrace(PTRACE_CONT, live_tid, 0, 0);
	for (int waited = 0; waited < micros; waited += 500) {
		usleep(500);
		while (waitpid(live_tid, &status, __WALL | WNOHANG) == live_tid) {
			if (!WIFSTOPPED(status))
				die("the thread ended");
			signal = WSTOPSIG(status);
			ptrace(PTRACE_CONT, live_tid, 0, signal == SIGTRAP ? 0 : signal);
		}
	}
	ptrace(PTRACE_INTERRUPT, live_tid, 0, 0);
	while ((signal = await_stop()) != SIGTRAP)
		ptrace(PTRACE_CONT, live_tid, 0, signal);
}

/* Lets the thread run up to an instruction. Other threads must not get there: it is a trap meanwhile. */
static void run_to(__u64 address)
{
	struct user_regs_struct user;
	int signal = 0;
	long code;

	errno = 0;
	code = ptrace(PTRACE_PEEKTEXT, live_tid, address, 0);
	if (errno || ptrace(PTRACE_POKETEXT, live_tid, address, (code & ~0xffL) | 0xcc))
		die("JEBPF_BREAK: no code");
	do {
		ptrace(PTRACE_CONT, live_tid, 0, signal);
		signal = await_stop();
		ptrace(PTRACE_GETREGS, live_tid, 0, &user);
	} while (signal != SIGTRAP || user.rip != address + 1);
	ptrace(PTRACE_POKETEXT, live_tid, address, code);
	user.rip = address;
	ptrace(PTRACE_SETREGS, live_tid, 0, &user);
}

/* Whether no walk before began at this very instruction of stub, adapter or compiled code. */
static int first_of_its_leaf(void)
{
	static __u64 seen[1 << 16];
	struct jebpf_frame *leaf = frame_at(&walk, 0);
	__u32 kind = leaf->head >> 56;
	__u64 key = leaf->head * 31 + leaf->detail;
	__u64 *slot = &seen[(key * 0x9e3779b97f4a7c15ULL) >> 48];

	if (walk.end || kind == JEBPF_FRAME_NATIVE || kind == JEBPF_FRAME_COMPILED || *slot == key ||
	    rand() % 16)
		return 0;
	*slot = key;
	return 1;
}

/* Whether the last walk, which is in `copy`, comes out otherwise without a rule. */
static int needs_rule(int rule, const struct jebpf_frame *copy, __u32 frames, __u32 end)
{
	int other;

	rule_off = rule;
	walk_with_empty_cache();
	other = walk.end != end || walk.frames != frames || memcmp(frame_at(&walk, 0), copy, frames * sizeof(*copy));
	rule_off = -1;
	return other;
}

/* Whether a rule is one of those in a list with commas, or the list is "1". */
static int is_wanted(const char *list, const char *rule)
{
	size_t length = strlen(rule);

	for (const char *at = list; (at = strstr(at, rule)); at += length)
		if ((at == list || at[-1] == ',') && (!at[length] || at[length] == ','))
			return 1;
	return !strcmp(list, "1");
}

/* Records the walk for each rule that it needs, while that rule has few cases. */
static void record_for_rules(const char *directory)
{
	static struct jebpf_frame copy[JEBPF_FRAMES_MAX + MARKERS_MAX];
	static int have[RULE_COUNT];
	const char *wanted = getenv("JEBPF_RULES");
	__u32 frames, end;
	char name[64];

	walk_with_empty_cache();
	frames = walk.frames;
	end = walk.end;
	memcpy(copy, frame_at(&walk, 0), frames * sizeof(*copy));
	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (!is_wanted(wanted, RULE_NAMES[rule]) || have[rule] >= CASES_OF_RULE || !needs_rule(rule, copy, frames, end))
			continue;
		have[rule]++;
		snprintf(name, sizeof(name), "rule-%s", RULE_NAMES[rule]);
		record(directory, name, "golden");
	}
}

static int markers(void)
{
	int count = 0;

	for (__u32 i = 0; i < walk.frames; i++)
		count += frame_at(&walk, i)->head >> 56 == JEBPF_FRAME_MARKER;
	return count;
}

/* Walks at each instruction of a burst. Returns the number of contradictions. */
static int burst(int steps, const char *case_directory, int *counts, int *gaps)
{
	int contradictions = 0, jump = 1;

	for (int i = 0; i <= steps; i++) {
		stop_registers();
		walk_once();
		counts[walk.end]++;
		if (walk.end && walk.end != JEBPF_END_DEPTH)
			record(case_directory, end_name(walk.end), "did not reach the root");
		if (!walk.end && markers()) {
			(*gaps)++;
			if (!getenv("JEBPF_RULES"))
				record(case_directory, "gap", "frames are missing");
		}
		if (getenv("JEBPF_KEEP") && walk.frames < 60 && first_of_its_leaf())
			record(case_directory, getenv("JEBPF_KEEP"), "golden");
		if (getenv("JEBPF_RULES") && walk.frames < 160 && (!walk.end || walk.end == JEBPF_END_DEOPT)) {
			record_for_rules(case_directory);
			walk_once();
		}
		if (!agrees(&walk, jump)) {
			contradictions++;
			record(case_directory, "contradiction", disagreement);
			if (getenv("JEBPF_PRINT"))
				printf("%s\n", disagreement);
		}
		if (i < steps)
			jump = single_step();
	}
	return contradictions;
}

static void live(char **argv)
{
	int stops = atoi(argv[4]), steps = atoi(argv[5]), contradictions = 0, total = 0, gaps = 0;
	int counts[JEBPF_END_COUNT] = {};
	const char *break_at = getenv("JEBPF_BREAK");
	FILE *image = fopen(argv[2], "r");

	if (!image)
		die(argv[2]);
	load_image(image);
	fclose(image);
	live_tid = atoi(argv[3]);
	if (ptrace(PTRACE_SEIZE, live_tid, 0, 0) || ptrace(PTRACE_INTERRUPT, live_tid, 0, 0))
		die("PTRACE_SEIZE");
	await_stop();
	for (int i = 0; i < stops; i++) {
		if (break_at)
			run_to(strtoull(break_at, NULL, 16));
		contradictions += burst(steps, argv[6], counts, &gaps);
		let_run(1000 + rand() % 9000);
	}
	ptrace(PTRACE_DETACH, live_tid, 0, 0);
	for (int i = 0; i < JEBPF_END_COUNT; i++)
		total += counts[i];
	printf("walks %d contradictions %d gaps %d thawing %u", total, contradictions, gaps, thawing);
	for (int i = 0; i < JEBPF_END_COUNT; i++)
		if (counts[i])
			printf(" %s %d", end_name(i), counts[i]);
	printf("\n");
	forget_reads();
	free_image();
}

/* The same code in the same order; with `whole` also the same places in it. */
static int frames_as_expected(int whole)
{
	int same = !strcmp(expected_end, end_name(walk.end)) && expected_count == (int)walk.frames;

	for (int i = 0; same && i < expected_count; i++) {
		struct jebpf_frame *f = frame_at(&walk, i);
		struct expected_frame *e = &expected[i];

		same = f->head == ((__u64)e->kind << 56 | (__u64)e->flags << 48 | e->addr) &&
		       (!whole || f->detail == e->detail);
	}
	return same;
}

static int as_expected(const char *path)
{
	int same = frames_as_expected(1);

	printf("%s: end %s frames %u reads %d%s\n", path, end_name(walk.end), walk.frames, read_index,
	       same ? "" : ", NOT AS EXPECTED");
	for (__u32 i = 0; !same && i < walk.frames; i++) {
		struct jebpf_frame *f = frame_at(&walk, i);

		printf("  %u %u %llx %llx\n", (unsigned)(f->head >> 56), (unsigned)(f->head >> 48 & 0xff),
		       f->head & 0xffffffffffffULL, (unsigned long long)f->detail);
	}
	return same;
}

static int markers_expected(void)
{
	int count = 0;

	for (int i = 0; i < expected_count; i++)
		count += expected[i].kind == JEBPF_FRAME_MARKER;
	return count;
}

/*
 * No failed read may crash the walk or hang it. Counts those that lead to the root by other frames
 * without a marker that says that something is missing.
 */
static int survives_faults(const char *path)
{
	int all = read_index, bad = 0, other = 0;

	for (int i = 0; i < all; i++) {
		fault_at = i;
		walk_with_empty_cache();
		if (walk.frames > JEBPF_FRAMES_MAX + 1 || walk.end >= JEBPF_END_COUNT) {
			printf("%s: fault %d end %u frames %u\n", path, i, walk.end, walk.frames);
			bad++;
		}
		if (walk.end == JEBPF_END_ROOT && !frames_as_expected(0) && markers() <= markers_expected()) {
			other++;
			if (getenv("JEBPF_PRINT"))
				printf("  without read %d of %u bytes at %llx\n", i, faulted_size,
				       (unsigned long long)faulted);
		}
	}
	fault_at = -1;
	printf("%s: %d faults injected, %d other ways to the root\n", path, all, other);
	return !bad;
}

static int missed[RULE_COUNT]; /* cases that come out otherwise without the rule */

static int without_rules(const char *path)
{
	if (!frames_as_expected(1)) {
		printf("%s: NOT AS EXPECTED with all rules\n", path);
		return 0;
	}
	printf("%s:", path);
	for (rule_off = 0; rule_off < RULE_COUNT; rule_off++) {
		walk_with_empty_cache();
		if (!frames_as_expected(1)) {
			missed[rule_off]++;
			printf(" %s", RULE_NAMES[rule_off]);
		}
	}
	rule_off = -1;
	printf("\n");
	return 1;
}

static int every_rule_is_missed(void)
{
	int good = 1;

	for (int rule = 0; rule < RULE_COUNT; rule++) {
		if (!missed[rule]) {
			printf("no case needs rule %s\n", RULE_NAMES[rule]);
			good = 0;
		}
	}
	return good;
}

static int replay(const char *path, const char *mode)
{
	int good;

	load_case(path);
	walk_with_empty_cache();
	if (!strcmp(mode, "update")) {
		mark_used = 1;
		walk_with_empty_cache();
		mark_used = 0;
		write_case(path, "");
	}
	if (!strcmp(mode, "rules"))
		good = without_rules(path);
	else
		good = !strcmp(mode, "faults") ? survives_faults(path) : as_expected(path);
	forget_reads();
	free_image();
	return good;
}

int main(int argc, char **argv)
{
	int bad = 0;

	if (argc == 7 && !strcmp(argv[1], "live")) {
		live(argv);
		return 0;
	}
	if (argc < 3)
		die("usage: live IMAGE TID STOPS STEPS CASEDIR | replay|update|faults|rules CASE...");
	for (int i = 2; i < argc; i++)
		bad += !replay(argv[i], argv[1]);
	if (!strcmp(argv[1], "rules"))
		bad += !every_rule_is_missed();
	return bad != 0;
}
