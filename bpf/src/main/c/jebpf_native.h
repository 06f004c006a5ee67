/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the native helper share. */
#ifndef JEBPF_NATIVE_H
#define JEBPF_NATIVE_H

#include <linux/types.h>
#include <stdint.h>
#include <time.h>

#include "jebpf_types.h"

#define EXPORT __attribute__((visibility("default")))

#define NANOS_PER_SECOND 1000000000ULL
#define NANOS_PER_MILLI 1000000ULL
#define JEBPF_UNPARKS_BITS 16	/* of a slot's number in the table of unparked threads */
#define JEBPF_UNPARKS_TICKS 4096 /* that are remembered behind that table, to find what the word was */
#define JEBPF_UNPARKS_DUE (1ULL << 63) /* in a slot: not the word, but CLOCK_MONOTONIC */
#define JEBPF_PARKS_TICK_MAX 20 /* parks taken in one tick, above which fewer are */

/*
 * The page that parking virtual threads look at: 8 bytes a field, at the same offsets in Parks.java.
 * Never freed, since code of the application keeps its address. `thin_ns`, `program_fd` and `unparks`
 * are Java's to write, the rest ours.
 */
struct jebpf_parks {
	uint64_t word;	     /* time that all ticks stand for | JEBPF_PARKS_TIMED; 0: no thread has parked yet */
	uint64_t thin_ns;    /* of a shorter park length / thin_ns are taken, on average */
	uint64_t program_fd; /* of on_park; -1: there is none */
	uint64_t period_ns;  /* of the ticker */
	uint64_t met;	     /* parks that ticks fell into */
	uint64_t taken;	     /* of them, those whose stack was to be taken */
	uint64_t failed;     /* of those, runs of the program that failed */
	uint64_t in_tick;    /* taken since the last tick */
	uint64_t java_failed; /* calls that ended in a Java exception; counted there */
	uint64_t tick;	     /* of a group of JEBPF_PARKS_TIMED_SHARE ticks */
	uint64_t unheard;    /* taken, but not written: the next one that is stands for them */
	uint64_t timed_tick; /* the one of the group after which parks note their begin */
	uint64_t blocked;    /* threads with a slot in JebpfParks' table; Java's to write */
	uint64_t unnoted;    /* threads that blocked and found no slot; likewise */
	uint64_t unparks;    /* struct jebpf_unparks *: when threads were unparked; 0: nobody says so */
	uint64_t ticked_ns;  /* CLOCK_MONOTONIC of the last tick */
};

/*
 * What the word was when threads were unparked. A slot belongs to no thread: its number is mixed into it
 * (slot ^ thread * 0x9e37...). Who was due before the last tick, and is unparked only now since that took
 * a carrier, leaves when that was; the ticks tell what the word was then.
 */
struct jebpf_unparks {
	uint64_t slots[1 << JEBPF_UNPARKS_BITS];
	struct {
		uint64_t ns; /* CLOCK_MONOTONIC */
		uint64_t word; /* before it */
	} ticks[JEBPF_UNPARKS_TICKS]; /* number `tick` of jebpf_parks is the next one */
};

#define JEBPF_STRATA 16

/* In which part of its cell each of 16 ticks falls, every other one. */
struct jebpf_strata {
	uint64_t block; /* number of these 16, plus 1; 0: not drawn yet */
	uint8_t order[JEBPF_STRATA];
};

/* The ticker's places, see jebpf_places.c; `random` is to be set. */
struct jebpf_places {
	uint64_t random;
	struct jebpf_strata strata[2];
};

uint64_t tick_place(struct jebpf_places *places, uint64_t cell, uint64_t period_ns);

/* xorshift64*: where in its cell a tick falls need not be secret, only spread. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dULL;
}

/* CLOCK_MONOTONIC, which is System.nanoTime() as well. */
static inline uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NANOS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* Words that are shared with Java. */
static inline uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void add(uint64_t *word, uint64_t by)
{
	__atomic_fetch_add(word, by, __ATOMIC_RELAXED);
}

/* The calling thread's policy (SCHED_OTHER, SCHED_BATCH), nice value and slice: 0, or -errno. */
int64_t take_turns(int policy, int nice, uint64_t slice_ns);
int own_nice(void);

void parks_tick(struct jebpf_parks *parks, uint64_t period_ns, uint64_t ns, uint64_t random);

#endif
