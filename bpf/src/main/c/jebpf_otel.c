/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other profilers look for: the thread-local symbol of OTEP 4947, which points to the record of
 * what a thread works for, and the process context of OTEP 4719, which says how to read it. A library
 * of its own, loaded only where that is asked for, and never unloaded: threads keep its block.
 * The pointers are written by Java, each by its thread.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define CONTEXT_NAME "OTEL_CTX"
#define CONTEXT_VERSION 2

EXPORT extern __thread void *otel_thread_ctx_v1;
__thread void *otel_thread_ctx_v1;

/* Where the calling thread's pointer is, and which thread that is: it is valid until the thread ends. */
EXPORT int64_t jebpf_thread_pointer(uint64_t *pointer_and_tid)
{
	pointer_and_tid[0] = (uint64_t)(uintptr_t)&otel_thread_ctx_v1;
	pointer_and_tid[1] = (uint64_t)gettid();
	return 0;
}

struct process_context {
	char signature[8];
	uint32_t version;
	uint32_t payload_bytes;
	uint64_t published_ns; /* CLOCK_BOOTTIME; 0: being changed. Written last */
	uint64_t payload;
};
_Static_assert(sizeof(struct process_context) == 32, "layout of OTEP 4719");

static struct process_context *published;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

/* A mapping that is found by its name, as that of a file in memory or, where there is none, by prctl. */
static struct process_context *map_named(void)
{
	size_t bytes = sizeof(struct process_context);
	int fd = memfd_create(CONTEXT_NAME, MFD_CLOEXEC);
	void *at = MAP_FAILED;

	if (fd >= 0) {
		if (!ftruncate(fd, (off_t)bytes))
			at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		close(fd);
	}
	if (at == MAP_FAILED)
		at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	madvise(at, bytes, MADV_DONTFORK);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, at, bytes, CONTEXT_NAME); /* no harm where it is refused */
	return at;
}

/*
 * Publishes a process context, in place of the last one; without a payload, withdraws it. One caller
 * at a time. Returns 0 or -errno.
 */
EXPORT int64_t jebpf_process_context(const void *payload, int64_t bytes)
{
	void *copy = NULL, *old = NULL;

	if (bytes > 0) {
		copy = malloc((size_t)bytes);
		if (!copy)
			return -ENOMEM;
		memcpy(copy, payload, (size_t)bytes);
	}
	if (published) {
		old = (void *)(uintptr_t)published->payload;
		__atomic_store_n(&published->published_ns, 0, __ATOMIC_SEQ_CST);
	} else if (copy) {
		published = map_named();
		if (!published) {
			free(copy);
			return -ENOMEM;
		}
	}
	if (copy) {
		memcpy(published->signature, CONTEXT_NAME, sizeof(published->signature));
		published->version = CONTEXT_VERSION;
		published->payload_bytes = (uint32_t)bytes;
		published->payload = (uint64_t)(uintptr_t)copy;
		__atomic_store_n(&published->published_ns, now_ns(), __ATOMIC_SEQ_CST);
	} else if (published) {
		munmap(published, sizeof(*published));
		published = NULL;
	}
	free(old);
	return 0;
}
