/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * The state of one stack walk, and the primitives that every unwinding rule uses: reading user
 * memory, going to the caller, ending with a reason.
 *
 * The state lives in a map value (one per CPU), because a BPF program has 512 bytes of stack, and
 * because values that the verifier loads from memory are unknown to it: loops over them converge.
 */
#ifndef JEBPF_WALK_BPF_H
#define JEBPF_WALK_BPF_H

#include <stdbool.h>

#include "jebpf_types.h"

#ifndef STACK_WINDOW_WORDS
#define STACK_WINDOW_WORDS 128 /* 1 KiB of stack read at once: ten typical frames */
#define STACK_WINDOW_BELOW                                                                         \
	128 /* bytes of it below the first word asked for: rules read downwards too */
#endif
#define BARRIER_CODE 704 /* an adapter from the start of its entry barrier to the end */
#define CODE_PAGE 4096
#define CODE_APART_MAX 512 /* a power of two, more than is read around a pc */
#define LOOK_BACK_BYTES 384 /* facts 3.3.4: farthest `sub rsp` before a barrier's call */
#define SEARCHING 1 /* the pc is in a string search of C2 */
#define SEARCHING_PERHAPS 2 /* the code could not be read */
#define CACHE_SLOTS 1024    /* of called code, per CPU; a power of two */
#define EXACT_SLOTS 256     /* of interrupted code: seldom seen twice, it must not push out the others */
#define ROOT_FRAMES 64	    /* frames at the root that a stack cut in the middle keeps, at most */
#define MARKERS_MAX 2	    /* that may be added to a whole stack: where it is cut, and its end */
#define RECORD_BYTES                                                                               \
	(sizeof(struct jebpf_sample) + JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64) +                   \
	 (JEBPF_FRAMES_MAX + MARKERS_MAX) * sizeof(struct jebpf_frame) + JEBPF_CONTEXT_BYTES)
#define ADDRESS_MASK 0xffffffffffffULL
#define FAULT_REACH 65536 /* bytes above sp in which a word that cannot be read means something */
#define HEADER_BEFORE 16  /* bytes in front of a blob that are read with it: its heap block */
#define HEADER_BYTES 384  /* of them and of the largest nmethod header, JDK 17's */
#define HEADER_BYTES_25 256
#define HEADER_BYTES_LEAST 128 /* a small blob at the end of the code heap */

/* What lies at a pc. Everything but CODE_MODULE is inside HotSpot's code heaps. */
enum code_kind {
	CODE_NONE = 0,
	CODE_MODULE,	/* mapped file: unwound by its table */
	CODE_NMETHOD,	/* compiled Java */
	CODE_WRAPPER,	/* native method wrapper, enterSpecial, doYield */
	CODE_INTRINSIC, /* MethodHandle intrinsic: an nmethod without a frame */
	CODE_VTABLE,	/* vtable and itable stubs: no frame */
	CODE_STUB,	/* StubRoutines and other buffers: rbp frames as a rule */
	CODE_RUNTIME,	/* runtime stub with a frame size */
	CODE_ADAPTER,	/* I2C/C2I and MethodHandle adapters */
	CODE_UPCALL,	/* FFM upcall stub */
	CODE_DEOPT,	/* DeoptimizationBlob, UncommonTrapBlob */
	CODE_EXCEPTION, /* ExceptionBlob */
	CODE_SAFEPOINT, /* SafepointBlob, from JDK 25 on; before, it is CODE_RUNTIME */
};

#define CODE_FLAG_OUT_OF_LINE                                                                      \
	1		    /* pc is in the nmethod's stub section: GC barriers move rsp there */
#define CODE_FLAG_DEOPTED 2 /* pc is the deoptimisation handler: the real pc is in the frame */
#define CODE_FLAG_RETURN 4  /* a call was seen in front of the pc */

/* What was learned about one pc. Kept in a cache, one per CPU. */
struct code {
	__u64 pc;	   /* the key: pc, with bit 63 set for an exact pc in a module */
	__u64 blob;	   /* CodeBlob*, 0 for a module */
	__u32 generation;  /* of the mappings, for a module; the code cache's epoch in which the nmethod
			    * was on a stack, 0: not known */
	__u32 walk;	   /* number of the walk in which this entry was last checked */
	__s32 frame_bytes; /* of the blob */
	__u32 compile_id;
	__u32 pc_offset; /* from code begin (nmethods) or from the blob */
	__u32 module;
	union {
		struct jebpf_rule rule; /* of a module */
		struct {		/* of an nmethod */
			__u64 begin;	/* of its code */
			__s32 complete; /* the frame is complete from here on */
			__u32 entry;	/* verified entry; both from code begin */
		};
		__u64 blob_name; /* of another blob: its name pointer */
	};
	__u8 kind; /* enum code_kind */
	__u8 flags;
	__u8 mapping_flags;
	__u8 pad;
	union {
		__u32 stub_offset; /* of an nmethod: its stub section, from the blob */
		__u32 blob_bytes;  /* of another blob */
	};
};
_Static_assert(sizeof(struct code) == 64, "one cache line");

struct walk {
	/* first, for cache lines: each entry fills one (see the map's flags in maps.bpf.h) */
	struct code cache[CACHE_SLOTS + EXACT_SLOTS];

	/* the frame to be unwound next */
	__u64 pc;
	__u64 sp;
	__u64 fp;
	/* registers of an exact frame: of the interrupted one, or of one below a signal frame */
	EXACT_REGISTERS
	__u32 exact;	    /* 1: pc was interrupted here, the registers above belong to it */
	__u32 frames;	    /* taken so far; after the walk: in the record */
	__u32 kernel_bytes; /* kernel part of the record */
	__u32 end;	    /* enum jebpf_end */
	__u32 number;	    /* of this walk on this CPU: cache entries checked in it stay valid */
	__u32 generation;
	__u32 callee; /* enum jebpf_frame_kind of the frame pushed last */
	__u32 fault;  /* 1: something that a decision rested on could not be read */
	__u32 gaps;   /* bit n: marker n of enum jebpf_gap is in the stack, counted from the first */
	__u32 epoch;  /* of the code cache when the walk began; 0: not known */
	__u32 mapping; /* found last, its key; valid when its address range is */
	__u32 searching; /* SEARCHING or SEARCHING_PERHAPS, set by out_of_line_depth() */
	__u32 restored; /* index in bytes up to which rsp is restored by other means than `add` */
	__u32 taken;   /* frames of the whole stack, when the walk is over */
	__u64 thread; /* JavaThread* or 0 */
	__u64 fs_base;
	__u64 second_try;  /* end of the compiled frame just left, 0 after any other frame: if its
			    * caller turns out to be none, words may have been pushed below it */
	__u64 first_sp;	   /* where the walk began */
	__u64 entry_fp;	   /* frame pointer of the call stub passed last, 0: none */
	__u64 native_caller; /* pc of the caller of the youngest native method, 0: none was passed */
	__u64 native_frames; /* the frames taken up to there */
	__u64 native_method; /* the caller's Method*, if it is interpreted */
	__u64 mounted;	   /* ContinuationEntry of the mounted virtual thread, 0: none was passed */
	__u64 chunk;	   /* StackChunk whose frames are being walked, 0: none */
	__u64 chunk_end;   /* the chunk's frames end here */
	__u64 chunk_top;   /* its frames are walked from above its stack pointer, which is here; or 0 */
	__u64 value;	   /* result of read_word() */
	__u64 unread;	   /* enum jebpf_unread << 56 | address: what `fault` stands for, else the last */
	__u64 low, high;   /* bounds of a binary search */
	struct code found; /* result of a look-up */
	struct code self;  /* the code of the frame being unwound */

	__u64 window_base; /* address of window[0]; 0: empty */
	__u64 window[STACK_WINDOW_WORDS];
	__u8 before[8]; /* so that what is in front of bytes[0] is ours */
	__u8 bytes[1024 + 16]; /* instructions; as long as a mask of their index is */
	__u8 header[HEADER_BYTES + 8]; /* of a blob, see read_header() */
	struct jebpf_frame root[ROOT_FRAMES]; /* the last frames, round and round: behind the leaf frames */
	__u8 record[RECORD_BYTES];
} __attribute__((aligned(64)));

/* Whether a rule is in force: always. The tests switch each off, to see that a recorded walk misses it. */
#ifndef RULE
#define RULE(name) true
#endif

#define MARK(w, reason)                                                                            \
	({                                                                                         \
		(w)->end = (reason);                                                               \
		1;                                                                                 \
	})

/*
 * Notes what could not be read, to be told if the walk ends for it: of one step the first that a
 * decision rested on. Code is told apart by its address when the walk is over.
 */
static __always_inline void note_unread(struct walk *w, __u64 what, __u64 address)
{
	if (!w->fault)
		w->unread = what << JEBPF_UNREAD_SHIFT | (address & ADDRESS_MASK);
}

/* The same of what a decision rests on: the walk ends. */
static __always_inline void fail_unread(struct walk *w, __u64 what, __u64 address)
{
	note_unread(w, what, address);
	w->fault = 1;
}

/* Reads one word of the stack into w->value, through the window. 0, or an enum jebpf_end. */
static __always_inline int read_word(struct walk *w, __u64 address)
{
	__u64 offset = address - w->window_base;

	if (offset > (STACK_WINDOW_WORDS - 1) * 8 || (address & 7)) {
		w->window_base = address - STACK_WINDOW_BELOW;
		if ((address & 7) || read_user(&w->window, sizeof(w->window), w->window_base)) {
			/* near an end of the stack, or not aligned: the word alone */
			w->window_base = 0;
			if (!read_user(&w->value, 8, address))
				return 0;
			note_unread(w, JEBPF_UNREAD_STACK, address);
			if (address - w->sp < FAULT_REACH)
				w->fault = 1;
			return JEBPF_END_READ_FAULT;
		}
		offset = STACK_WINDOW_BELOW;
	}
	offset >>= 3;
	w->value = w->window[offset & (STACK_WINDOW_WORDS - 1)];
	return 0;
}

/* The same as a function of its own, for what tries many places: the verifier looks at it once. */
__noinline int called_word(struct walk *w, __u64 address)
{
	return w ? read_word(w, address) : JEBPF_END_READ_FAULT;
}

/*
 * Instructions around a pc of which only one of two pages can be read: a code heap has no pages where
 * nothing was ever written. What is not there is no code; the page with the pc has to be.
 */
__noinline int read_code_apart(struct walk *w, __u32 size, __u64 address)
{
	__u32 first = CODE_PAGE - (address & (CODE_PAGE - 1)); /* bytes on the first page */

	if (!w || !RULE(CODE_APART) || first >= size || size > CODE_APART_MAX)
		return 1;
	__builtin_memset(w->bytes, 0, CODE_APART_MAX);
	if (w->pc - address < first)
		return read_user(w->bytes, first & (CODE_APART_MAX - 1), address) != 0;
	return read_user(&w->bytes[first & (CODE_APART_MAX - 1)],
			 (size - first) & (CODE_APART_MAX - 1), address + first) != 0;
}

/*
 * Reads instructions around a pc into w->bytes. They decide where a frame lies: where they cannot be
 * read, no guess may take their place.
 */
static __always_inline int read_code(struct walk *w, __u32 size, __u64 address)
{
	if (!read_user(w->bytes, size, address) || !read_code_apart(w, size, address))
		return 0;
	fail_unread(w, JEBPF_UNREAD_FILE, address);
	return JEBPF_END_READ_FAULT;
}

/* The value at an address, or a return from the calling function with the reason. */
#define WORD_BY(read, w, address)                                                                  \
	({                                                                                         \
		if (read(w, address))                                                              \
			return MARK(w, JEBPF_END_READ_FAULT);                                      \
		(w)->value;                                                                        \
	})
#define WORD(w, address) WORD_BY(read_word, w, address)
#define CALLED_WORD(w, address) WORD_BY(called_word, w, address)

/*
 * Moves to the caller. The stack pointer must grow, or the walk would never end. Only an exact
 * frame may end where it began, or one word below: a method handle adapter has dropped an argument.
 */
static __always_inline int to_caller(struct walk *w, __u64 pc, __u64 sp, __u64 fp)
{
	if (sp <= w->sp && !(w->exact && sp + 8 >= w->sp))
		return MARK(w, JEBPF_END_NO_PROGRESS);
	w->pc = pc;
	w->sp = sp;
	w->fp = fp;
	w->exact = 0;
	return 0;
}

#endif
