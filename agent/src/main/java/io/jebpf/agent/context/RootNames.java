package io.jebpf.agent.context;

import io.jebpf.bpf.ContextTable;

/**
 * Names of the root spans of recent traces, as {@code JebpfContext} leaves them behind the table: a
 * place per trace, {high, low, check ^ number of the name}, overwritten by later traces.
 */
final class RootNames {
  private static final int FIRST_WORD = 64;
  private static final int PLACES = 32_768;
  private static final int WORDS = 3;
  private static final long CHECK = -65_536L; // bits that tell whether the words fit each other

  private RootNames() {}

  /** The number of a trace's name; 0 when it is not known. Halves as in memory. */
  static int number(ContextTable table, long high, long low) {
    long mixed = mix(high, low);
    int at = FIRST_WORD + WORDS * (int) (mixed & (PLACES - 1));
    long word = table.tail(at + 2);
    boolean whole =
        table.tail(at) == high && table.tail(at + 1) == low && (word & CHECK) == (mixed & CHECK);
    return whole ? (int) (word & ~CHECK) : 0;
  }

  private static long mix(long high, long low) {
    long mixed = (high ^ Long.rotateLeft(low, 29)) * 0x9E3779B97F4A7C15L;
    return mixed ^ mixed >>> 32;
  }
}
