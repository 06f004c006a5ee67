/* SPDX-License-Identifier: (GPL-2.0-only OR Apache-2.0) */
/*
 * Kernel stacks of threads that wait. To unwind one the kernel looks each frame up in tables of some
 * megabytes, which a tick finds in no cache: 2 to 3 us a frame, where it takes 0.4 when they are
 * at hand. But threads wait in few places. So paths are kept: which word of the stack each return
 * address was. Where a stack has the same addresses in the same words, each of its frames begins and ends
 * where it did then, and the kernel's own walk would be the same. Only the frame of the system call varies
 * in size, by the kernel's will; its return address is the word below the user's registers.
 */
#ifndef JEBPF_KERNEL_STACK_BPF_H
#define JEBPF_KERNEL_STACK_BPF_H

#define PATH_FRAMES_MAX 20
#define PATH_GROUPS 16 /* by system call; a power of two */
#define PATH_WAYS 4    /* a power of two */
#define KERNEL_STACK_WORDS 256 /* in which a path's addresses lie; a power of two */
#define CHECK_EVERY 64 /* uses of kept paths: then the kernel's own walk is asked, too */

struct kernel_path {
	__u64 address[PATH_FRAMES_MAX];
	__u16 word[PATH_FRAMES_MAX]; /* of the stack, from its pointer upwards; but for the last frame */
	__u32 frames;		     /* 0: no path */
	__u32 pad;
};

struct kernel_paths {
	__u64 stack[KERNEL_STACK_WORDS]; /* being looked at, from its pointer on */
	struct {
		__u64 entry; /* return address of the system call's frame */
		struct pt_regs user;
	} end; /* of that stack */
	__u64 end_address; /* through here the verifier forgets that it is a pointer */
	__u32 uses;
	__u32 kept;
	struct kernel_path paths[PATH_GROUPS * PATH_WAYS];
};

/* The ticker's. There is one ticker. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kernel_paths);
} kernel_paths SEC(".maps");

static __always_inline __u64 *kernel_frames(struct walk *w)
{
	return (__u64 *)&w->record[sizeof(struct jebpf_sample)];
}

/* When the wait began whose stack is taken. */
static __always_inline __u64 start_of(struct walk *w)
{
	return ((struct jebpf_sample *)w->record)->wait_start_ns;
}

/* Asks the kernel. Returns how many bytes of frames there are; 0: none could be read. */
static __always_inline __u32 walk_kernel(struct walk *w, struct task_struct *task)
{
	long bytes = bpf_get_task_stack(task, kernel_frames(w),
					JEBPF_KERNEL_FRAMES_MAX * sizeof(__u64), 0);

	return bytes > 0 ? bytes : 0;
}

/* Reads the stack of a thread that has no CPU. Returns its words, of those that are read; 0: it cannot be read. */
static __always_inline __u32 read_stack(struct kernel_paths *paths, struct task_struct *task)
{
	__u64 sp = stack_pointer(task), end, bytes;

	*(volatile __u64 *)&paths->end_address = bpf_task_pt_regs(task);
	end = *(volatile __u64 *)&paths->end_address - sizeof(paths->end.entry);
	bytes = end - sp;
	if (!sp || sp >= end || sp & 7 ||
	    bpf_probe_read_kernel(&paths->end, sizeof(paths->end), (const void *)end))
		return 0;
	if (bytes > sizeof(paths->stack))
		bytes = sizeof(paths->stack);
	if (bpf_probe_read_kernel(paths->stack, bytes, (const void *)sp))
		return 0;
	return bytes / sizeof(__u64);
}

/* @words: of the stack */
static __always_inline bool is_path(const struct kernel_paths *paths, const struct kernel_path *path,
				    __u32 words)
{
	__u32 inner = path->frames - 1;

	if (inner >= PATH_FRAMES_MAX || paths->end.entry != path->address[inner])
		return false;
	for (__u32 i = 0; i < PATH_FRAMES_MAX; i++) {
		__u32 word = path->word[i];

		if (i >= inner)
			break;
		if (word >= words ||
		    paths->stack[word & (KERNEL_STACK_WORDS - 1)] != path->address[i])
			return false;
	}
	return true;
}

/* Where in the stack the frames' addresses are. */
struct search {
	__u32 words;
	__u32 frames; /* but for the last */
	__u32 found;
	__u32 slot; /* of the path that is kept */
	bool twice;
};

static __always_inline struct kernel_path *path_at(struct kernel_paths *paths, __u32 slot)
{
	barrier_var(slot); /* Linux 6.1 does not see its bound otherwise */
	return &paths->paths[slot & (PATH_GROUPS * PATH_WAYS - 1)];
}

/*
 * A word that an older call left may look like the one that is searched. The true one then comes later,
 * behind the place that was taken for it: an address that is there twice is not to be trusted.
 */
static long search_word(__u32 index, void *context)
{
	struct search *search = context;
	__u32 zero = 0, found = search->found;
	struct kernel_paths *paths = bpf_map_lookup_elem(&kernel_paths, &zero);
	struct walk *w = bpf_map_lookup_elem(&tick_walk, &zero);
	struct kernel_path *path;
	__u64 word;

	if (!paths || !w || index >= search->words)
		return 1;
	word = paths->stack[index & (KERNEL_STACK_WORDS - 1)];
	path = path_at(paths, search->slot);
	if (found && found <= PATH_FRAMES_MAX && word == path->address[found - 1]) {
		search->twice = true;
		return 1;
	}
	if (found >= search->frames || found >= PATH_FRAMES_MAX || word != kernel_frames(w)[found])
		return 0;
	path->address[found] = word;
	path->word[found] = index;
	search->found = found + 1;
	return 0;
}

/* Keeps the path of what the kernel has just walked, in place of an older one of its group. */
static __always_inline void keep_path(struct kernel_paths *paths, struct walk *w, __u32 group,
				      __u32 words, __u32 frames)
{
	__u32 last = frames - 1;
	struct search search = {.words = words, .frames = last};
	struct kernel_path *path;

	if (last >= PATH_FRAMES_MAX || kernel_frames(w)[last] != paths->end.entry)
		return;
	search.slot = group * PATH_WAYS + (paths->kept++ & (PATH_WAYS - 1));
	path = path_at(paths, search.slot);
	path->frames = 0;
	LOOP(KERNEL_STACK_WORDS, search_word, &search);
	if (search.twice || search.found != last)
		return;
	path->address[last] = paths->end.entry;
	path->frames = frames;
}

/* Whether the kernel's own walk, which is in the record now, went by this path. */
static __always_inline bool went_by(struct walk *w, const struct kernel_path *path, __u32 bytes)
{
	if (bytes != path->frames * sizeof(__u64))
		return false;
	for (__u32 i = 0; i < PATH_FRAMES_MAX && i < path->frames; i++)
		if (kernel_frames(w)[i] != path->address[i])
			return false;
	return true;
}

/* By a path that is known. Returns the size of the frames in bytes; 0: its own walk found others. */
static __always_inline __u32 follow_path(struct kernel_paths *paths, struct kernel_path *path,
					 struct walk *w, struct task_struct *task,
					 const struct jebpf_clock *clock)
{
	__u32 bytes;

	if (paths->uses++ % CHECK_EVERY == 0 || config.check_paths) {
		bytes = walk_kernel(w, task);
		/* it gets no buffer when it was interrupted in the midst of another one */
		if (bytes && !went_by(w, path, bytes)) {
			/* else it ran meanwhile, and this stack is dropped */
			if (!has_moved(clock, start_of(w)))
				count(JEBPF_STAT_PATH_WRONG, 1);
			path->frames = 0;
			return bytes;
		}
	}
	count(JEBPF_STAT_PATHS, 1);
	__builtin_memcpy(kernel_frames(w), path->address, sizeof(path->address));
	return path->frames * sizeof(__u64);
}

/* The kernel's frames of a thread that waits, into the record. Returns their size in bytes; 0: they could not be read. */
static __noinline __u32 kernel_stack(struct walk *w, struct task_struct *task,
				     const struct jebpf_clock *clock)
{
	__u32 zero = 0, bytes, words, group;
	struct kernel_paths *paths = bpf_map_lookup_elem(&kernel_paths, &zero);

	words = paths ? read_stack(paths, task) : 0;
	if (!paths || !words)
		return walk_kernel(w, task);
	group = system_call(&paths->end.user) & (PATH_GROUPS - 1);
	for (__u32 i = 0; i < PATH_WAYS; i++) {
		struct kernel_path *path = path_at(paths, group * PATH_WAYS + i);

		if (is_path(paths, path, words))
			return follow_path(paths, path, w, task, clock);
	}
	bytes = walk_kernel(w, task);
	if (!has_moved(clock, start_of(w))) /* else what was read and what was walked are two stacks */
		keep_path(paths, w, group, words, bytes / sizeof(__u64));
	return bytes;
}

#endif
