package io.jebpf.bpf;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The exact clocks of all threads ({@code struct jebpf_clock}), read where the kernel keeps them,
 * without system calls. Owner: one thread.
 */
public final class ThreadClocks {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  /** A clock changes for some nanoseconds at each switch of its thread. */
  private static final int READS_MAX = 64;

  private final BpfCalls bpf;
  private final ByteBuffer clocks;
  private final ByteBuffer list;
  private final int freeFd;
  private final CommNames names = new CommNames();

  ThreadClocks(BpfCalls bpf, ByteBuffer clocks, ByteBuffer list, int freeFd) {
    this.bpf = bpf;
    this.clocks = clocks;
    this.list = list;
    this.freeFd = freeFd;
  }

  /** Slots 0 to this, exclusive, may hold a clock. */
  public int slots() {
    return Math.min((int) INT.getAcquire(list, Layout.LIST_CLOCKS_USED), Layout.CLOCKS_MAX);
  }

  /**
   * Reads one clock as it is at {@code nowNanos} (CLOCK_MONOTONIC): the time since its last change
   * is included. False: the slot holds none, or it changed at every try.
   */
  public boolean read(int slot, long nowNanos, ClockView into) {
    int base = slot * Layout.CLOCK_BYTES;
    for (int i = 0; i < READS_MAX; i++) {
      int before = (int) INT.getAcquire(clocks, base + Layout.CLOCK_SEQUENCE);
      if ((before & 1) != 0) {
        Thread.onSpinWait();
        continue;
      }
      into.copy(clocks, base, before, nowNanos, names);
      VarHandle.acquireFence();
      if ((int) INT.getAcquire(clocks, base + Layout.CLOCK_SEQUENCE) == before) {
        return into.tid() != 0;
      }
    }
    return false;
  }

  /**
   * The thread sleeps without being met from now on, unless it loses its CPU: its clock goes on as
   * ever.
   */
  public void quiet(int slot) {
    clocks.put(slot * Layout.CLOCK_BYTES + Layout.CLOCK_QUIET, (byte) 1);
  }

  /** For tests: as if the thread had been found woken then. */
  void turn(int slot, long nanos) {
    clocks.putLong(slot * Layout.CLOCK_BYTES + Layout.CLOCK_WOKEN, nanos);
  }

  /** Gives the slot of an ended thread back, after its last reading. */
  public void release(int slot) throws KernelException {
    clocks.putInt(slot * Layout.CLOCK_BYTES + Layout.CLOCK_TID, 0);
    int error = bpf.queuePush(freeFd, slot);
    if (error < 0) {
      throw new KernelException("bpf(BPF_MAP_UPDATE_ELEM, free_clocks)", -error, "");
    }
  }
}
