package io.jebpf.bpf;

import java.lang.invoke.MethodHandle;

/**
 * Our native helper, {@code jebpf_native.c}. Initialised by {@link NativeRuntime} only, after
 * loading.
 */
final class Libjebpf implements KernelCalls {
  private static final MethodHandle PAGE_SIZE = bind("jebpf_page_size", 0);
  private static final MethodHandle CLOSE = bind("jebpf_close", 1);
  private static final MethodHandle MAP = bind("jebpf_map", 4);
  private static final MethodHandle UNMAP = bind("jebpf_unmap", 2);
  private static final MethodHandle VM_READ = bind("jebpf_vm_read", 4);
  private static final MethodHandle PERF_OPEN = bind("jebpf_perf_open", 2);
  private static final MethodHandle PERF_ATTACH = bind("jebpf_perf_attach", 2);
  private static final MethodHandle PERF_ENABLE = bind("jebpf_perf_enable", 2);
  private static final MethodHandle PERF_PERIOD = bind("jebpf_perf_period", 2);
  private static final MethodHandle PERF_COUNT = bind("jebpf_perf_count", 1);
  private static final MethodHandle TICK = bind("jebpf_tick", 2);

  private static MethodHandle bind(String name, int arguments) {
    return Downcall.bind(NativeRuntime.helperSymbol(name), arguments);
  }

  @Override
  public int pageSize() {
    try {
      return (int) (long) PAGE_SIZE.invokeExact();
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int close(int fd) {
    try {
      return (int) (long) CLOSE.invokeExact((long) fd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public long map(int fd, long offset, long length, boolean writable) {
    try {
      return (long) MAP.invokeExact((long) fd, offset, length, writable ? 1L : 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int unmap(long address, long length) {
    try {
      return (int) (long) UNMAP.invokeExact(address, length);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public long vmRead(int pid, long remote, long local, int length) {
    try {
      return (long) VM_READ.invokeExact((long) pid, remote, local, (long) length);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int perfOpen(int cpu, long periodNanos) {
    try {
      return (int) (long) PERF_OPEN.invokeExact((long) cpu, periodNanos);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int perfAttach(int fd, int programFd) {
    try {
      return (int) (long) PERF_ATTACH.invokeExact((long) fd, (long) programFd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int perfEnable(int fd, boolean enable) {
    try {
      return (int) (long) PERF_ENABLE.invokeExact((long) fd, enable ? 1L : 0L);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int perfPeriod(int fd, long periodNanos) {
    try {
      return (int) (long) PERF_PERIOD.invokeExact((long) fd, periodNanos);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public long perfCount(int fd) {
    try {
      return (long) PERF_COUNT.invokeExact((long) fd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }

  @Override
  public int tick(long ticker, int programFd) {
    try {
      return (int) (long) TICK.invokeExact(ticker, (long) programFd);
    } catch (Throwable thrown) {
      throw Downcall.unexpected(thrown);
    }
  }
}
