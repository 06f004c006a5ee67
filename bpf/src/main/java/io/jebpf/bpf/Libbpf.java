package io.jebpf.bpf;

import static io.jebpf.bpf.Downcall.call;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * libbpf 1.x, from our own copy. Initialised by {@link NativeRuntime} only, after loading.
 * Functions of libbpf that return an {@code int} give {@code -errno} themselves (libbpf 1.0 and
 * later).
 */
@SuppressWarnings("restricted")
final class Libbpf implements BpfCalls {
  private static final int LOG_BYTES = 64 * 1024; // jebpf_native.c keeps no more

  // bpf.h and libbpf.h of libbpf 1.1; each struct begins with its own size, so a part may be given
  private static final long OPEN_OPTS_BYTES = 16; // bpf_object_open_opts up to object_name
  private static final long CREATE_OPTS_BYTES = 48; // bpf_map_create_opts
  private static final long CREATE_OPTS_FLAGS = 28;
  private static final long TEST_RUN_OPTS_BYTES = 80; // bpf_test_run_opts
  private static final long TEST_RUN_RETVAL = 56;

  private static final long LINK_OPTS_BYTES = 32; // bpf_link_create_opts up to iter_info_len
  private static final long LINK_OPTS_INFO = 16;
  private static final long LINK_OPTS_INFO_LENGTH = 24;
  private static final int ITERATOR_INFO_BYTES = 16; // union bpf_iter_link_info: {tid, pid, pid_fd}
  private static final int TRACE_ITERATOR = 28; // enum bpf_attach_type

  private static final MemorySegment SET_PRINT = find("libbpf_set_print");
  private static final MemorySegment OBJECT_OPEN = find("bpf_object__open_mem");
  private static final MemorySegment OBJECT_LOAD = find("bpf_object__load");
  private static final MemorySegment OBJECT_CLOSE = find("bpf_object__close");
  private static final MemorySegment OBJECT_BTF = find("bpf_object__btf");
  private static final MemorySegment BTF_RAW = find("btf__raw_data");
  private static final MemorySegment FIND_MAP = find("bpf_object__find_map_by_name");
  private static final MemorySegment FIND_PROGRAM = find("bpf_object__find_program_by_name");
  private static final MemorySegment MAP_FD = find("bpf_map__fd");
  private static final MemorySegment MAP_ENTRIES = find("bpf_map__max_entries");
  private static final MemorySegment MAP_SET_ENTRIES = find("bpf_map__set_max_entries");
  private static final MemorySegment MAP_INITIAL = find("bpf_map__initial_value");
  private static final MemorySegment PROGRAM_FD = find("bpf_program__fd");
  private static final MemorySegment SET_AUTOLOAD = find("bpf_program__set_autoload");
  private static final MemorySegment RAW_TRACEPOINT = find("bpf_raw_tracepoint_open");
  private static final MemorySegment LINK_CREATE = find("bpf_link_create");
  private static final MemorySegment ITERATOR_CREATE = find("bpf_iter_create");
  private static final MemorySegment MAP_CREATE = find("bpf_map_create");
  private static final MemorySegment MAP_UPDATE = find("bpf_map_update_elem");
  private static final MemorySegment MAP_UPDATE_BATCH = find("bpf_map_update_batch");
  private static final MemorySegment MAP_DELETE = find("bpf_map_delete_elem");
  private static final MemorySegment MAP_LOOKUP = find("bpf_map_lookup_elem");
  private static final MemorySegment TEST_RUN = find("bpf_prog_test_run_opts");
  private static final MemorySegment POSSIBLE_CPUS = find("libbpf_num_possible_cpus");
  private static final MemorySegment PROBE_PROGRAM = find("libbpf_probe_bpf_prog_type");
  private static final MemorySegment PROBE_HELPER = find("libbpf_probe_bpf_helper");

  private static final MemorySegment PRINT = helper("jebpf_print");
  private static final MemorySegment LOG_TAKE = helper("jebpf_log_take");
  private static final MemorySegment KEEP_MEMLOCK = helper("jebpf_keep_memlock");
  private static final MemorySegment OPEN = helper("jebpf_object_open");
  private static final MemorySegment LOAD = helper("jebpf_object_load");

  private static MemorySegment find(String name) {
    return Downcall.function(NativeRuntime.libbpfSymbol(name));
  }

  private static MemorySegment helper(String name) {
    return Downcall.function(NativeRuntime.helperSymbol(name));
  }

  /** Sets up the library for the life of the process. */
  static Libbpf initialise() {
    call(SET_PRINT, PRINT.address());
    // Fails only if the limit could be raised and not lowered again, which Linux does not do.
    call(KEEP_MEMLOCK, MAP_CREATE.address());
    return new Libbpf();
  }

  private Libbpf() {}

  @Override
  public long objectOpen(byte[] elf, String name) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(elf.length, 16);
      MemorySegment.copy(elf, 0, bytes, JAVA_BYTE, 0, elf.length);
      MemorySegment options = arena.allocate(OPEN_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, OPEN_OPTS_BYTES);
      options.set(JAVA_LONG, 8, arena.allocateFrom(name).address());
      return call(OPEN, OBJECT_OPEN.address(), bytes.address(), elf.length, options.address());
    }
  }

  @Override
  public int objectLoad(long object) {
    return (int) call(LOAD, OBJECT_LOAD.address(), object);
  }

  @Override
  public void objectClose(long object) {
    call(OBJECT_CLOSE, object);
  }

  @Override
  public byte[] objectBtf(long object) {
    try (Arena arena = Arena.ofConfined()) {
      long btf = call(OBJECT_BTF, object);
      MemorySegment size = arena.allocate(JAVA_INT);
      long data = btf == 0 ? 0 : call(BTF_RAW, btf, size.address());
      if (data == 0) {
        return new byte[0];
      }
      return MemorySegment.ofAddress(data)
          .reinterpret(Integer.toUnsignedLong(size.get(JAVA_INT, 0)))
          .toArray(JAVA_BYTE);
    }
  }

  @Override
  public long findMap(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      long map = call(FIND_MAP, object, arena.allocateFrom(name).address());
      return map == 0 ? -Errno.ENOENT : map;
    }
  }

  @Override
  public int mapFd(long map) {
    return (int) call(MAP_FD, map);
  }

  @Override
  public int mapEntries(long map) {
    return (int) call(MAP_ENTRIES, map);
  }

  @Override
  public int mapSetEntries(long map, int entries) {
    return (int) call(MAP_SET_ENTRIES, map, entries);
  }

  @Override
  public ByteBuffer mapInitialValue(long map) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      long data = call(MAP_INITIAL, map, size.address());
      long bytes = data == 0 ? 0 : size.get(JAVA_LONG, 0);
      return MemorySegment.ofAddress(data)
          .reinterpret(bytes)
          .asByteBuffer()
          .order(ByteOrder.nativeOrder());
    }
  }

  @Override
  public long findProgram(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      long program = call(FIND_PROGRAM, object, arena.allocateFrom(name).address());
      return program == 0 ? -Errno.ENOENT : program;
    }
  }

  @Override
  public int programFd(long program) {
    return (int) call(PROGRAM_FD, program);
  }

  @Override
  public int setAutoload(long program, boolean load) {
    return (int) call(SET_AUTOLOAD, program, load ? 1 : 0);
  }

  @Override
  public int attachTracepoint(int programFd) {
    return (int) call(RAW_TRACEPOINT, 0, programFd);
  }

  @Override
  public int linkTaskIterator(int programFd, int pid) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = arena.allocate(ITERATOR_INFO_BYTES, 8);
      info.set(JAVA_INT, 4, pid);
      MemorySegment options = arena.allocate(LINK_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, LINK_OPTS_BYTES);
      options.set(JAVA_LONG, LINK_OPTS_INFO, info.address());
      options.set(JAVA_INT, LINK_OPTS_INFO_LENGTH, ITERATOR_INFO_BYTES);
      return (int) call(LINK_CREATE, programFd, 0, TRACE_ITERATOR, options.address());
    }
  }

  @Override
  public int linkIterator(int programFd) {
    return (int) call(LINK_CREATE, programFd, 0, TRACE_ITERATOR, 0);
  }

  @Override
  public int createIterator(int linkFd) {
    return (int) call(ITERATOR_CREATE, linkFd);
  }

  @Override
  public int mapCreate(
      int type, String name, int keyBytes, int valueBytes, int entries, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(CREATE_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, CREATE_OPTS_BYTES);
      options.set(JAVA_INT, CREATE_OPTS_FLAGS, flags);
      return (int)
          call(
              MAP_CREATE,
              type,
              arena.allocateFrom(name).address(),
              keyBytes,
              valueBytes,
              entries,
              options.address());
    }
  }

  @Override
  public int mapUpdate(int fd, int key, int value) {
    try (Arena arena = Arena.ofConfined()) {
      long k = arena.allocateFrom(JAVA_INT, key).address();
      long v = arena.allocateFrom(JAVA_INT, value).address();
      return (int) call(MAP_UPDATE, fd, k, v, 0);
    }
  }

  @Override
  public int queuePush(int fd, int value) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) call(MAP_UPDATE, fd, 0, arena.allocateFrom(JAVA_INT, value).address(), 0);
    }
  }

  @Override
  public int mapUpdateBatch(int fd, int[] keys, int[] values) {
    try (Arena arena = Arena.ofConfined()) {
      long k = arena.allocateFrom(JAVA_INT, keys).address();
      long v = arena.allocateFrom(JAVA_INT, values).address();
      long count = arena.allocateFrom(JAVA_INT, keys.length).address();
      return (int) call(MAP_UPDATE_BATCH, fd, k, v, count, 0, 0);
    }
  }

  @Override
  public int mapDelete(int fd, int key) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) call(MAP_DELETE, fd, arena.allocateFrom(JAVA_INT, key).address());
    }
  }

  @Override
  public int mapLookup(int fd, int key, byte[] value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(value.length, 8);
      long k = arena.allocateFrom(JAVA_INT, key).address();
      int result = (int) call(MAP_LOOKUP, fd, k, out.address());
      MemorySegment.copy(out, JAVA_BYTE, 0, value, 0, value.length);
      return result;
    }
  }

  @Override
  public int testRun(int programFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(TEST_RUN_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, TEST_RUN_OPTS_BYTES);
      int result = (int) call(TEST_RUN, programFd, options.address());
      return result < 0 ? result : options.get(JAVA_INT, TEST_RUN_RETVAL);
    }
  }

  @Override
  public int possibleCpus() {
    return (int) call(POSSIBLE_CPUS);
  }

  @Override
  public int probeProgram(int type) {
    return (int) call(PROBE_PROGRAM, type, 0);
  }

  @Override
  public int probeHelper(int programType, int helper) {
    return (int) call(PROBE_HELPER, programType, helper, 0);
  }

  @Override
  public String takeLog() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LOG_BYTES);
      long length = call(LOG_TAKE, text.address(), LOG_BYTES);
      byte[] bytes = text.asSlice(0, Math.max(0, length)).toArray(JAVA_BYTE);
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }
}
