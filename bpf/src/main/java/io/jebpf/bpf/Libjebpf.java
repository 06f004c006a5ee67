package io.jebpf.bpf;

import static io.jebpf.bpf.Downcall.call;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Our native helper, {@code jebpf_native.c}. Initialised by {@link NativeRuntime} only, after
 * loading.
 */
final class Libjebpf implements KernelCalls {
  private static final MemorySegment PAGE_SIZE = find("jebpf_page_size");
  private static final MemorySegment CLOSE = find("jebpf_close");
  private static final MemorySegment READ = find("jebpf_read");
  private static final MemorySegment MAP = find("jebpf_map");
  private static final MemorySegment UNMAP = find("jebpf_unmap");
  private static final MemorySegment RESERVE = find("jebpf_reserve");
  private static final MemorySegment VM_READ = find("jebpf_vm_read");
  private static final MemorySegment LOADS = find("jebpf_loads");
  private static final MemorySegment SLICE = find("jebpf_slice");
  private static final MemorySegment ALARM_OPEN = find("jebpf_alarm_open");
  private static final MemorySegment ALARM_LISTEN = find("jebpf_alarm_listen");
  private static final MemorySegment ALARM_WAIT = find("jebpf_alarm_wait");
  private static final MemorySegment ALARM_RING = find("jebpf_alarm_ring");
  private static final MemorySegment PERF_OPEN = find("jebpf_perf_open");
  private static final MemorySegment PERF_ATTACH = find("jebpf_perf_attach");
  private static final MemorySegment PERF_ENABLE = find("jebpf_perf_enable");
  private static final MemorySegment PERF_PERIOD = find("jebpf_perf_period");
  private static final MemorySegment PERF_COUNT = find("jebpf_perf_count");
  private static final MemorySegment TICK = find("jebpf_tick");

  private static MemorySegment find(String name) {
    return Downcall.function(NativeRuntime.helperSymbol(name));
  }

  @Override
  public int pageSize() {
    return (int) call(PAGE_SIZE);
  }

  @Override
  public int close(int fd) {
    return (int) call(CLOSE, fd);
  }

  @Override
  public int read(int fd, ByteBuffer into) {
    long address = MemorySegment.ofBuffer(into.duplicate().clear()).address();
    return (int) call(READ, fd, address, (long) into.capacity());
  }

  @Override
  public long map(int fd, long offset, long length, boolean writable) {
    return call(MAP, fd, offset, length, writable ? 1L : 0L);
  }

  @Override
  public int unmap(long address, long length) {
    return (int) call(UNMAP, address, length);
  }

  @Override
  public long reserve(long length) {
    return call(RESERVE, length);
  }

  @Override
  public long vmRead(int pid, long remote, long local, int length) {
    return call(VM_READ, pid, remote, local, length);
  }

  @Override
  public long loads() {
    return call(LOADS);
  }

  @Override
  public int slice(long nanos) {
    return (int) call(SLICE, nanos);
  }

  @Override
  public int alarmOpen() {
    return (int) call(ALARM_OPEN);
  }

  @Override
  public int alarmListen(int fd, int ringFd) {
    return (int) call(ALARM_LISTEN, fd, ringFd);
  }

  @Override
  public int alarmWait(int listenFd, int fd, long nanos) {
    return (int) call(ALARM_WAIT, listenFd, fd, nanos);
  }

  @Override
  public int alarmRing(int fd) {
    return (int) call(ALARM_RING, fd);
  }

  @Override
  public int perfOpen(int cpu, long periodNanos) {
    return (int) call(PERF_OPEN, cpu, periodNanos);
  }

  @Override
  public int perfAttach(int fd, int programFd) {
    return (int) call(PERF_ATTACH, fd, programFd);
  }

  @Override
  public int perfEnable(int fd, boolean enable) {
    return (int) call(PERF_ENABLE, fd, enable ? 1L : 0L);
  }

  @Override
  public int perfPeriod(int fd, long periodNanos) {
    return (int) call(PERF_PERIOD, fd, periodNanos);
  }

  @Override
  public long perfCount(int fd) {
    return call(PERF_COUNT, fd);
  }

  @Override
  public int tick(long ticker, int programFd, int iteratorFd) {
    return (int) call(TICK, ticker, programFd, iteratorFd);
  }
}
