/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads contexts of another process as OTEP 4947 and OTEP 4719 describe them, and knows nothing else
 * of who wrote them: the symbol otel_thread_ctx_v1 in the dynamic symbols of some mapped file, the
 * descriptor that its relocation fills, each thread's block by its fs base, the record behind the
 * pointer. Threads are stopped for the moment. x86-64 and glibc.
 *
 * otel_reader PID ROUNDS: prints "process <version> <payload in hex>" or "process none"; "symbol none";
 * or for each thread and round "<name> none" or "<name> <trace> <span> <flags> <key>=<text>,..."
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define SYMBOL "otel_thread_ctx_v1"
#define RECORD_BYTES_MAX 640
#define STATIC_TLS_MAX (1 << 20)

static pid_t pid;

static int read_at(uint64_t at, void *to, size_t bytes)
{
	struct iovec local = { to, bytes }, remote = { (void *)(uintptr_t)at, bytes };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)bytes ? 0 : -1;
}

static uint64_t word_at(uint64_t at)
{
	uint64_t word = 0;

	return read_at(at, &word, sizeof(word)) ? 0 : word;
}

static void print_hex(const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%02x", bytes[i]);
}

/* Address (in the file) of the symbol's descriptor. False: it has no such symbol. */
static int find_in(const uint8_t *file, uint64_t *descriptor)
{
	const Elf64_Ehdr *head = (const void *)file;
	const Elf64_Shdr *sections = (const void *)(file + head->e_shoff);

	for (int i = 0; i < head->e_shnum; i++) {
		if (sections[i].sh_type != SHT_RELA)
			continue;
		const Elf64_Rela *relocations = (const void *)(file + sections[i].sh_offset);
		const Elf64_Shdr *table = &sections[sections[i].sh_link];
		const Elf64_Sym *symbols = (const void *)(file + table->sh_offset);
		const char *names = (const char *)file + sections[table->sh_link].sh_offset;

		for (uint64_t j = 0; j < sections[i].sh_size / sizeof(*relocations); j++) {
			const Elf64_Sym *symbol = &symbols[ELF64_R_SYM(relocations[j].r_info)];

			if (ELF64_R_TYPE(relocations[j].r_info) == R_X86_64_TLSDESC &&
			    !strcmp(names + symbol->st_name, SYMBOL)) {
				*descriptor = relocations[j].r_offset;
				return 1;
			}
		}
	}
	return 0;
}

/* Address of the filled descriptor in the process; 0 when no mapped file has the symbol. */
static uint64_t find_descriptor(void)
{
	char line[512], path[128];
	uint64_t found = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "r");

	while (maps && fgets(line, sizeof(line), maps)) {
		uint64_t start, end, file_offset, descriptor;
		struct stat status;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &file_offset) != 3 ||
		    file_offset || !strchr(line, '/'))
			continue;
		snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, start, end);
		int fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;
		if (!fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size > (off_t)sizeof(Elf64_Ehdr)) {
			uint8_t *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

			if (file != MAP_FAILED) {
				if (!memcmp(file, ELFMAG, SELFMAG) && file[EI_CLASS] == ELFCLASS64 &&
				    find_in(file, &descriptor)) {
					if (found)
						printf("symbol twice\n");
					found = start + descriptor; /* libraries begin at address 0 */
				}
				munmap(file, (size_t)status.st_size);
			}
		}
		close(fd);
	}
	if (maps)
		fclose(maps);
	return found;
}

/* Address of the thread's pointer; 0 when the thread has no such block yet. */
static uint64_t pointer_of(uint64_t fs_base, uint64_t descriptor)
{
	uint64_t argument = word_at(descriptor + 8);
	uint64_t module, block;

	if ((int64_t)argument < 0 && (int64_t)argument > -STATIC_TLS_MAX)
		return fs_base + argument; /* beside the thread control block */
	module = word_at(argument);
	block = word_at(word_at(fs_base + 8) + 16 * module); /* dtv[module].pointer */
	return !block || block == UINT64_MAX ? 0 : block + word_at(argument + 8);
}

static void print_record(const char *name, uint64_t at)
{
	uint8_t record[RECORD_BYTES_MAX];
	uint16_t size;

	if (!at || read_at(at, record, 28) || record[24] != 1) {
		printf("%s none\n", name);
		return;
	}
	memcpy(&size, record + 26, sizeof(size));
	if (size > sizeof(record) - 28 || read_at(at, record, 28 + size)) {
		printf("%s broken\n", name);
		return;
	}
	printf("%s ", name);
	print_hex(record, 16);
	printf(" ");
	print_hex(record + 16, 8);
	printf(" %d ", record[25]);
	for (int i = 28; i + 2 <= 28 + size; i += 2 + record[i + 1])
		printf("%d=%.*s,", record[i], record[i + 1], record + i + 2);
	printf("\n");
}

static void look(pid_t tid, uint64_t descriptor)
{
	struct user_regs_struct registers;
	char path[64], name[64] = "";
	int status;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	FILE *comm = fopen(path, "r");
	if (!comm || !fgets(name, sizeof(name), comm))
		name[0] = 0;
	if (comm)
		fclose(comm);
	name[strcspn(name, "\n")] = 0;
	for (char *c = name; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	if (ptrace(PTRACE_SEIZE, tid, 0, 0))
		return;
	if (!ptrace(PTRACE_INTERRUPT, tid, 0, 0) && waitpid(tid, &status, __WALL) == tid &&
	    WIFSTOPPED(status) && !ptrace(PTRACE_GETREGS, tid, 0, &registers)) {
		uint64_t pointer = pointer_of(registers.fs_base, descriptor);

		print_record(name, pointer ? word_at(pointer) : 0);
	}
	ptrace(PTRACE_DETACH, tid, 0, 0);
}

static void print_process_context(void)
{
	char line[512], path[64];
	uint64_t start = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	FILE *maps = fopen(path, "r");
	while (maps && !start && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "/memfd:OTEL_CTX") || strstr(line, "[anon_shmem:OTEL_CTX]") ||
		    strstr(line, "[anon:OTEL_CTX]"))
			sscanf(line, "%" SCNx64, &start);
	}
	if (maps)
		fclose(maps);
	struct {
		char signature[8];
		uint32_t version, bytes;
		uint64_t published, payload;
	} head;
	if (!start || read_at(start, &head, sizeof(head)) || memcmp(head.signature, "OTEL_CTX", 8) ||
	    !head.published || head.bytes > 65536) {
		printf("process none\n");
		return;
	}
	uint8_t *payload = malloc(head.bytes);
	if (payload && !read_at(head.payload, payload, head.bytes)) {
		printf("process %u ", head.version);
		print_hex(payload, head.bytes);
		printf("\n");
	}
	free(payload);
}

int main(int count, char **arguments)
{
	uint64_t descriptor;
	char path[64];

	if (count != 3)
		return 2;
	pid = atoi(arguments[1]);
	print_process_context();
	descriptor = find_descriptor();
	if (!descriptor) {
		printf("symbol none\n");
		return 0;
	}
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	for (int round = atoi(arguments[2]); round > 0; round--) {
		DIR *tasks = opendir(path);

		for (struct dirent *task = tasks ? readdir(tasks) : NULL; task; task = readdir(tasks)) {
			if (atoi(task->d_name) > 0)
				look(atoi(task->d_name), descriptor);
		}
		if (tasks)
			closedir(tasks);
	}
	return 0;
}
