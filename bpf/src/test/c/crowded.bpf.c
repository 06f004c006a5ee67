// SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0)
/*
 * The kernel programs as they are where next to no thread has a place of its own, and on a kernel whose
 * scheduler keeps no accounts of the time that threads wait for a CPU.
 */
#define PLACES 2
#define WITHOUT_ACCOUNTS

#include "jebpf.bpf.c"
