/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where in their cells ticks fall. Each place is uniformly random, and those of two neighbours are
 * independent: that is all that the odds of a wait rest on, which touches two cells at most or covers one
 * (Cells.java). But of 16 cells, every other one, each 16th part of the period is the place in one. So
 * what waits at the same moment of each cell, a timer in step with the period, is met as often as it
 * should be up to a third of the error that independent places would make.
 */
#include <string.h>

#include "jebpf_native.h"

static void shuffle(uint8_t *order, uint64_t *random)
{
	for (unsigned i = 0; i < JEBPF_STRATA; i++) {
		unsigned j = next_random(random) % (i + 1);

		order[i] = order[j];
		order[j] = (uint8_t)i;
	}
}

/* Nanoseconds after the begin of a cell, which is asked for once: it has number `cell` from 0 of the clock. */
uint64_t tick_place(struct jebpf_places *places, uint64_t cell, uint64_t period_ns)
{
	struct jebpf_strata *strata = &places->strata[cell & 1];
	uint64_t block = (cell >> 1) / JEBPF_STRATA + 1;

	if (strata->block != block) {
		shuffle(strata->order, &places->random);
		strata->block = block;
	}
	return (strata->order[(cell >> 1) % JEBPF_STRATA] * period_ns +
		next_random(&places->random) % period_ns) /
	       JEBPF_STRATA;
}

/* For tests: the places of so many cells, from the first on. */
EXPORT int64_t jebpf_places(uint64_t *into, int64_t cells, int64_t period_ns, int64_t seed)
{
	struct jebpf_places places = {.random = (uint64_t)seed | 1};

	for (int64_t cell = 0; cell < cells; cell++)
		into[cell] = tick_place(&places, (uint64_t)cell, (uint64_t)period_ns);
	return 0;
}
