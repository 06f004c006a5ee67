package io.jebpf.bpf;

import java.nio.ByteBuffer;

/**
 * The system calls we make, as plain numbers. Every result that is negative is {@code -errno}.
 * Implemented by {@link Libjebpf}; tests wrap it to make single calls fail.
 */
interface KernelCalls {
  int pageSize();

  int close(int fd);

  /** Bytes read from a file to the start of direct memory, as many as fit; 0 at the end. */
  int read(int fd, ByteBuffer into);

  /** Address of a new shared mapping. */
  long map(int fd, long offset, long length, boolean writable);

  int unmap(long address, long length);

  /** Address of new zeroed memory of our own, which costs nothing until it is touched. */
  long reserve(long length);

  /** Bytes copied from the memory of process {@code pid} to native memory. */
  long vmRead(int pid, long remote, long local, int length);

  /** Grows with every object that the dynamic linker of this process loads or unloads. */
  long loads();

  /** The calling thread's turn on a CPU; see {@code jebpf_slice} in jebpf_native.c. */
  int slice(long nanos);

  /** The fd of an {@link Alarm}. */
  int alarmOpen();

  /**
   * The fd by which a thread waits for an alarm and for wake-ups by a BPF ring buffer.
   *
   * @param ringFd the map's; -1: the alarm alone
   */
  int alarmListen(int fd, int ringFd);

  /** 1 when something rang. */
  int alarmWait(int listenFd, int fd, long nanos);

  int alarmRing(int fd);

  /** A new, disabled software clock event on one CPU: its fd. */
  int perfOpen(int cpu, long periodNanos);

  int perfAttach(int fd, int programFd);

  int perfEnable(int fd, boolean enable);

  int perfPeriod(int fd, long periodNanos);

  /** Nanoseconds that the event has counted. */
  long perfCount(int fd);

  /**
   * Runs the ticker until its stop word is set; see {@code jebpf_tick} in jebpf_ticker.c.
   *
   * @param ticker address of a {@code struct jebpf_ticker}
   * @param programFd program of type syscall; unused with an iterator
   * @param iteratorFd link of a task iterator program; -1: there is none
   */
  int tick(long ticker, int programFd, int iteratorFd);
}
