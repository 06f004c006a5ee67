package io.jebpf.bpf;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * The dynamic linker, used directly and not through {@code SymbolLookup.libraryLookup}: that one
 * does not say why a library was refused, and it binds lazily, so that a function missing in an old
 * C library would end the process at its first call. With RTLD_NOW it is an error here.
 */
@SuppressWarnings("restricted")
final class Libdl {
  private static final long RTLD_NOW = 2; // and RTLD_LOCAL, which is 0
  private static final long MFD_CLOEXEC = 1;

  private static final MethodHandle DLOPEN = Downcall.bind(symbol("dlopen"), 2);
  private static final MethodHandle DLSYM = Downcall.bind(symbol("dlsym"), 2);
  private static final MethodHandle DLERROR = Downcall.bind(symbol("dlerror"), 0);
  private static final MethodHandle DLCLOSE = Downcall.bind(symbol("dlclose"), 1);
  private static final MethodHandle MEMFD_CREATE = Downcall.bind(symbol("memfd_create"), 2);
  private static final MethodHandle CLOSE = Downcall.bind(symbol("close"), 1);

  private Libdl() {}

  private static long symbol(String name) {
    long address = Downcall.libcSymbol(name);
    if (address == 0) {
      throw new UnsatisfiedLinkError("the C library has no function " + name);
    }
    return address;
  }

  /**
   * Handle of the library, or 0: then {@link #error} says why (same thread, no call in between).
   */
  static long open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      return (long) DLOPEN.invokeExact(arena.allocateFrom(path).address(), RTLD_NOW);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  /** Address of a function, or 0. */
  static long find(long library, String name) {
    try (Arena arena = Arena.ofConfined()) {
      return (long) DLSYM.invokeExact(library, arena.allocateFrom(name).address());
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  static String error() {
    try {
      long text = (long) DLERROR.invokeExact();
      return text == 0
          ? "no reason given"
          : MemorySegment.ofAddress(text).reinterpret(4096).getString(0);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  static void close(long library) {
    try {
      long ignored = (long) DLCLOSE.invokeExact(library);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  /** An anonymous file in memory: its fd, or -1. */
  static int memoryFile(String name) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) (long) MEMFD_CREATE.invokeExact(arena.allocateFrom(name).address(), MFD_CLOEXEC);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  static void closeFile(int fd) {
    try {
      long ignored = (long) CLOSE.invokeExact((long) fd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }
}
