/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The native helper: what Java's foreign function interface does badly or not at all.
 *  - libbpf's print callback takes varargs, and may run on any thread;
 *  - system calls whose errno must be read before the JVM can change it: every function here
 *    returns a result that is not negative, or -errno;
 *  - constants and layouts of kernel headers (perf_event_attr), which the C compiler knows.
 * Nothing here allocates for long, keeps a thread, or changes what a signal does.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "jebpf_native.h"

/* ---------------------------------------------------------------- libbpf's messages */

/* The last LOG_BYTES of text, oldest byte at log_start. A verifier's verdict stands at the end of its log. */
#define LOG_BYTES (64 * 1024)
/* Longest message that is formatted at all: libbpf asks the verifier for at most 16 MiB. */
#define MESSAGE_BYTES_MAX (17 * 1024 * 1024)
/* enum libbpf_print_level: WARN, INFO, DEBUG. DEBUG is a line per relocation: not kept. */
#define LIBBPF_DEBUG 2

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_ring[LOG_BYTES];
static size_t log_start;
static size_t log_length;

static void log_append(const char *text, size_t length)
{
	if (length > LOG_BYTES) {
		text += length - LOG_BYTES;
		length = LOG_BYTES;
	}
	for (size_t done = 0; done < length;) {
		size_t at = (log_start + log_length) % LOG_BYTES;
		size_t part = LOG_BYTES - at;

		if (part > length - done)
			part = length - done;
		memcpy(log_ring + at, text + done, part);
		done += part;
		log_length += part;
		if (log_length > LOG_BYTES) {
			log_start = (log_start + log_length - LOG_BYTES) % LOG_BYTES;
			log_length = LOG_BYTES;
		}
	}
}

/* Has the type libbpf_print_fn_t. Nothing of libbpf's output may reach the host's stderr. */
EXPORT int jebpf_print(int level, const char *format, va_list arguments)
{
	char small[512];
	char *text = small;
	int saved = errno;
	va_list again;
	int length;

	if (level >= LIBBPF_DEBUG)
		return 0;
	va_copy(again, arguments);
	length = vsnprintf(small, sizeof(small), format, arguments);
	if (length >= (int)sizeof(small) && length < MESSAGE_BYTES_MAX) {
		text = malloc((size_t)length + 1);
		if (text)
			length = vsnprintf(text, (size_t)length + 1, format, again);
	}
	va_end(again);
	if (text && length > 0) {
		if (text == small && length >= (int)sizeof(small))
			length = sizeof(small) - 1;
		pthread_mutex_lock(&log_lock);
		log_append(text, (size_t)length);
		pthread_mutex_unlock(&log_lock);
	}
	if (text != small)
		free(text);
	errno = saved;
	return length;
}

/* Moves the kept text to `out` (the newest `capacity` bytes of it) and forgets it. Returns the bytes written. */
EXPORT int64_t jebpf_log_take(char *out, int64_t capacity)
{
	size_t skip, length, first;

	if (capacity < 0)
		return -EINVAL;
	pthread_mutex_lock(&log_lock);
	skip = log_length > (size_t)capacity ? log_length - (size_t)capacity : 0;
	length = log_length - skip;
	log_start = (log_start + skip) % LOG_BYTES;
	first = LOG_BYTES - log_start;
	if (first > length)
		first = length;
	memcpy(out, log_ring + log_start, first);
	memcpy(out + first, log_ring, length - first);
	log_start = 0;
	log_length = 0;
	pthread_mutex_unlock(&log_lock);
	return (int64_t)length;
}

/* ---------------------------------------------------------------- libbpf's pointers */

typedef void *(*object_open)(const void *bytes, size_t length, const void *options);

/* bpf_object__open_mem says why it returned NULL in errno only: the object, or -errno. */
EXPORT int64_t jebpf_object_open(object_open open_mem, const void *bytes, size_t length, const void *options)
{
	void *object = open_mem(bytes, length, options);

	if (object)
		return (int64_t)(intptr_t)object;
	return errno > 0 ? -errno : -EIO;
}

typedef int (*object_load)(void *object);

/*
 * The kernel gives up verifying a program when its thread has a signal to take, and libbpf tries five times: a profiler
 * in the same JVM that works by signals would have it fail each time. They wait, but for those
 * that a fault of this very thread raises.
 */
EXPORT int64_t jebpf_object_load(object_load load, void *object)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS};
	sigset_t waiting, before;
	int result;

	sigfillset(&waiting);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&waiting, own[i]);
	result = pthread_sigmask(SIG_BLOCK, &waiting, &before);
	if (result)
		return -result;
	result = load(object);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return result;
}

/* ---------------------------------------------------------------- memory */

/* For system calls, which return -1 and set errno. */
static int64_t result(int64_t value)
{
	return value < 0 ? -errno : value;
}

EXPORT int64_t jebpf_page_size(void)
{
	return result(sysconf(_SC_PAGESIZE));
}

/* Shared mapping of `length` bytes of fd from `offset`: the address, or -errno. */
EXPORT int64_t jebpf_map(int64_t fd, int64_t offset, int64_t length, int64_t writable)
{
	void *address = mmap(NULL, (size_t)length, PROT_READ | (writable ? PROT_WRITE : 0),
			     MAP_SHARED, (int)fd, (off_t)offset);

	return address == MAP_FAILED ? -errno : (int64_t)(intptr_t)address;
}

EXPORT int64_t jebpf_unmap(void *address, int64_t length)
{
	return result(munmap(address, (size_t)length));
}

/*
 * Zeroed memory that takes pages only where it is written: its address, or -errno. Small pages: a
 * table in which threads have scattered places must not become resident as a whole.
 */
EXPORT int64_t jebpf_reserve(int64_t length)
{
	void *address = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (address == MAP_FAILED)
		return -errno;
	madvise(address, (size_t)length, MADV_NOHUGEPAGE);
	return (int64_t)(intptr_t)address;
}

EXPORT int64_t jebpf_close(int64_t fd)
{
	return result(close((int)fd));
}

/* Bytes read from a file, 0 at its end, or -errno. */
EXPORT int64_t jebpf_read(int64_t fd, void *to, int64_t length)
{
	return result(read((int)fd, to, (size_t)length));
}

/* Bytes read from another address space (or our own), or -errno. Never raises a signal. */
EXPORT int64_t jebpf_vm_read(int64_t pid, uint64_t remote, void *local, int64_t length)
{
	struct iovec to = {.iov_base = local, .iov_len = (size_t)length};
	struct iovec from = {.iov_base = (void *)(uintptr_t)remote, .iov_len = (size_t)length};

	return result(process_vm_readv((pid_t)pid, &to, 1, &from, 1, 0));
}

/* ---------------------------------------------------------------- the dynamic linker */

static int first_object(struct dl_phdr_info *info, size_t size, void *loads)
{
	(void)size;
	*(uint64_t *)loads = info->dlpi_adds + info->dlpi_subs;
	return 1; /* no more: the counts are the same in each */
}

/* Objects that were ever loaded, plus those ever unloaded: a number that grows with each of both. */
EXPORT int64_t jebpf_loads(void)
{
	uint64_t loads = 0;

	dl_iterate_phdr(first_object, &loads);
	return (int64_t)loads;
}

/* ---------------------------------------------------------------- clock events */

/* A disabled software clock event for all that runs on one CPU: the fd, or -errno. */
EXPORT int64_t jebpf_perf_open(int64_t cpu, uint64_t period_ns)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = period_ns,
		.disabled = 1,
	};

	return result(syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC));
}

EXPORT int64_t jebpf_perf_attach(int64_t fd, int64_t program_fd)
{
	return result(ioctl((int)fd, PERF_EVENT_IOC_SET_BPF, (int)program_fd));
}

EXPORT int64_t jebpf_perf_enable(int64_t fd, int64_t enable)
{
	return result(ioctl((int)fd, enable ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0));
}

EXPORT int64_t jebpf_perf_period(int64_t fd, uint64_t period_ns)
{
	return result(ioctl((int)fd, PERF_EVENT_IOC_PERIOD, &period_ns));
}

/* Nanoseconds the event has counted. It stands still when its CPU went away, even if that came back. */
EXPORT int64_t jebpf_perf_count(int64_t fd)
{
	int64_t count = 0;
	ssize_t got = read((int)fd, &count, sizeof(count));

	if (got < 0)
		return -errno;
	return got == sizeof(count) ? count : -EIO; /* 0 bytes: the event is in error state */
}

/* ---------------------------------------------------------------- is a call let through? */

/*
 * Makes a call that the kernel refuses for its arguments before it asks for any right: whoever is
 * refused otherwise was refused by a filter (seccomp) before the kernel proper. 0: let through.
 */
EXPORT int64_t jebpf_reaches_bpf(void)
{
	char attr[1];

	/* An attribute of more than a page is E2BIG before anything else. */
	return syscall(__NR_bpf, BPF_MAP_CREATE, attr, 1 << 20) < 0 && errno != E2BIG ? -errno : 0;
}

EXPORT int64_t jebpf_reaches_perf(void)
{
	/* So are flags that no kernel knows EINVAL. */
	return syscall(__NR_perf_event_open, NULL, 0, 0, -1, ~0UL) < 0 && errno != EINVAL ? -errno : 0;
}

EXPORT int64_t jebpf_reaches_vm_read(void)
{
	return syscall(__NR_process_vm_readv, getpid(), NULL, 0, NULL, 0, ~0UL) < 0 && errno != EINVAL ?
		       -errno :
		       0;
}

/* ---------------------------------------------------------------- turns on a CPU */

/* sched_setattr(2) has no declaration in glibc 2.36. */
struct sched_attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

/* Not for threads that somebody made real-time ones or idle ones. */
int64_t take_turns(int policy, int nice, uint64_t slice_ns)
{
	struct sched_attributes wanted = {.size = sizeof(wanted),
					  .policy = (uint32_t)policy,
					  .nice = nice,
					  .runtime = slice_ns};
	int now = sched_getscheduler(0);

	if (now != SCHED_OTHER && now != SCHED_BATCH)
		return -EPERM;
	return result(syscall(SYS_sched_setattr, 0, &wanted, 0));
}

int own_nice(void)
{
	return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

/*
 * How long the calling thread may keep a CPU before another gets its turn (Linux 6.12; older ones
 * take no notice). With a longer slice than others it makes room at once for whatever wakes, and
 * comes later itself where a CPU has much to do. 0: the kernel's own.
 */
EXPORT int64_t jebpf_slice(uint64_t slice_ns)
{
	return take_turns(sched_getscheduler(0), own_nice(), slice_ns);
}

/* ---------------------------------------------------------------- a sleep that others end */

EXPORT int64_t jebpf_alarm_open(void)
{
	return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

static int add_to_epoll(int epoll_fd, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/*
 * What waits for an alarm, and for wake-ups by a BPF ring buffer (-1: by none), however much lies in it:
 * the fd to close, or -errno.
 */
EXPORT int64_t jebpf_alarm_listen(int64_t fd, int64_t ring_fd)
{
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC), error;

	if (epoll_fd < 0)
		return -errno;
	if (!add_to_epoll(epoll_fd, (int)fd, EPOLLIN) &&
	    (ring_fd < 0 || !add_to_epoll(epoll_fd, (int)ring_fd, EPOLLIN | EPOLLET)))
		return epoll_fd;
	error = errno;
	close(epoll_fd);
	return -error;
}

/*
 * Sleeps until the alarm rings or the ring wakes, at most so long and a millisecond; a ring from before counts. By no futex, as Java's own
 * sleeps are: the kernel has few places for those of one process (16 where it has 2 CPUs), and goes by
 * all threads that sleep in the same one, which took 0.1 ms beside 10,000 parked threads.
 */
EXPORT int64_t jebpf_alarm_wait(int64_t epoll_fd, int64_t fd, uint64_t ns)
{
	uint64_t millis = (ns + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI;
	int most = millis < INT_MAX ? (int)millis : INT_MAX, ends, error;
	struct epoll_event event;
	eventfd_t count;

	ends = epoll_wait((int)epoll_fd, &event, 1, most);
	error = errno;
	if (ends > 0)
		eventfd_read((int)fd, &count); /* nothing if it was the ring */
	if (ends >= 0)
		return ends;
	if (error != EINTR) /* refused by a filter: a caller that did not sleep would come back at once */
		poll(NULL, 0, most);
	return -error;
}

EXPORT int64_t jebpf_alarm_ring(int64_t fd)
{
	return result(eventfd_write((int)fd, 1));
}

/* ---------------------------------------------------------------- files without a name */

/* A new file in a directory that has no name yet: if this process dies, it was never there. */
EXPORT int64_t jebpf_unnamed_open(const char *directory)
{
	return result(open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666));
}

/* Gives such a file its name; -EEXIST if there is a file of that name. */
EXPORT int64_t jebpf_unnamed_link(int64_t fd, const char *path)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", (int)fd);
	return result(linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW));
}

/* ---------------------------------------------------------------- the host's limits */

typedef int (*map_create)(int type, const char *name, uint32_t key, uint32_t value,
			  uint32_t entries, const void *);

/*
 * Where it finds no memcg accounting (no rights, or a kernel before 5.11), libbpf raises RLIMIT_MEMLOCK at
 * its first map, once. The limit is the host's: this provokes that first time and takes it back. (The
 * function that would switch it off, libbpf_set_memlock_rlim, is not exported by libbpf 1.1.)
 */
EXPORT int64_t jebpf_keep_memlock(map_create create)
{
	struct rlimit before, after;
	int known = !getrlimit(RLIMIT_MEMLOCK, &before);
	int fd = create(2 /* BPF_MAP_TYPE_ARRAY */, "probe", sizeof(uint32_t), sizeof(uint64_t), 1,
			NULL);

	if (fd >= 0)
		close(fd);
	if (!known || getrlimit(RLIMIT_MEMLOCK, &after))
		return -errno;
	if (after.rlim_cur == before.rlim_cur && after.rlim_max == before.rlim_max)
		return 0;
	return result(setrlimit(RLIMIT_MEMLOCK, &before));
}
