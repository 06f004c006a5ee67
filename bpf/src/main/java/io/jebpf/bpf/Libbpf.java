package io.jebpf.bpf;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
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
  private static final long TEST_RUN_OPTS_BYTES =
      80; // struct bpf_test_run_opts, bpf.h of libbpf 1.1
  private static final long TEST_RUN_RETVAL = 56;
  private static final long OPEN_OPTS_BYTES = 16; // struct bpf_object_open_opts up to object_name
  private static final long CREATE_OPTS_BYTES =
      48; // struct bpf_map_create_opts, bpf.h of libbpf 1.1
  private static final long CREATE_OPTS_FLAGS = 28;

  private static final MethodHandle SET_PRINT = bind("libbpf_set_print", 1);
  private static final MethodHandle KEEP_MEMLOCK =
      Downcall.bind(NativeRuntime.helperSymbol("jebpf_keep_memlock"), 1);
  private static final MethodHandle OBJECT_OPEN =
      Downcall.bindWithErrno(NativeRuntime.libbpfSymbol("bpf_object__open_mem"), 3);
  private static final MethodHandle OBJECT_LOAD = bind("bpf_object__load", 1);
  private static final MethodHandle OBJECT_CLOSE = bind("bpf_object__close", 1);
  private static final MethodHandle OBJECT_BTF = bind("bpf_object__btf", 1);
  private static final MethodHandle BTF_RAW = bind("btf__raw_data", 2);
  private static final MethodHandle FIND_MAP = bind("bpf_object__find_map_by_name", 2);
  private static final MethodHandle FIND_PROGRAM = bind("bpf_object__find_program_by_name", 2);
  private static final MethodHandle MAP_FD = bind("bpf_map__fd", 1);
  private static final MethodHandle MAP_ENTRIES = bind("bpf_map__max_entries", 1);
  private static final MethodHandle MAP_SET_ENTRIES = bind("bpf_map__set_max_entries", 2);
  private static final MethodHandle MAP_INITIAL = bind("bpf_map__initial_value", 2);
  private static final MethodHandle PROGRAM_FD = bind("bpf_program__fd", 1);
  private static final MethodHandle SET_AUTOLOAD = bind("bpf_program__set_autoload", 2);
  private static final MethodHandle RAW_TRACEPOINT = bind("bpf_raw_tracepoint_open", 2);
  private static final MethodHandle MAP_CREATE = bind("bpf_map_create", 6);
  private static final MethodHandle MAP_UPDATE = bind("bpf_map_update_elem", 4);
  private static final MethodHandle MAP_DELETE = bind("bpf_map_delete_elem", 2);
  private static final MethodHandle MAP_LOOKUP = bind("bpf_map_lookup_elem", 3);
  private static final MethodHandle TEST_RUN = bind("bpf_prog_test_run_opts", 2);
  private static final MethodHandle POSSIBLE_CPUS = bind("libbpf_num_possible_cpus", 0);
  private static final MethodHandle PROBE_PROGRAM = bind("libbpf_probe_bpf_prog_type", 2);
  private static final MethodHandle PROBE_HELPER = bind("libbpf_probe_bpf_helper", 3);
  private static final MethodHandle LOG_TAKE =
      Downcall.bind(NativeRuntime.helperSymbol("jebpf_log_take"), 2);

  private static MethodHandle bind(String name, int arguments) {
    return Downcall.bind(NativeRuntime.libbpfSymbol(name), arguments);
  }

  /** Sets up the library for the life of the process. */
  static Libbpf initialise() {
    try {
      long ignoredOld = (long) SET_PRINT.invokeExact(NativeRuntime.helperSymbol("jebpf_print"));
      // Fails only if the limit could be raised and not lowered again, which Linux does not do.
      long ignored = (long) KEEP_MEMLOCK.invokeExact(NativeRuntime.libbpfSymbol("bpf_map_create"));
      return new Libbpf();
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
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
      MemorySegment errno = arena.allocate(Downcall.ERRNO_BYTES, 8);
      long object =
          (long)
              OBJECT_OPEN.invokeExact(errno, bytes.address(), (long) elf.length, options.address());
      if (object != 0) {
        return object;
      }
      int error = errno.get(JAVA_INT, 0);
      return error > 0 ? -error : -Errno.EIO;
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int objectLoad(long object) {
    try {
      return (int) (long) OBJECT_LOAD.invokeExact(object);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public void objectClose(long object) {
    try {
      long ignored = (long) OBJECT_CLOSE.invokeExact(object);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public byte[] objectBtf(long object) {
    try (Arena arena = Arena.ofConfined()) {
      long btf = (long) OBJECT_BTF.invokeExact(object);
      MemorySegment size = arena.allocate(JAVA_INT);
      long data = btf == 0 ? 0 : (long) BTF_RAW.invokeExact(btf, size.address());
      if (data == 0) {
        return new byte[0];
      }
      return MemorySegment.ofAddress(data)
          .reinterpret(Integer.toUnsignedLong(size.get(JAVA_INT, 0)))
          .toArray(JAVA_BYTE);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public long findMap(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      long map = (long) FIND_MAP.invokeExact(object, arena.allocateFrom(name).address());
      return map == 0 ? -Errno.ENOENT : map;
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapFd(long map) {
    try {
      return (int) (long) MAP_FD.invokeExact(map);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapEntries(long map) {
    try {
      return (int) (long) MAP_ENTRIES.invokeExact(map);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapSetEntries(long map, int entries) {
    try {
      return (int) (long) MAP_SET_ENTRIES.invokeExact(map, (long) entries);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public ByteBuffer mapInitialValue(long map) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(JAVA_LONG);
      long data = (long) MAP_INITIAL.invokeExact(map, size.address());
      long bytes = data == 0 ? 0 : size.get(JAVA_LONG, 0);
      return MemorySegment.ofAddress(data)
          .reinterpret(bytes)
          .asByteBuffer()
          .order(ByteOrder.nativeOrder());
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public long findProgram(long object, String name) {
    try (Arena arena = Arena.ofConfined()) {
      long program = (long) FIND_PROGRAM.invokeExact(object, arena.allocateFrom(name).address());
      return program == 0 ? -Errno.ENOENT : program;
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int programFd(long program) {
    try {
      return (int) (long) PROGRAM_FD.invokeExact(program);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int setAutoload(long program, boolean load) {
    try {
      return (int) (long) SET_AUTOLOAD.invokeExact(program, load ? 1L : 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int attachTracepoint(int programFd) {
    try {
      return (int) (long) RAW_TRACEPOINT.invokeExact(0L, (long) programFd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapCreate(
      int type, String name, int keyBytes, int valueBytes, int entries, int flags) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(CREATE_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, CREATE_OPTS_BYTES);
      options.set(JAVA_INT, CREATE_OPTS_FLAGS, flags);
      return (int)
          (long)
              MAP_CREATE.invokeExact(
                  (long) type,
                  arena.allocateFrom(name).address(),
                  (long) keyBytes,
                  (long) valueBytes,
                  (long) entries,
                  options.address());
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapUpdate(int fd, int key, int value) {
    try (Arena arena = Arena.ofConfined()) {
      long k = arena.allocateFrom(JAVA_INT, key).address();
      long v = arena.allocateFrom(JAVA_INT, value).address();
      return (int) (long) MAP_UPDATE.invokeExact((long) fd, k, v, 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int queuePush(int fd, int value) {
    try (Arena arena = Arena.ofConfined()) {
      long v = arena.allocateFrom(JAVA_INT, value).address();
      return (int) (long) MAP_UPDATE.invokeExact((long) fd, 0L, v, 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapDelete(int fd, int key) {
    try (Arena arena = Arena.ofConfined()) {
      return (int)
          (long) MAP_DELETE.invokeExact((long) fd, arena.allocateFrom(JAVA_INT, key).address());
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int mapLookup(int fd, int key, byte[] value) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(value.length, 8);
      long k = arena.allocateFrom(JAVA_INT, key).address();
      int result = (int) (long) MAP_LOOKUP.invokeExact((long) fd, k, out.address());
      MemorySegment.copy(out, JAVA_BYTE, 0, value, 0, value.length);
      return result;
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int testRun(int programFd) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment options = arena.allocate(TEST_RUN_OPTS_BYTES, 8);
      options.set(JAVA_LONG, 0, TEST_RUN_OPTS_BYTES);
      int result = (int) (long) TEST_RUN.invokeExact((long) programFd, options.address());
      return result < 0 ? result : options.get(JAVA_INT, TEST_RUN_RETVAL);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int possibleCpus() {
    try {
      return (int) (long) POSSIBLE_CPUS.invokeExact();
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int probeProgram(int type) {
    try {
      return (int) (long) PROBE_PROGRAM.invokeExact((long) type, 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int probeHelper(int programType, int helper) {
    try {
      return (int) (long) PROBE_HELPER.invokeExact((long) programType, (long) helper, 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public String takeLog() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(LOG_BYTES);
      long length = (long) LOG_TAKE.invokeExact(text.address(), (long) LOG_BYTES);
      byte[] bytes = text.asSlice(0, Math.max(0, length)).toArray(JAVA_BYTE);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }
}
