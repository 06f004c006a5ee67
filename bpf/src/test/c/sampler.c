/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a walk costs in the kernel: samples a running JVM from outside, by one kernel object or by
 * several in turn, and prints how its walks ended and how long they took.
 *
 *   sampler IMAGE PID HZ SECONDS ROUNDS OBJECT...
 *         ROUNDS times SECONDS with each object; figures are over all rounds of an object.
 *
 * Needs root. The JVM's mappings are those of the image: take a new one when it has loaded more.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* the shim has a function of this name too */
#define bpf_map_lookup_elem shim_lookup
#include "image.h"
#undef bpf_map_lookup_elem

#define CPUS_MAX 256
#define OBJECTS_MAX 8
#define SAMPLES_MAX (1 << 20)
#define END_KINDS 64
#define POLL_MILLIS 20

struct figures {
	__u32 *walk_ns;
	__u32 *frames;
	__u32 count;
	__u64 ends[END_KINDS];
	__u64 gaps[END_KINDS];
	__u64 stats[JEBPF_STAT_COUNT];
};

static struct figures figures[OBJECTS_MAX];
static struct figures *current;
static int cpus;

/* The shim's walks are not used here. */
long shim_read(void *to, __u32 size, __u64 address)
{
	return -EFAULT;
}

static int on_record(void *context, void *data, size_t size)
{
	const struct jebpf_sample *sample = data;
	const struct jebpf_frame *frames;

	if (sample->type != JEBPF_RECORD_SAMPLE || current->count == SAMPLES_MAX)
		return 0;
	current->walk_ns[current->count] = sample->walk_ns;
	current->frames[current->count++] = sample->user_frames;
	current->ends[sample->end % END_KINDS]++;
	frames = (const void *)((const char *)(sample + 1) + sample->kernel_frames * sizeof(__u64));
	for (int i = 0; i < sample->user_frames; i++)
		if (frames[i].head >> 56 == JEBPF_FRAME_MARKER)
			current->gaps[(frames[i].head & 0xffffffffffffULL) % (2 * END_KINDS) % END_KINDS]++;
	return 0;
}

static struct bpf_map *map_of(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	if (!map)
		die(name);
	return map;
}

static void *shared(int fd, size_t bytes)
{
	void *at = mmap(NULL, (bytes + 4095) & ~4095UL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		die("mmap of a map");
	return at;
}

static void publish_table(int outer, __u32 number)
{
	struct shim_map *table = (struct shim_map *)unwind_tables.data + number;
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP | BPF_F_MMAPABLE);
	int fd;

	if (!table->count)
		return;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "unwind_table", 4, sizeof(struct jebpf_row), table->count,
			    &options);
	if (fd < 0)
		die("creating an unwind table");
	memcpy(shared(fd, (size_t)table->count * sizeof(struct jebpf_row)), table->data,
	       (size_t)table->count * sizeof(struct jebpf_row));
	if (bpf_map_update_elem(outer, &number, &fd, 0))
		die("adding an unwind table");
	close(fd);
}

static struct bpf_object *load(const char *path, struct jebpf_target **target_out)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct jebpf_target *shared_target;
	size_t bytes;
	const void *knobs;

	if (!object)
		die(path);
	/* knobs have moved between versions: set by name in the object's own BTF */
	setenv("JEBPF_OBJECT", path, 1);
	skip_unknown = 1;
	memset(&config, 0, sizeof(config));
	load_knobs(knob_text);
	knobs = bpf_map__initial_value(map_of(object, ".rodata.config"), &bytes);
	memcpy((void *)knobs, &config, bytes < sizeof(config) ? bytes : sizeof(config));
	bpf_map__set_max_entries(map_of(object, "walks"), cpus);
	bpf_map__set_max_entries(map_of(object, "samples"), 1 << 24);
	if (bpf_object__load(object))
		die("loading");
	memcpy(shared(bpf_map__fd(map_of(object, "mappings")),
		      2 * JEBPF_MAPPINGS_MAX * sizeof(struct jebpf_mapping)),
	       mappings.data, JEBPF_MAPPINGS_MAX * sizeof(struct jebpf_mapping));
	memcpy(shared(bpf_map__fd(map_of(object, "unwind_rules")),
		      JEBPF_RULES_MAX * sizeof(struct jebpf_rule)),
	       unwind_rules.data, JEBPF_RULES_MAX * sizeof(struct jebpf_rule));
	for (__u32 i = 1; i < unwind_tables.count; i++)
		publish_table(bpf_map__fd(map_of(object, "unwind_tables")), i);
	shared_target = shared(bpf_map__fd(map_of(object, ".data.target")), sizeof(*shared_target));
	shared_target->mappings_count[0] = target.mappings_count[0];
	shared_target->generation = 1;
	*target_out = shared_target;
	return object;
}

static int open_event(int program, int cpu, int hz)
{
	struct perf_event_attr attr = {.size = sizeof(attr),
				       .type = PERF_TYPE_SOFTWARE,
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .sample_period = 1000000000 / hz,
				       .disabled = 1};
	int fd = syscall(__NR_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, program))
		die("perf_event_open");
	return fd;
}

static int by_value(const void *a, const void *b)
{
	__u32 x = *(const __u32 *)a, y = *(const __u32 *)b;

	return x < y ? -1 : x > y;
}

/* Least squares: nanoseconds of a walk = base + slope * frames, over walks up to the 95th percentile. */
static void fit(const struct figures *f, __u32 most, double *base, double *slope)
{
	double n = 0, x = 0, y = 0, xx = 0, xy = 0;

	for (__u32 i = 0; i < f->count; i++) {
		if (f->walk_ns[i] > most)
			continue;
		n++;
		x += f->frames[i];
		y += f->walk_ns[i];
		xx += (double)f->frames[i] * f->frames[i];
		xy += (double)f->frames[i] * f->walk_ns[i];
	}
	*slope = n * xx - x * x ? (n * xy - x * y) / (n * xx - x * x) : 0;
	*base = n ? (y - *slope * x) / n : 0;
}

static void print(const char *path, struct figures *f)
{
	__u32 *sorted = malloc((f->count + 1) * sizeof(__u32));
	double base, slope, sum = 0, frames = 0;

	memcpy(sorted, f->walk_ns, f->count * sizeof(__u32));
	qsort(sorted, f->count, sizeof(__u32), by_value);
	for (__u32 i = 0; i < f->count; i++) {
		sum += sorted[i];
		frames += f->frames[i];
	}
	if (!f->count) {
		printf("%s: no samples\n", path);
		return;
	}
	fit(f, sorted[f->count * 95ULL / 100], &base, &slope);
	printf("%s: %u samples, frames %.1f, walk ns mean %.0f p10 %u median %u p90 %u p99 %u; fit %.0f + %.1f a frame; "
	       "misses %.2f a sample\n",
	       path, f->count, frames / f->count, sum / f->count, sorted[f->count / 10], sorted[f->count / 2],
	       sorted[f->count * 9ULL / 10], sorted[f->count * 99ULL / 100], base, slope,
	       (double)f->stats[JEBPF_STAT_CACHE_MISS] / f->count);
	for (int i = 0; i < END_KINDS; i++)
		if (f->ends[i])
			printf("  end %d: %llu", i, (unsigned long long)f->ends[i]);
	printf("\n ");
	for (int i = 0; i < END_KINDS; i++)
		if (f->gaps[i])
			printf(" marker %d (mod 64): %llu", i, (unsigned long long)f->gaps[i]);
	printf("\n");
	free(sorted);
}

static void read_stats(struct bpf_object *object, struct figures *f)
{
	int fd = bpf_map__fd(map_of(object, "stats"));
	__u32 value_bytes = bpf_map__value_size(map_of(object, "stats"));
	int possible = libbpf_num_possible_cpus();
	char *values = calloc(possible, value_bytes + 8);

	if (value_bytes == sizeof(__u64)) { /* one counter an element */
		for (__u32 i = 0; i < JEBPF_STAT_COUNT; i++)
			if (!bpf_map_lookup_elem(fd, &i, values))
				for (int cpu = 0; cpu < possible; cpu++)
					f->stats[i] += ((__u64 *)values)[cpu];
	} else {
		__u32 zero = 0;

		if (!bpf_map_lookup_elem(fd, &zero, values))
			for (int cpu = 0; cpu < possible; cpu++)
				for (__u32 i = 0; i < JEBPF_STAT_COUNT && i < value_bytes / 8; i++)
					f->stats[i] += ((__u64 *)(values + (size_t)cpu * value_bytes))[i];
	}
	free(values);
}

int main(int argc, char **argv)
{
	struct bpf_object *objects[OBJECTS_MAX];
	struct jebpf_target *targets[OBJECTS_MAX];
	struct ring_buffer *rings[OBJECTS_MAX];
	int events[OBJECTS_MAX][CPUS_MAX];
	int hz, seconds, rounds, count = argc - 6;
	FILE *image;

	if (argc < 7 || count > OBJECTS_MAX)
		die("usage: sampler IMAGE PID HZ SECONDS ROUNDS OBJECT...");
	cpus = libbpf_num_possible_cpus();
	hz = atoi(argv[3]);
	seconds = atoi(argv[4]);
	rounds = atoi(argv[5]);
	image = fopen(argv[1], "r");
	if (!image || cpus > CPUS_MAX)
		die(argv[1]);
	setenv("JEBPF_OBJECT", argv[6], 1);
	skip_unknown = 1;
	load_image(image);
	fclose(image);
	for (int i = 0; i < count; i++) {
		int program;

		objects[i] = load(argv[6 + i], &targets[i]);
		program = bpf_program__fd(bpf_object__find_program_by_name(objects[i], "on_cpu"));
		for (int cpu = 0; cpu < cpus; cpu++)
			events[i][cpu] = open_event(program, cpu, hz);
		targets[i]->period_ns = 1000000000 / hz;
		figures[i].walk_ns = calloc(SAMPLES_MAX, sizeof(__u32));
		figures[i].frames = calloc(SAMPLES_MAX, sizeof(__u32));
		rings[i] = ring_buffer__new(bpf_map__fd(map_of(objects[i], "samples")), on_record, NULL, NULL);
		if (!rings[i])
			die("ring");
	}
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < count; i++) {
			current = &figures[i];
			targets[i]->tgid = atoi(argv[2]);
			for (int cpu = 0; cpu < cpus; cpu++)
				ioctl(events[i][cpu], PERF_EVENT_IOC_ENABLE, 0);
			for (int waited = 0; waited < seconds * 1000; waited += POLL_MILLIS) {
				usleep(POLL_MILLIS * 1000);
				ring_buffer__consume(rings[i]);
			}
			for (int cpu = 0; cpu < cpus; cpu++)
				ioctl(events[i][cpu], PERF_EVENT_IOC_DISABLE, 0);
			ring_buffer__consume(rings[i]);
		}
	}
	for (int i = 0; i < count; i++) {
		read_stats(objects[i], &figures[i]);
		print(argv[6 + i], &figures[i]);
	}
	free_image();
	return 0;
}
