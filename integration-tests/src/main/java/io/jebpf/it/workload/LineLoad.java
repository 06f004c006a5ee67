package io.jebpf.it.workload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/**
 * Calls in three levels, four ways each, every call on a line of its own, small enough that the
 * compilers inline them: the names of the methods on a stack say which lines must be in it. What
 * they are a Throwable tells, taken once at the tip of each of the 64 ways, in the same run.
 *
 * <p>Arguments: seconds, file for the stacks: one a line, {@code function:line} from the tip's
 * caller to {@code main}, with blanks between.
 */
public final class LineLoad {
  private static final int WAYS = 64;

  private static final TreeMap<Integer, String> SEEN = new TreeMap<>();
  private static volatile long sink;
  private static boolean noting = true;

  private LineLoad() {}

  public static void main(String[] args) throws Exception {
    AgentGate.await();
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000_000L;
    for (int way = 0; way < WAYS; way++) {
      around(way, 1);
    }
    noting = false;
    while (System.nanoTime() < end) {
      for (int way = 0; way < WAYS; way++) {
        around(way, 40);
      }
    }
    write(Path.of(args[1]));
  }

  private static void write(Path file) throws IOException {
    List<String> lines = new ArrayList<>(SEEN.values());
    Files.write(file, lines);
  }

  private static void around(int way, int times) {
    for (int i = 0; i < times; i++) {
      sink += first(way);
    }
  }

  private static long first(int way) {
    switch (way & 3) {
      case 0:
        return a0(way >> 2, way) + 1;
      case 1:
        return a1(way >> 2, way) ^ 3;
      case 2:
        return a2(way >> 2, way) * 5;
      default:
        return a3(way >> 2, way) - 7;
    }
  }

  private static long a0(int rest, int way) {
    return second(rest, way) + 11;
  }

  private static long a1(int rest, int way) {
    return second(rest, way) + 13;
  }

  private static long a2(int rest, int way) {
    return second(rest, way) + 17;
  }

  private static long a3(int rest, int way) {
    return second(rest, way) + 19;
  }

  private static long second(int rest, int way) {
    switch (rest & 3) {
      case 0:
        return b0(rest >> 2, way) + 23;
      case 1:
        return b1(rest >> 2, way) ^ 29;
      case 2:
        return b2(rest >> 2, way) * 31;
      default:
        return b3(rest >> 2, way) - 37;
    }
  }

  private static long b0(int rest, int way) {
    return third(rest, way) + 41;
  }

  private static long b1(int rest, int way) {
    return third(rest, way) + 43;
  }

  private static long b2(int rest, int way) {
    return third(rest, way) + 47;
  }

  private static long b3(int rest, int way) {
    return third(rest, way) + 53;
  }

  private static long third(int rest, int way) {
    switch (rest & 3) {
      case 0:
        return c0(way) + 59;
      case 1:
        return c1(way) ^ 61;
      case 2:
        return c2(way) * 67;
      default:
        return c3(way) - 71;
    }
  }

  private static long c0(int way) {
    return tip(way) + 73;
  }

  private static long c1(int way) {
    return tip(way) + 79;
  }

  private static long c2(int way) {
    return tip(way) + 83;
  }

  private static long c3(int way) {
    return tip(way) + 89;
  }

  private static long tip(int way) {
    if (noting) {
      note(way);
    }
    long x = way | 1;
    for (int i = 0; i < 2_000; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  private static void note(int way) {
    StringBuilder stack = new StringBuilder();
    StackTraceElement[] trace = new Throwable().getStackTrace();
    for (int i = 2; i < trace.length - 1; i++) { // of note, tip and main the line is another one
      stack.append(trace[i].getClassName()).append('.').append(trace[i].getMethodName());
      stack.append(':').append(trace[i].getLineNumber()).append(' ');
    }
    SEEN.put(way, stack.toString().trim());
  }
}
