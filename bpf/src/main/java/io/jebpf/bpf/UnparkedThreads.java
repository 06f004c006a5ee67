package io.jebpf.bpf;

import java.util.OptionalLong;

/**
 * The table in which whoever unparks a virtual thread leaves what the page's word is then, written
 * by {@code java.lang.JebpfParks}, read by {@code jebpf_parks.c} (docs/adr/0009). One for the life
 * of the process, as compiled code has its address; takes memory as it is used.
 *
 * <pre>
 *  slots  of 8 bytes, by the end of the thread's id: word ^ id * 0x9e3779b97f4a7c15, or in place of
 *         the word a time and the highest bit
 *  ticks  of 16 bytes, by the end of the tick's number   0: its time   8: the word before it
 * </pre>
 *
 * Slots are not owned: a thread whose id ends alike overwrites what is there. As the id is mixed
 * into it, what another thread left is noticed, and nothing is ever locked, tried again or torn.
 */
final class UnparkedThreads {
  /** JEBPF_UNPARKS_BITS. As many threads with ids in a row have each a slot of their own. */
  static final int SLOTS = 1 << 16;

  /** JEBPF_UNPARKS_TICKS. */
  static final int TICKS = 4096;

  static final long TICKS_OFFSET = (long) SLOTS * Long.BYTES;
  private static final long BYTES = TICKS_OFFSET + 2L * TICKS * Long.BYTES;

  private static long address;

  private UnparkedThreads() {}

  /** Empty when there is no memory for it. */
  static synchronized OptionalLong address(KernelCalls kernel) {
    if (address == 0) {
      address = Math.max(0, kernel.reserve(BYTES));
    }
    return address == 0 ? OptionalLong.empty() : OptionalLong.of(address);
  }
}
