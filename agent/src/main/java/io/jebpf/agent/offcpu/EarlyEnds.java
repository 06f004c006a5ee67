package io.jebpf.agent.offcpu;

/**
 * Ends of waits that came before their stack, which was then still on its way into the ring. The
 * last few; most are of waits whose stack was lost, and are never asked for. Owner: thread
 * "jebpf-reader".
 */
final class EarlyEnds {
  static final int NONE = -1;
  private static final int SIZE = 64;
  private static final int WORDS = 6;

  private final long[] ends = new long[SIZE * WORDS];
  private final String[] wakers = new String[SIZE];
  private int next;

  void keep(
      int tid, long threadStart, long start, long woken, long end, long tickNanos, String waker) {
    int at = next * WORDS;
    wakers[next] = waker;
    next = (next + 1) % SIZE;
    ends[at] = tid;
    ends[at + 1] = threadStart;
    ends[at + 2] = start;
    ends[at + 3] = woken;
    ends[at + 4] = end;
    ends[at + 5] = tickNanos;
  }

  /** The end of that wait, or NONE. */
  int find(int tid, long threadStart, long start) {
    for (int at = 0; at < ends.length; at += WORDS) {
      if (ends[at + 2] == start && ends[at] == tid && ends[at + 1] == threadStart) {
        return at / WORDS;
      }
    }
    return NONE;
  }

  long woken(int index) {
    return ends[index * WORDS + 3];
  }

  long end(int index) {
    return ends[index * WORDS + 4];
  }

  long tickNanos(int index) {
    return ends[index * WORDS + 5];
  }

  String waker(int index) {
    return wakers[index];
  }
}
