package io.jebpf.bpf;

import static io.jebpf.bpf.Downcall.call;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The dynamic linker, used directly and not through {@code SymbolLookup.libraryLookup}: that one
 * does not say why a library was refused, and it binds lazily, so that a function missing in an old
 * C library would end the process at its first call. With RTLD_NOW it is an error here.
 */
@SuppressWarnings("restricted")
final class Libdl {
  private static final long RTLD_NOW = 2; // and RTLD_LOCAL, which is 0
  private static final long MFD_CLOEXEC = 1;
  private static final long ERROR_BYTES_MAX = 4096;

  private static final MemorySegment DLOPEN = Downcall.libc("dlopen");
  private static final MemorySegment DLSYM = Downcall.libc("dlsym");
  private static final MemorySegment DLERROR = Downcall.libc("dlerror");
  private static final MemorySegment DLCLOSE = Downcall.libc("dlclose");
  private static final MemorySegment MEMFD_CREATE = Downcall.libc("memfd_create");
  private static final MemorySegment CLOSE = Downcall.libc("close");

  private Libdl() {}

  /**
   * Handle of the library, or 0: then {@link #error} says why (same thread, no call in between).
   */
  static long open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return call(DLOPEN, arena.allocateFrom(path).address(), RTLD_NOW);
    }
  }

  /** Address of a function, or 0. */
  static long find(long library, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return call(DLSYM, library, arena.allocateFrom(name).address());
    }
  }

  static String error() {
    long text = call(DLERROR);
    return text == 0
        ? "no reason given"
        : MemorySegment.ofAddress(text).reinterpret(ERROR_BYTES_MAX).getString(0);
  }

  static void close(long library) {
    call(DLCLOSE, library);
  }

  /** An anonymous file in memory: its fd, or -1. */
  static int memoryFile(String name) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) call(MEMFD_CREATE, arena.allocateFrom(name).address(), MFD_CLOEXEC);
    }
  }

  /** glibc's malloc_trim; false when the C library is another one. */
  static boolean trimHeap() {
    Optional<MemorySegment> trim = Downcall.libcOptional("malloc_trim");
    trim.ifPresent(function -> call(function, 0));
    return trim.isPresent();
  }

  static void closeFile(int fd) {
    call(CLOSE, fd);
  }
}
