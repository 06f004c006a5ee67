/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Everything that crosses the border between the kernel programs and user space: limits, enums,
 * records, knobs. This file is the only source of these layouts; the Java side looks fields up by
 * name in the BTF of the compiled object, or is tested against it.
 *
 * Widths are explicit, every struct is a multiple of 8 bytes and its padding is named.
 */
#ifndef JEBPF_TYPES_H
#define JEBPF_TYPES_H

/* ---------------------------------------------------------------- limits */

#define JEBPF_FRAMES_MAX 2048	    /* user frames in one sample; knob depth_max is at most this */
#define JEBPF_WALK_MAX 16384 /* frames looked at in one walk: 0.4 ms; deeper ones lose the root end */
#define JEBPF_KERNEL_FRAMES_MAX 64  /* kernel frames in one sample */
#define JEBPF_COMM_BYTES 16	    /* TASK_COMM_LEN */
#define JEBPF_VIRTUAL_NAME_BYTES 64 /* of a virtual thread's name in a sample */
#define JEBPF_CODE_HEAPS_MAX 4	    /* HotSpot has 1 or 3 */
#define JEBPF_ENTRY_CODELETS_MAX 64 /* interpreter method entries; about 30 exist */
#define JEBPF_MAPPINGS_MAX 8192	    /* executable mappings per half of the table */
#define JEBPF_TABLES_MAX 1024	    /* files with an unwind table; table 0 means none */
#define JEBPF_TABLE_ROWS_MAX (1 << 20) /* rows of one unwind table; Temurin 25 libjvm has 231,000 */
#define JEBPF_CLOCKS_MAX 16384	       /* threads with exact clocks at one time */
#define JEBPF_MOVED_MAX 16384 /* threads that left a CPU between two ticks; a power of two */
#define JEBPF_RULES_MAX 8192  /* distinct unwind rules; a JVM with libc and libstdc++ has < 1,000 */
#define JEBPF_CONTEXT_BYTES 256	   /* one struct jebpf_context */
#define JEBPF_CONTEXT_TEXT_IDS 0x80 /* among the trace flags: it is a struct jebpf_text_context */
#define JEBPF_CONTEXT_GROUPS 8192  /* a thread's id picks its group; a power of two */
#define JEBPF_CONTEXT_WAYS 8	   /* threads of one group that can have a context at a time */

/* ---------------------------------------------------------------- frames */

/* What a frame is. Decides how addr and detail of struct jebpf_frame are read. */
enum jebpf_frame_kind {
	JEBPF_FRAME_NATIVE = 1,	     /* addr: pc. detail: module number (0: no known mapping) */
	JEBPF_FRAME_COMPILED = 2,    /* addr: nmethod. detail: compile id << 32 | pc - code begin */
	JEBPF_FRAME_INTERPRETED =
		3, /* addr: Method*. detail: bci << 48 | method_identity (48 bits) */
	JEBPF_FRAME_WRAPPER = 4,     /* native method wrapper: as COMPILED */
	JEBPF_FRAME_STUB = 5,	     /* other code blob: addr: CodeBlob*. detail: pc - CodeBlob* */
	JEBPF_FRAME_INTERPRETER =
		6, /* interpreter code without a Java frame: addr: pc. detail: 0 */
	JEBPF_FRAME_MARKER =
		7, /* not code: addr: enum jebpf_end. detail: argument (a count, the pc, enum jebpf_unread) */
};

#define JEBPF_BCI_UNKNOWN 0xffff

/* Set when the pc is exact (interrupted here), clear when it is a return address. */
#define JEBPF_FRAME_EXACT 1

/* 16 bytes. head: kind << 56 | flags << 48 | addr (48 bits). */
struct jebpf_frame {
	__u64 head;
	__u64 detail;
};
_Static_assert(sizeof(struct jebpf_frame) == 16, "frame layout");

/* Why a walk ended. Everything but ROOT leaves a MARKER frame as the last frame. */
enum jebpf_end {
	JEBPF_END_ROOT = 0,	    /* the thread's first frame was reached */
	JEBPF_END_DEPTH = 1,	    /* JEBPF_WALK_MAX frames did not reach it */
	JEBPF_END_BAD_RETURN = 2,   /* no plausible return address in a HotSpot frame */
	JEBPF_END_NO_BLOB = 3,	    /* pc is in a code heap but in no used blob */
	JEBPF_END_NO_MAPPING = 4,   /* pc is in no known executable mapping */
	JEBPF_END_NO_RULE = 5,	    /* the file has no unwind rule for this pc */
	JEBPF_END_READ_FAULT = 6,   /* user memory could not be read without a page fault */
	JEBPF_END_INTERPRETER = 7,  /* interpreter frame with implausible contents */
	JEBPF_END_DEOPT = 8,	    /* deoptimisation in progress, frames are half built */
	JEBPF_END_CONTINUATION = 9, /* the carrier of a virtual thread could not be found */
	JEBPF_END_NO_PROGRESS = 10, /* the stack pointer did not grow */
	JEBPF_END_NO_USER = 11,	    /* no user registers (io worker, exiting task) */
	JEBPF_END_SEGMAP = 12,	    /* the code heap's segment map needs more steps than allowed */
	JEBPF_END_CODELET = 13,	    /* interpreter entry or exit sequence that is not understood */
	JEBPF_END_COUNT = 14,
};

/*
 * What could not be read: the detail of a marker of READ_FAULT is one of these << 56 | the address
 * (48 bits).
 */
enum jebpf_unread {
	JEBPF_UNREAD_STACK = 1,	     /* a word of the thread's stack */
	JEBPF_UNREAD_CODE_CACHE = 2, /* instructions that HotSpot made, or what it says of them there */
	JEBPF_UNREAD_FILE = 3,	     /* instructions of a mapped file */
	JEBPF_UNREAD_JVM = 4,	     /* the JVM's own data: a thread, an anchor, a method */
};
#define JEBPF_UNREAD_COUNT 4 /* from JEBPF_UNREAD_STACK on */
#define JEBPF_UNREAD_SHIFT 56

/* Markers inside a stack that goes on behind them; shares numbers with enum jebpf_end. */
enum jebpf_gap {
	JEBPF_GAP_NATIVE = 64, /* native frames without unwind information; detail: pc */
	JEBPF_GAP_FROZEN = 65, /* frames of a virtual thread in the heap that were not read */
	JEBPF_GAP_WAKER = 66,  /* above it, leaf first, the thread that ended the wait (user space's own) */
	JEBPF_GAP_CUT = 67, /* frames beyond the limit, knob depth_max; detail: how many */
};
#define JEBPF_GAP_COUNT 4 /* from JEBPF_GAP_NATIVE on */

/* ---------------------------------------------------------------- records in the ring */

enum jebpf_record {
	JEBPF_RECORD_SAMPLE = 1,   /* struct jebpf_sample: a thread that runs */
	JEBPF_RECORD_WAIT = 2,	   /* struct jebpf_sample: a thread that waits, and still does */
	JEBPF_RECORD_WAIT_END = 3, /* struct jebpf_wait_end */
	JEBPF_RECORD_WAKER = 4, /* struct jebpf_sample: who ends a wait; comm and frames are the waker's,
				 * tid and start those of the thread that waited */
	JEBPF_RECORD_PARK = 8,	   /* struct jebpf_sample, behind its frames struct jebpf_park */
};

/* What a thread does. */
enum jebpf_state {
	JEBPF_STATE_RUNNING = 0,
	JEBPF_STATE_RUNNABLE = 1, /* waits for a CPU: preempted, or woken and not yet running */
	JEBPF_STATE_BLOCKED = 2,  /* interruptible sleep */
	JEBPF_STATE_DISK = 3,	  /* uninterruptible sleep */
	JEBPF_STATE_STOPPED = 4,  /* by a signal or a debugger */
	JEBPF_STATE_ENDED = 5,	  /* the thread is gone: its clock is final */
};
#define JEBPF_STATE_MASK 7
#define JEBPF_WAIT_STATES 4 /* from RUNNABLE to STOPPED */

/*
 * One sample. After the header: kernel_frames x __u64 (leaf first; the first is exact, the others
 * are return addresses), then user_frames x struct jebpf_frame (leaf first), then context_bytes.
 */
struct jebpf_sample {
	__u32 type;	       /* JEBPF_RECORD_SAMPLE */
	__u32 bytes;	       /* whole record, this header included */
	__u64 time_ns;	       /* CLOCK_MONOTONIC */
	__u64 weight_ns;       /* CPU time this sample stands for */
	__u64 thread_start_ns; /* task start, boot time clock: tells threads with a reused tid apart */
	__u64 java_thread;     /* JavaThread* when the walk learned it, else 0 */
	__u32 tid;	       /* thread id in the process's own PID namespace */
	__u32 cpu;
	__u32 walk_ns; /* time the walk took */
	__u16 kernel_frames;
	__u16 user_frames;
	__u8 end;   /* enum jebpf_end */
	__u8 state; /* enum jebpf_state */
	__u16 context_bytes; /* of struct jebpf_context, behind the user frames; 0: no context */
	__u8 virtual_name_bytes;     /* of virtual_name in use; 0: it has none */
	__u8 virtual_name_flags;     /* JEBPF_NAME_* */
	__u8 pad[2];
	__u64 wait_start_ns;	     /* WAIT: when the thread left its CPU; else 0 */
	__u64 virtual_thread; /* Thread.threadId() of the mounted virtual thread, 0: none, not known */
	char comm[JEBPF_COMM_BYTES]; /* the kernel's name of the thread, zero-terminated */
	/* Thread.name of the virtual thread as its String holds it; not set where bytes is 0 */
	char virtual_name[JEBPF_VIRTUAL_NAME_BYTES];
};
_Static_assert(sizeof(struct jebpf_sample) == 160, "sample layout");

#define JEBPF_NAME_UTF16 1 /* else Latin-1 */
#define JEBPF_NAME_CUT 2   /* it is longer than virtual_name */
#define JEBPF_NAME_UNREAD 4 /* the collector had it in its hands */

/* The end of a wait that had a WAIT record: {tid, thread_start_ns, wait_start_ns} is the same. */
struct jebpf_wait_end {
	__u32 type; /* JEBPF_RECORD_WAIT_END */
	__u32 bytes;
	__u64 wait_start_ns;
	__u64 woken_ns; /* from here on it waited for a CPU */
	__u64 end_ns;	/* it runs again */
	__u64 thread_start_ns;
	__u32 tid;
	__u32 tick_ns; /* of the time since woken_ns, that in which the ticker itself had the CPU */
	__u32 waker_tid; /* in the kernel's numbers; 0: unknown */
	__u32 waker_slot; /* of its clock, plus 1; 0: it is none of the target's threads */
	char waker_comm[JEBPF_COMM_BYTES];
};
_Static_assert(sizeof(struct jebpf_wait_end) == 72, "wait end layout");

/* ---------------------------------------------------------------- contexts of threads */

/*
 * What a thread works for: which trace and span, and labels of the application. The layout is that
 * of OTEP 4947 (thread context), so that other profilers can read it too.
 */
struct jebpf_context {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 valid; /* 1: valid */
	__u8 trace_flags;
	__u16 attributes_bytes; /* in use */
	/* one after the other: __u8 key number, __u8 length, text; the last of a key counts */
	__u8 attributes[JEBPF_CONTEXT_BYTES - 28];
};
_Static_assert(sizeof(struct jebpf_context) == JEBPF_CONTEXT_BYTES, "context layout");

/*
 * The same with the ids as the tracing library has them, in hexadecimal digits: to read them would
 * be the larger part of setting a context, and most contexts are never looked at.
 */
struct jebpf_text_context {
	__u8 unused[24];
	__u8 valid;
	__u8 trace_flags; /* JEBPF_CONTEXT_TEXT_IDS */
	__u16 attributes_bytes;
	__u8 pad[4];
	char trace_digits[32];
	char span_digits[16];
	__u8 attributes[JEBPF_CONTEXT_BYTES - 80];
};
_Static_assert(sizeof(struct jebpf_text_context) == JEBPF_CONTEXT_BYTES, "text context layout");

/*
 * The table of contexts lies in the target's memory, at knob context_table. It is written by the
 * threads themselves, each its own slot, and read while they are stopped:
 *
 *   __u64 owners[GROUPS][WAYS]                     Thread.threadId() << 1 | record in use; 0: free;
 *                                                  all ones: being taken
 *   struct jebpf_context records[WAYS][GROUPS][2]
 *
 * A virtual thread has its own slot, and with it its context, wherever it is mounted. A context is
 * changed by filling the record that is not in use, then the owner's word: one store.
 */
#define JEBPF_CONTEXT_OWNERS_BYTES (8 * JEBPF_CONTEXT_GROUPS * JEBPF_CONTEXT_WAYS)

/*
 * A park of a virtual thread, from the native helper to the program on_park and from there into the
 * record. The stack is that of the thread as it goes on, at time_ns.
 */
struct jebpf_park {
	__u64 parked_ns; /* what the ticks that fell into it stand for */
	__u64 queued_ns; /* of that, after it was unparked; JEBPF_PARK_UNDIVIDED: not known */
	__u64 thin_ns;	 /* parks like it are taken parked_ns / thin_ns times on average, or once */
	__u64 start_ns;	 /* CLOCK_MONOTONIC, 0: not noted, as in all but a share of the ticks */
	__u64 period_ns; /* of the ticker */
	__u64 copies;	 /* how often it is taken, and those lost before it, which it stands for as well */
	__u64 kind;	 /* enum jebpf_park_kind */
};
_Static_assert(sizeof(struct jebpf_park) == 56, "park layout");

/* How a virtual thread left its carrier, and so where its stack is when the record is made. */
enum jebpf_park_kind {
	JEBPF_PARK_YIELD = 0,	/* by Java code, which goes on now: its frames are on the stack */
	JEBPF_PARK_MONITOR = 1, /* at a monitor that another has; it is about to be mounted: all are in the heap */
	JEBPF_PARK_WAIT = 2,	/* in Object.wait, likewise */
};

#define JEBPF_PARK_UNDIVIDED (~0ULL)

#define JEBPF_PARKS_TIMED 1ULL	  /* in the word: parks that begin now note when */
#define JEBPF_PARKS_FIRST 2ULL	  /* the word after the first park; before, it is 0 and no tick changes it */
#define JEBPF_PARKS_TIMED_SHARE 8 /* after one tick in so many */

/*
 * One thread's clocks, and what the programs know of the thread: element of the map `clocks`, mapped
 * into user space, two cache lines of 64 bytes. The first is written at each switch of the thread; the
 * second hardly ever, and it is all that a waker looks at, which may run on another CPU.
 *
 * `sequence` is odd while the first line is written; since_ns and state tell what the thread does since
 * its last change. Its time on a CPU is not kept: the rest of the time since first_ns.
 */
struct jebpf_clock {
	__u32 sequence; /* grows by 2 at each change, so by 4 each time the thread leaves a CPU */
	__u8 state;	/* enum jebpf_state */
	__u8 has_stack; /* 1: stack_of may be the present wait's */
	__u8 listed;	/* 1: on the ticker's list */
	__u8 quiet;	/* 1: nobody asks for stacks of its sleep; user space's own */
	__u64 since_ns;
	__u64 waited_ns[JEBPF_WAIT_STATES]; /* by enum jebpf_state - 1, in waits that are over */
	__u64 queued_ns; /* by the scheduler: waiting for a CPU in all its life, when it got one last */
	__u32 ran_us;	 /* likewise: on a CPU, when it left one last; in units of 1024 ns */
	__u32 wakeups;

	__u64 first_ns;		/* the clock starts here */
	__u64 thread_start_ns;	/* task->start_boottime: numbers come back */
	__u64 stack_of;		/* start of the last wait whose stack was taken */
	__u64 woken_ns;		/* when it was woken last, if that was watched or asked for: edge.bpf.h */
	__u32 tid;		/* in the process's own PID namespace; 0: slot never used */
	__u32 kernel_tid;
	__u32 slot;
	__u32 pad;
	char comm[JEBPF_COMM_BYTES];
};
_Static_assert(sizeof(struct jebpf_clock) == 128, "clock layout");
_Static_assert(__builtin_offsetof(struct jebpf_clock, first_ns) == 64, "clock layout");

/* ---------------------------------------------------------------- counters */

/* Index into the one element of the per-CPU map `stats`. Each value only grows. */
enum jebpf_stat {
	JEBPF_STAT_EVENTS = 0,	       /* clock events seen on this CPU, whatever ran */
	JEBPF_STAT_SAMPLES = 1,	       /* events that hit the process: each was written or lost */
	JEBPF_STAT_RING_FULL = 2,      /* samples lost because the ring was full */
	JEBPF_STAT_KERNEL_STACK = 3,   /* kernel stacks that could not be read */
	JEBPF_STAT_PROGRAM_NS = 4,     /* time spent in our programs, switches apart, in nanoseconds */
	JEBPF_STAT_FRAMES = 5,	       /* user frames taken */
	JEBPF_STAT_CACHE_MISS = 6,     /* frames whose rule was not in the per-CPU cache */
	JEBPF_STAT_SCRATCH = 7,	       /* samples lost because scratch memory was busy or missing */
	JEBPF_STAT_WEIGHT_NS = 8,      /* CPU time all samples stand for, lost ones included */
	JEBPF_STAT_CLOCKS_FULL = 9,    /* threads without a clock: all are in use */
	JEBPF_STAT_MOVED_FULL = 10,    /* switches that did not fit the ticker's list */
	JEBPF_STAT_WAIT_END_LOST = 11, /* ends of waits lost because the ring was full */
	JEBPF_STAT_WAIT_MOVED = 12,    /* stacks dropped because the thread ran during the walk */
	JEBPF_STAT_SWITCHES = 13,      /* context switches of the process */
	JEBPF_STAT_TICKS = 14,	       /* runs of the ticker */
	JEBPF_STAT_WAITS = 15,	       /* stacks of waits taken */
	JEBPF_STAT_END_FIRST = 16,     /* + enum jebpf_end: walks by the reason they ended */
	JEBPF_STAT_WAIT_END_FIRST = 32, /* + enum jebpf_end: the same of waits */
	JEBPF_STAT_TICK_NS = 46,   /* of PROGRAM_NS, that of the ticker */
	JEBPF_STAT_SWITCH_NS = 47, /* beside PROGRAM_NS: context switches and wake-ups, by samples */
	JEBPF_STAT_CONTEXT_FAULT = 48, /* contexts of threads that could not be read */
	JEBPF_STAT_SWITCH_MISSED = 49, /* switches that were not traced, made up for */
	JEBPF_STAT_GAP_FIRST = 50, /* + enum jebpf_gap - 64: stacks with such a marker inside */
	JEBPF_STAT_WHOLE = 54, /* stacks from leaf to root without a gap, but for JEBPF_GAP_CUT */
	JEBPF_STAT_PATHS = 55, /* kernel stacks of waits that went by a known path */
	JEBPF_STAT_WAIT_GAP_FIRST = 56, /* the same two of waits */
	JEBPF_STAT_WAIT_WHOLE = 60,
	JEBPF_STAT_PARK_NS = 61,   /* of PROGRAM_NS, that of parks of virtual threads */
	JEBPF_STAT_PARK_LOST = 62, /* parks whose stack could not be taken or written */
	JEBPF_STAT_PATH_WRONG = 63, /* such ones that the kernel's own walk, asked now and then, denied */
	JEBPF_STAT_UNREAD_FIRST = 64, /* + enum jebpf_unread - 1: walks ended by what could not be read */
	JEBPF_STAT_WAIT_UNREAD_FIRST = 68, /* the same of waits */
	JEBPF_STAT_COUNT = 72,
};

/* ---------------------------------------------------------------- native unwind tables */

/* How the canonical frame address (CFA) of a row is found. */
enum jebpf_cfa {
	JEBPF_CFA_NONE = 0, /* no rule: a gap between functions, or an expression we do not know */
	JEBPF_CFA_RSP = 1,  /* rsp + cfa_offset */
	JEBPF_CFA_RBP = 2,  /* rbp + cfa_offset */
	JEBPF_CFA_PLT = 3,  /* rsp + 8 + ((rip & 15) >= cfa_offset ? 8 : 0) */
	JEBPF_CFA_SIGNAL =
		4, /* signal frame: rsp at [rsp + cfa_offset], pc at [rsp + ra_offset], rbp at [rsp + rbp_offset] */
	JEBPF_CFA_ROOT = 5, /* return address undefined: the thread's first frame */
	JEBPF_CFA_RBX = 6,  /* rbx + cfa_offset, exact frames only */
	JEBPF_CFA_RDI = 7,  /* rdi + cfa_offset, exact frames only */
	JEBPF_CFA_RDX = 8,
	JEBPF_CFA_RCX = 9,
	JEBPF_CFA_R11 = 10,
	JEBPF_CFA_R10 = 11,
	JEBPF_CFA_DEREF_RBP = 12, /* [rbp + cfa_offset]: functions that realign their stack */
	JEBPF_CFA_DEREF_RSP = 13, /* [rsp + cfa_offset] + 8: assembly that saves its caller's rsp (OpenSSL) */
	JEBPF_CFA_RAX = 14,	  /* as RBX */
	JEBPF_CFA_RSI = 15,
};

/* How the caller's rbp is found. */
enum jebpf_rbp {
	JEBPF_RBP_SAME = 0,	 /* unchanged */
	JEBPF_RBP_CFA = 1,	 /* saved at CFA + rbp_offset */
	JEBPF_RBP_UNKNOWN = 2,	 /* undefined */
	JEBPF_RBP_DEREF_RBP = 3, /* saved at rbp + rbp_offset */
};

/* Map `unwind_rules`: array of these, shared by all tables. Rule 0 is {CFA_NONE}. */
struct jebpf_rule {
	__s32 cfa_offset;
	__s32 rbp_offset;
	__s32 ra_offset; /* return address at CFA + ra_offset (-8 nearly always) */
	__u8 cfa;	 /* enum jebpf_cfa */
	__u8 rbp;	 /* enum jebpf_rbp */
	__u8 pad[2];
};
_Static_assert(sizeof(struct jebpf_rule) == 16, "rule layout");

/*
 * One row of a table (inner map of `unwind_tables`): rule holds from `start` up to the start of the
 * next row. Rows are sorted by start; a row with rule 0 closes a range. start is the ELF virtual
 * address (pc - bias of the mapping).
 *
 * Behind the rows may lie an index: element row_count + n has in `start` how many rows start at or
 * below address n << JEBPF_INDEX_SHIFT. It narrows the search from all rows to those of a page.
 */
#define JEBPF_INDEX_SHIFT 12

struct jebpf_row {
	__u32 start;
	__u16 rule;
	__u16 pad;
};
_Static_assert(sizeof(struct jebpf_row) == 8, "row layout");

/* Map `mappings`: two halves of JEBPF_MAPPINGS_MAX, each sorted by start. */
struct jebpf_mapping {
	__u64 start;
	__u64 end;    /* exclusive */
	__u64 bias;   /* pc - bias = ELF virtual address */
	__u32 module; /* number of the loaded file, never reused in the life of the object; 0: none */
	__u32 table; /* index into `unwind_tables`; 0: no table */
	__u32 row_count;
	__u32 flags; /* JEBPF_MAPPING_* */
};
_Static_assert(sizeof(struct jebpf_mapping) == 40, "mapping layout");

#define JEBPF_MAPPING_FRAME_POINTERS                                                               \
	1 /* code keeps rbp frames: follow rbp where no rule is found */

/* ---------------------------------------------------------------- knobs, set once before load */

struct jebpf_code_heap {
	__u64 low;
	__u64 high;   /* reserved end, exclusive */
	__u64 segmap; /* address of the segment map's first byte */
	__u32 shift;  /* log2 of the segment size */
	__u32 pad;
};

/* One interpreter method entry: before the frame is built RA is found by position (facts 3.5). */
struct jebpf_codelet {
	__u64 start;
	__u32 size;
	__u32 pop_rax;	/* offset of `pop rax` from start; 0xffffffff when there is none */
	__u32 push_rax; /* offset of `push rax; push rbp; mov rbp,rsp` */
	__u32 built;	/* offset from which the rbp frame is complete (slot -9 written) */
};

/*
 * Offsets into HotSpot's structures, in bytes; JEBPF_ABSENT where this JVM has no such field.
 * Section .rodata.config: the verifier knows the values and drops branches that cannot be taken.
 */
#define JEBPF_ABSENT 0xffff

/* How references are stored in objects. */
enum jebpf_oops {
	JEBPF_OOPS_UNKNOWN = 0,
	JEBPF_OOPS_WIDE = 1,	 /* the address */
	JEBPF_OOPS_NARROW = 2,	 /* u32: oop_base + (n << oop_shift); handles hold the address */
	JEBPF_OOPS_COLOURED = 3, /* generational ZGC: bits 12 to 15 tell the shift; handles too */
};

struct jebpf_config {
	__u32 depth_max;
	__u32 has_hotspot; /* 0: no JVM, native frames only */

	/* waits */
	__u64 waker_ns;	     /* waits of this length and more record their waker */
	__u64 tick_iterator; /* 1: the ticker runs the task iterator, there is no list */

	/* code cache */
	__u64 code_low; /* CodeCache::_low_bound */
	__u64 code_high;
	__u64 interpreter_low; /* StubQueue buffer */
	__u64 interpreter_high;
	struct jebpf_code_heap heaps[JEBPF_CODE_HEAPS_MAX]; /* unused: low = high = 0 */
	__u64 call_stub_return;
	__u64 cont_barrier; /* StubRoutines::cont_returnBarrier; 0: unknown or no virtual threads */
	__u64 cont_barrier_exc;
	__u64 cont_stubs_low; /* the blob or range of the continuation stubs */
	__u64 cont_stubs_high;
	__u64 thaw_end_low;	/* the code of ThawBase::finalize_thaw; 0: unknown */
	__u64 thaw_end_high;
	__u64 thaw_moved;      /* behind the first place in it that moves a chunk's stack pointer; 0: unknown */
	__u64 thaw_moved_last; /* behind the second */
	__u64 cont_return_pc;	   /* ContinuationEntry::_return_pc */
	__u64 cont_enter_low;	   /* the code of enterSpecial: what runs above it is mounted */
	__u64 cont_enter_high;
	__u64 name_nmethod;	   /* the one CodeBlob::_name pointer of all compiled methods */
	__u64 name_native_nmethod; /* of all native wrappers */
	__u64 name_adapter;	   /* of all I2C/C2I adapters */
	__u64 name_vtable;
	__u64 name_mh_adapter;
	__u64 tls_module_id;	 /* of libjvm: index into the dtv; 0: unknown */
	__u64 tls_thread_offset; /* of Thread::_thr_current in libjvm's TLS block */

	__u64 oop_base; /* of narrow references */
	__u64 stale_mask; /* address of ZGC's mask: references with a bit of it may be out of date */
	__u64 code_epoch; /* address of CodeCache::_gc_epoch; 0: unknown. See still_true() in blob.bpf.h */

	__u64 context_table; /* address in the target; 0: there is none */

	__u32 oop_shift;
	__u32 oop_kind;		      /* enum jebpf_oops */
	__u32 cont_entry_frame_bytes; /* enterSpecial's frame size in bytes */
	__u32 entry_codelet_count;
	struct jebpf_codelet entry_codelets[JEBPF_ENTRY_CODELETS_MAX]; /* sorted by start */

	/* HeapBlock and CodeBlob */
	__u16 heap_block_bytes;
	__u16 heap_block_used;
	__u16 blob_name;
	__u16 blob_size;	   /* int */
	__u16 blob_frame_size;	   /* int, words */
	__u16 blob_frame_complete; /* int or i16, see flags */
	__u16 blob_kind;	   /* u1; absent before 25 */
	__u16 blob_code_begin;	   /* pointer, up to 22; else absent */
	__u16 blob_code_offset;	   /* int, from 23 */
	__u16 blob_code_end;	   /* pointer, up to 22 */
	__u16 blob_data_offset;	   /* int: code ends here */

	/* nmethod */
	__u16 nmethod_method;
	__u16 nmethod_compile_id;
	__u16 nmethod_orig_pc;		     /* int */
	__u16 nmethod_deopt_begin;	     /* pointer, up to 22 */
	__u16 nmethod_deopt_mh_begin;	     /* pointer, up to 22 */
	__u16 nmethod_deopt_offset;	     /* int from the blob, from 23 */
	__u16 nmethod_deopt_mh_offset;	     /* int from the blob, 23 to 25 */
	__u16 nmethod_stub_offset;	     /* int from the blob */
	__u16 nmethod_verified_entry;	     /* pointer, up to 22 */
	__u16 nmethod_verified_entry_offset; /* u2 from code begin, from 23 */

	/* Method, ConstMethod */
	__u16 method_const;
	__u16 const_method_bytes; /* sizeof: the bytecodes start here */
	__u16 const_method_constants;
	__u16 const_method_code_size; /* u2 */

	/* JavaThread */
	__u16 thread_anchor_sp; /* JavaThread::_anchor + JavaFrameAnchor::_last_Java_sp */
	__u16 thread_anchor_pc;
	__u16 thread_anchor_fp;
	__u16 thread_state; /* int */
	__u16 thread_osthread;
	__u16 thread_vframe_array_head;
	__u16 thread_cont_entry;
	__u16 osthread_id; /* int */
	__u16 cont_entry_parent;
	__u16 state_in_java;	       /* value of _thread_in_Java */
	__u16 flag_frame_complete_i16; /* 1: blob_frame_complete is 16 bits wide */

	/* CodeBlobKind values, JEBPF_ABSENT before 25 */
	__u16 kind_nmethod;
	__u16 kind_buffer;
	__u16 kind_adapter;
	__u16 kind_vtable;
	__u16 kind_mh_adapter;
	__u16 kind_runtime_stub;
	__u16 kind_deoptimization;
	__u16 kind_safepoint;
	__u16 kind_exception;
	__u16 kind_uncommon_trap;
	__u16 kind_upcall;

	/* Java objects: the mounted virtual thread, and the frames it left in the heap */
	__u16 thread_object;   /* JavaThread::_threadObj, an oop* */
	__u16 thread_vthread;  /* JavaThread::_vthread, an oop* */
	__u16 java_thread_tid; /* Thread.tid, long */
	__u16 cont_tail;       /* Continuation.tail */
	__u16 chunk_parent;    /* StackChunk.parent */
	__u16 chunk_sp;	       /* int, words from chunk_stack; frames lie from here to chunk_bottom */
	__u16 chunk_bottom;    /* int, words from chunk_stack */
	__u16 chunk_pc;	       /* of the youngest frame */
	__u16 chunk_stack;     /* bytes from a chunk to its first word */
	__u16 chunk_max_thawing; /* StackChunk.maxThawingSize, int, words */
	__u16 wrapper_anchor;  /* JavaCallWrapper::_anchor */
	__u16 java_thread_eetop; /* Thread.eetop, long: back to the JavaThread */

	/* Its name, and the way to it while it is being unmounted */
	__u16 java_thread_name;	    /* Thread.name */
	__u16 string_value;	    /* String.value */
	__u16 string_coder;	    /* String.coder, byte */
	__u16 array_length;	    /* of a byte[]; its elements begin at array_data */
	__u16 array_data;
	__u16 virtual_continuation; /* VirtualThread.cont */
	__u16 cont_target;	    /* Continuation.target */
	__u16 object_header;	    /* bytes before an object's first field */
	__u16 show_carrier; /* 1: frames of the carrier below a virtual thread's root are taken too */
	__u16 check_paths; /* 1: each kernel stack by a known path is compared with the kernel's own walk */
	__u16 thread_saved_pc; /* JavaThread::_saved_exception_pc: of the poll that was met last */
};
_Static_assert(sizeof(struct jebpf_config) % 8 == 0, "config layout");

/* ---------------------------------------------------------------- state, changed while running */

/* When the programs wake the reader. */
enum jebpf_until {
	JEBPF_UNTIL_RUNG = 0, /* they need not */
	JEBPF_UNTIL_FULL = 1, /* when `samples` fills */
	JEBPF_UNTIL_UNKNOWN = 2, /* also when a walk ended in code that is in no known mapping */
};

/* Section .data.target, mapped into user space. Written by user space only. */
struct jebpf_target {
	__u32 tgid;	     /* process to sample, in the kernel's own numbers; 0: none */
	__u32 mappings_half; /* half of `mappings` in use: 0 or 1 */
	__u32 mappings_count[2];
	__u32 generation;  /* grows with every change of mappings: older cache entries are void */
	__u32 clocks_tgid; /* process whose threads have exact clocks; 0: none */
	__u64 period_ns;   /* of the clock events */
	__u64 clocks_start_ns; /* CLOCK_MONOTONIC: the clocks of older threads start here */
	enum jebpf_until reader_asleep; /* the programs set it to 0 when they wake the reader */
	__u32 pad;
};
_Static_assert(sizeof(struct jebpf_target) == 48, "target layout");

/* What on_tick is given. */
struct jebpf_tick {
	__u64 may_sleep; /* 1: if nothing is left to do, a thread that leaves its CPU is to ring the bell */
};

/* What it returns. */
#define JEBPF_TICK_DONE 0
#define JEBPF_TICK_MORE 1   /* the list was too long for one run */
#define JEBPF_TICK_ASLEEP 2 /* nothing is left to do, and the bell will ring */

/* Section .data.list: the ticker's list and the use of `clocks`. Written by the programs only. */
struct jebpf_list {
	__u64 moved_head;  /* threads ever put on the list */
	__u64 moved_tail;  /* threads ever taken off */
	__u32 clocks_used; /* slots of `clocks` ever given */
	__u32 unseen;	   /* 1: threads may wait that the ticker does not know of: it has to sweep */
	__u64 tick_start_ns; /* of the tick by the iterator that is under way */
	__u64 ticker_since_ns; /* when the ticker got its CPU last to take stacks */
	__u32 ticker_tid; /* in the kernel's numbers */
	__u32 asleep; /* 1: the ticker has seen all there is, and waits for the bell */
	__u64 edge_ns; /* when all threads were looked at last, for those woken: edge.bpf.h */
	__u64 edge_start_ns; /* of such a look by the iterator that is under way */
};
_Static_assert(sizeof(struct jebpf_list) == 64, "list layout");

/* Map `whoami_result` after one run of program `whoami`: the caller in the kernel's own numbers. */
struct jebpf_whoami {
	__u32 tgid;
	__u32 tid;
	__u32 ns_tgid;
	__u32 ns_tid;
};

#endif
