/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parks of virtual threads (docs/adr/0004). A virtual thread that parks looks at one word of a page
 * that is shared with it, before and after. The ticker changes that word: when it is another one
 * afterwards, one tick or more fell into the park, and jebpf_parked() decides whether its stack is
 * taken. So a park that no tick falls into costs two loads, and no clock is read.
 *
 * Who unparks it leaves in a table what the word is then (docs/adr/0009): from there on it was runnable.
 *
 * Called on the application's carrier threads, as a critical function: the thread stays in Java
 * state, no collector can move what the kernel program reads. Nothing here blocks or allocates.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jebpf_native.h"

#define THIN_NS_MAX (1ULL << 40) /* 18 minutes */
#define COPIES_MAX 16		/* that one park stands for; what was lost beyond is left to the next ones */

/* When this tick is, and what the word was until now. */
static void remember(struct jebpf_parks *parks)
{
	struct jebpf_unparks *unparks = (void *)parks->unparks;
	uint64_t tick = parks->tick;

	parks->ticked_ns = monotonic_ns();
	if (unparks) {
		unparks->ticks[tick % JEBPF_UNPARKS_TICKS].ns = parks->ticked_ns;
		unparks->ticks[tick % JEBPF_UNPARKS_TICKS].word = parks->word;
	}
	__atomic_store_n(&parks->tick, tick + 1, __ATOMIC_RELEASE);
}

/* One tick, which stands for `ns` of time. `random`: any bits. To be seen by tests, too. */
EXPORT void parks_tick(struct jebpf_parks *parks, uint64_t period_ns, uint64_t ns, uint64_t random)
{
	uint64_t word = parks->word & ~JEBPF_PARKS_TIMED;

	word += ns & ~JEBPF_PARKS_TIMED;
	/* one of each group, so that their number does not vary by chance */
	if (parks->tick % JEBPF_PARKS_TIMED_SHARE == 0)
		parks->timed_tick = parks->tick + random % JEBPF_PARKS_TIMED_SHARE;
	if (parks->tick == parks->timed_tick)
		word |= JEBPF_PARKS_TIMED;
	parks->period_ns = period_ns;
	remember(parks);
	__atomic_store_n(&parks->in_tick, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&parks->word, word, __ATOMIC_RELEASE);
}

/* A number from 0 to 2^32 - 1 that depends on the thread and the stretch of time, and on nothing else. */
static uint64_t draw(uint64_t thread, uint64_t stretch)
{
	uint64_t mixed = (thread ^ stretch * 0x9e3779b97f4a7c15ULL) * 0xbf58476d1ce4e5b9ULL;

	mixed = (mixed ^ mixed >> 31) * 0x94d049bb133111ebULL;
	return mixed >> 32;
}

/*
 * How many of the thread's points lie in [from, to), which is shorter than `thin`. The time of the ticks
 * is cut into stretches of `thin`; in each of them each thread has one point, at a random place. So a
 * thread that is always parked is taken once a stretch, not by chance more often or less.
 */
static uint64_t points(uint64_t thread, uint64_t from, uint64_t to, uint64_t thin)
{
	uint64_t found = 0;

	for (uint64_t stretch = from / thin; stretch <= to / thin; stretch++) { /* two at most */
		uint64_t place = draw(thread, stretch + (thin << 20));
		uint64_t point = stretch * thin + (uint64_t)((unsigned __int128)place * thin >> 32);

		found += point >= from && point < to;
	}
	return found;
}

/*
 * How often a park of [from, to) is taken: once from `thin` on, below that once for each of the thread's
 * points, which on average is length / thin; 0: not at all. More
 * than JEBPF_PARKS_TICK_MAX in one tick double `thin` at once, so that a crowd that wakes together
 * costs no more than a few of its threads; user space lets it fall again. What is decided never
 * depends on its own outcome, so the weights stay right.
 */
static uint64_t taken(struct jebpf_parks *parks, uint64_t thread, uint64_t from, uint64_t to,
		      uint64_t thin)
{
	uint64_t times = to - from < thin ? points(thread, from, to, thin) : 1;

	if (!times)
		return 0;
	if (__atomic_add_fetch(&parks->in_tick, 1, __ATOMIC_RELAXED) > JEBPF_PARKS_TICK_MAX &&
	    thin < THIN_NS_MAX &&
	    __atomic_compare_exchange_n(&parks->thin_ns, &thin, 2 * thin, 0, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		__atomic_store_n(&parks->in_tick, 0, __ATOMIC_RELAXED);
	return times;
}

/* Of the parks that were lost, those that the next one stands for. */
static uint64_t some_unheard(struct jebpf_parks *parks)
{
	uint64_t all = __atomic_exchange_n(&parks->unheard, 0, __ATOMIC_RELAXED);

	if (all < COPIES_MAX)
		return all;
	add(&parks->unheard, all - (COPIES_MAX - 1));
	return COPIES_MAX - 1;
}

/* What the word was at some time before the last tick; 0: that is too long ago, or in the future. */
static uint64_t word_at(const struct jebpf_parks *parks, const struct jebpf_unparks *unparks, uint64_t ns)
{
	uint64_t end = load(&parks->tick), low, high = end, begin;

	/* the oldest may be overwritten just now */
	begin = end > JEBPF_UNPARKS_TICKS - 2 ? end - (JEBPF_UNPARKS_TICKS - 2) : 0;
	low = begin;
	while (low < high) { /* the first tick that is later */
		uint64_t middle = low + (high - low) / 2;

		if (unparks->ticks[middle % JEBPF_UNPARKS_TICKS].ns <= ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low == end || (low == begin && begin) ? 0 : unparks->ticks[low % JEBPF_UNPARKS_TICKS].word;
}

/*
 * Of a park of [from, to), the part in which the thread was unparked and not yet run. In a slot that
 * another thread has used since there is a number which is most unlikely to lie in the park. To be seen
 * by tests.
 */
EXPORT uint64_t jebpf_queued(const struct jebpf_parks *parks, uint64_t thread, uint64_t from,
			     uint64_t to)
{
	const struct jebpf_unparks *unparks = (const void *)load(&parks->unparks);
	uint64_t slot, at;

	if (!unparks)
		return JEBPF_PARK_UNDIVIDED;
	/* eight threads in a row have eight cache lines; JebpfParks.java has the same */
	slot = thread << 3 | (thread >> (JEBPF_UNPARKS_BITS - 3) & 7);
	slot &= (1 << JEBPF_UNPARKS_BITS) - 1;
	at = load(&unparks->slots[slot]) ^ thread * 0x9e3779b97f4a7c15ULL;
	if (at & JEBPF_UNPARKS_DUE)
		at = word_at(parks, unparks, at & ~JEBPF_UNPARKS_DUE);
	at &= ~JEBPF_PARKS_TIMED;
	return at >= from && at <= to ? to - at : JEBPF_PARK_UNDIVIDED;
}

/* Runs the kernel program that walks this thread's stack and writes the record. */
static void take(struct jebpf_parks *parks, struct jebpf_park *park, uint64_t times)
{
	union bpf_attr attr;
	int64_t fd = (int64_t)load(&parks->program_fd);
	int saved = errno;

	if (fd < 0)
		return;
	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)fd;
	attr.test.ctx_in = (uint64_t)(uintptr_t)park;
	attr.test.ctx_size_in = sizeof(*park);
	park->copies = times + some_unheard(parks);
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr)))
		add(&parks->failed, 1);
	else if (!attr.test.retval)
		park->copies = 0;
	add(&parks->unheard, park->copies);
	errno = saved;
}

/*
 * A virtual thread runs again, or, where the JVM has unmounted it (`kind`), is about to. `before`: the
 * word when it parked; `start_ns`: when that was, 0 if it was not noted. Returns the time that the park
 * stands for, 0 when no tick fell into it.
 */
EXPORT int64_t jebpf_parked(struct jebpf_parks *parks, uint64_t thread, uint64_t before,
			    uint64_t start_ns, uint64_t kind)
{
	uint64_t from = before & ~JEBPF_PARKS_TIMED;
	uint64_t to = load(&parks->word) & ~JEBPF_PARKS_TIMED;
	uint64_t times;
	struct jebpf_park park = {
		.parked_ns = to - from,
		.thin_ns = load(&parks->thin_ns),
		.start_ns = start_ns,
		.period_ns = parks->period_ns,
		.kind = kind,
	};

	if (!park.parked_ns || !thread || !park.thin_ns) /* by which is divided */
		return 0;
	add(&parks->met, 1);
	times = taken(parks, thread, from, to, park.thin_ns);
	if (!times)
		return (int64_t)park.parked_ns;
	add(&parks->taken, 1);
	park.queued_ns = jebpf_queued(parks, thread, from, to);
	take(parks, &park, times);
	return (int64_t)park.parked_ns;
}
