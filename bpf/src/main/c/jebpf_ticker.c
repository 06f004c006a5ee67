/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The off-CPU ticker: the thread that runs the program which takes the stacks of waits.
 *
 * Time is cut into cells of period_ns, counted from 0 of CLOCK_MONOTONIC; each gets one tick, at a
 * random place (jebpf_places.c). So a wait that covers a whole cell is always met, nothing in step with the period
 * is favoured, and how likely a wait is met follows from its start and end alone.
 *
 * A tick finds threads that left their CPU since the one before. While there are none the ticker
 * sleeps, and the first thread that does so rings its bell. Then the tick of that cell is drawn as
 * ever; had it been before the bell it would have met nobody, so it is left out and the next cell's is
 * drawn. What is met, and how likely, is as if every tick had been.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "jebpf_native.h"

#define TICKER_NICE (-15)
#define TICKER_SLICE_NS 100000 /* the shortest there is */
#define TICK_ROUNDS_MAX 64 /* runs of the program in one tick: each looks at thousands of threads */
#define FRUITLESS_MAX 6 /* after so many sleeps in vain, 2^6 ticks without one */
#define SLEEP_MILLIS_MAX 10000 /* then it ticks whatever the bell says */

/* Shared with Java, 8 bytes a field. `stop`, `period_ns`, the fds and `parks` are Java's to write, the rest ours. */
struct jebpf_ticker {
	uint64_t stop;
	uint64_t period_ns;
	uint64_t ticks;
	uint64_t late;	 /* cells that went by without a tick: the thread did not get a CPU */
	uint64_t errors; /* runs of the program that failed */
	int64_t last_error;
	struct jebpf_parks *parks; /* of virtual threads; NULL: none are looked at */
	int64_t bell_fd;	   /* of the map `bell`; -1: the ticker does not sleep */
	int64_t alarm_fd;	   /* an alarm that ends its sleep */
	uint64_t quiet;		   /* cells without a tick, as it would have met nobody */
};

/* The cells that had their tick. */
struct cells {
	struct jebpf_places places;
	uint64_t period;
	uint64_t end;	   /* of the last one; 0: there is none yet */
	uint64_t moved_ns; /* nobody left a CPU between the last tick and this */
	uint64_t tick_ns;  /* that the tick to come stands for */
	unsigned fruitless; /* sleeps, one after the other, that spared no tick */
	unsigned awake;	    /* ticks to come before the next sleep */
};

/* A ring of one page, as it is mapped. Only that something is in it, and when that was, is of interest. */
struct bell {
	uint64_t *consumed;
	const char *produced; /* a page with the position, then the data */
	size_t page;
};

struct stroke { /* a record in it */
	uint64_t header;
	uint64_t time_ns;
};

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / NANOS_PER_SECOND),
			      .tv_nsec = (long)(at_ns % NANOS_PER_SECOND)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

/* ---------------------------------------------------------------- the bell */

static void bell_close(struct bell *bell)
{
	if (bell->consumed)
		munmap(bell->consumed, bell->page);
	if (bell->produced)
		munmap((void *)bell->produced, 2 * bell->page);
	bell->consumed = NULL;
	bell->produced = NULL;
}

/* False: there is none, so the ticker must not sleep. */
static bool bell_open(struct bell *bell, int fd)
{
	void *consumed, *produced;

	memset(bell, 0, sizeof(*bell));
	if (fd < 0)
		return false;
	bell->page = (size_t)sysconf(_SC_PAGESIZE);
	consumed = mmap(NULL, bell->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	produced = mmap(NULL, 2 * bell->page, PROT_READ, MAP_SHARED, fd, (off_t)bell->page);
	bell->consumed = consumed == MAP_FAILED ? NULL : consumed;
	bell->produced = produced == MAP_FAILED ? NULL : produced;
	if (bell->consumed && bell->produced)
		return true;
	bell_close(bell);
	return false;
}

/* When the bell was rung last; 0: not since this was asked before. */
static uint64_t last_stroke(struct bell *bell)
{
	uint64_t end = load((const uint64_t *)bell->produced), time_ns;
	const struct stroke *stroke;

	if (end == *bell->consumed)
		return 0;
	stroke = (const void *)(bell->produced + bell->page +
				((end - sizeof(*stroke)) & (bell->page - 1)));
	time_ns = stroke->time_ns;
	__atomic_store_n(bell->consumed, end, __ATOMIC_RELEASE);
	return time_ns;
}

/* Sleeps until a thread has left its CPU, or the alarm rings. Returns when it left. */
static uint64_t wait_for_move(const struct jebpf_ticker *ticker, struct bell *bell)
{
	struct pollfd ends[] = {
		{.fd = (int)ticker->bell_fd, .events = POLLIN},
		{.fd = (int)ticker->alarm_fd, .events = POLLIN},
	};
	uint64_t now, stroke;
	eventfd_t count;

	if (poll(ends, sizeof(ends) / sizeof(ends[0]), SLEEP_MILLIS_MAX) > 0 && ends[1].revents)
		eventfd_read((int)ticker->alarm_fd, &count);
	now = monotonic_ns();
	stroke = last_stroke(bell);
	return stroke && stroke < now ? stroke : now;
}

/* Where threads move all the time a sleep ends before the next tick, and is one wake-up more: fewer of them then. */
static void judge_sleep(struct cells *cells)
{
	if (cells->moved_ns >= cells->end + cells->period) {
		cells->fruitless = 0;
		return;
	}
	if (cells->fruitless < FRUITLESS_MAX)
		cells->fruitless++;
	cells->awake = 1u << cells->fruitless;
}

/* ---------------------------------------------------------------- one tick */

static void tick_failed(struct jebpf_ticker *ticker)
{
	ticker->errors++;
	ticker->last_error = errno;
}

/* A task iterator runs its program for each thread while somebody reads from it. */
static void run_iterator(struct jebpf_ticker *ticker, int link_fd)
{
	union bpf_attr attr;
	char byte; /* the program prints nothing */
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (uint32_t)link_fd;
	fd = (int)syscall(SYS_bpf, BPF_ITER_CREATE, &attr, sizeof(attr));
	if (fd < 0) {
		tick_failed(ticker);
		return;
	}
	if (read(fd, &byte, sizeof(byte)) < 0)
		tick_failed(ticker);
	close(fd);
}

/* True: the bell will ring when there is something to do again. */
static bool run_tick(struct jebpf_ticker *ticker, int program_fd, bool may_sleep)
{
	struct jebpf_tick wish = {.may_sleep = may_sleep};

	for (int round = 0; round < TICK_ROUNDS_MAX; round++) {
		union bpf_attr attr;

		memset(&attr, 0, sizeof(attr));
		attr.test.prog_fd = (uint32_t)program_fd;
		attr.test.ctx_in = (uint64_t)(uintptr_t)&wish;
		attr.test.ctx_size_in = sizeof(wish);
		if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr))) {
			tick_failed(ticker);
			return false;
		}
		if (attr.test.retval != JEBPF_TICK_MORE)
			return attr.test.retval == JEBPF_TICK_ASLEEP;
	}
	return false;
}

/*
 * On a crowded machine a late tick is a false one. A short slice lets the thread in at once when it
 * wakes (Linux 6.12); the nice value needs CAP_SYS_NICE. Goes without what it does not get.
 */
static void raise_priority(void)
{
	if (take_turns(SCHED_OTHER, TICKER_NICE, TICKER_SLICE_NS))
		take_turns(SCHED_OTHER, own_nice(), TICKER_SLICE_NS);
}

/* Where the next tick falls, in the first cell that has had none and in which somebody may be met. */
static uint64_t next_tick(struct jebpf_ticker *ticker, struct cells *cells, uint64_t now)
{
	uint64_t period = load(&ticker->period_ns);
	uint64_t last = cells->end, start = last, at;

	if (period != cells->period) {
		start = last = (now / period + 1) * period;
	} else if (cells->moved_ns >= start + period) { /* it slept for whole cells */
		start = cells->moved_ns / period * period;
		add(&ticker->quiet, (start - last) / period);
		last = start;
	}
	if (now >= start + period) { /* whole cells went by */
		add(&ticker->late, (now / period * period - start) / period);
		start = now / period * period;
	}
	at = start + tick_place(&cells->places, start / period, period);
	if (at < cells->moved_ns) {
		add(&ticker->quiet, 1);
		start += period;
		last += period;
		at = start + tick_place(&cells->places, start / period, period);
	}
	cells->period = period;
	cells->end = start + period;
	cells->tick_ns = cells->end - last;
	return at;
}

/* Runs until `stop` is set: one long call, which no safepoint of the JVM waits for. */
EXPORT int64_t jebpf_tick(struct jebpf_ticker *ticker, int64_t program_fd, int64_t iterator_fd)
{
	struct cells cells = {.places.random = monotonic_ns() | 1};
	struct jebpf_parks *parks = ticker->parks;
	struct bell bell;
	bool has_bell = bell_open(&bell, iterator_fd < 0 ? (int)ticker->bell_fd : -1);

	raise_priority();

	while (!load(&ticker->stop)) {
		uint64_t now = monotonic_ns(), at = next_tick(ticker, &cells, now);
		bool virtual = parks && load(&parks->word); /* there are threads that look at it */
		bool asleep = false;

		if (at > now) /* else the last tick came late: this one must not be left out */
			sleep_until(at);
		if (virtual) /* cells that went by without a tick are stood for by this one */
			parks_tick(parks, cells.period, cells.tick_ns, next_random(&cells.places.random));
		if (iterator_fd >= 0)
			run_iterator(ticker, (int)iterator_fd);
		else
			asleep = run_tick(ticker, (int)program_fd,
					  has_bell && !virtual && !cells.awake);
		add(&ticker->ticks, 1);
		cells.awake -= cells.awake > 0;
		if (asleep && !load(&ticker->stop)) {
			cells.moved_ns = wait_for_move(ticker, &bell);
			judge_sleep(&cells);
		}
	}
	bell_close(&bell);
	return 0;
}
