package io.jebpf.it.workload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Many virtual threads, each with its number in its stack: one frame a decimal digit, the lowest
 * next to the root. They work at the tip of that stack, yield and park there, and so change
 * carriers all the time; the frames come back from the heap one by one.
 *
 * <p>Arguments: number of threads, seconds, file for the log. The log has a line a thread, which
 * the thread itself wrote: its number, {@code Thread.threadId()}, its name.
 */
public final class VirtualIdLoad {
  /** Digits of a number. */
  public static final int DIGITS = 4;

  private static volatile boolean ended;
  private static volatile long sink;

  private VirtualIdLoad() {}

  public static void main(String[] args) throws Exception {
    AgentGate.await();
    int count = Integer.parseInt(args[0]);
    String[] log = new String[count];
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int number = i;
      Thread.Builder builder = Thread.ofVirtual();
      if (number % 3 != 0) {
        builder.name(name(number));
      }
      threads.add(
          builder.start(
              () -> {
                Thread self = Thread.currentThread();
                log[number] = number + " " + self.threadId() + " " + self.getName();
                body(number);
              }));
    }
    Thread.sleep(Long.parseLong(args[1]) * 1000);
    ended = true;
    for (Thread thread : threads) {
      thread.join();
    }
    write(Path.of(args[2]), log);
  }

  private static void write(Path file, String[] lines) throws IOException {
    Files.write(file, List.of(lines));
  }

  private static String name(int number) {
    return number % 3 == 1 ? "virtual " + number : "tråd-größe-線程-" + number;
  }

  private static void body(int number) {
    while (!ended) {
      sink += next(number, DIGITS);
    }
  }

  private static long next(int rest, int depth) {
    if (depth == 0) {
      return work();
    }
    int below = rest / 10;
    return switch (rest % 10) {
      case 0 -> d0(below, depth - 1);
      case 1 -> d1(below, depth - 1);
      case 2 -> d2(below, depth - 1);
      case 3 -> d3(below, depth - 1);
      case 4 -> d4(below, depth - 1);
      case 5 -> d5(below, depth - 1);
      case 6 -> d6(below, depth - 1);
      case 7 -> d7(below, depth - 1);
      case 8 -> d8(below, depth - 1);
      default -> d9(below, depth - 1);
    };
  }

  private static long d0(int rest, int depth) {
    return next(rest, depth) + 1;
  }

  private static long d1(int rest, int depth) {
    return next(rest, depth) + 2;
  }

  private static long d2(int rest, int depth) {
    return next(rest, depth) + 3;
  }

  private static long d3(int rest, int depth) {
    return next(rest, depth) + 4;
  }

  private static long d4(int rest, int depth) {
    return next(rest, depth) + 5;
  }

  private static long d5(int rest, int depth) {
    return next(rest, depth) + 6;
  }

  private static long d6(int rest, int depth) {
    return next(rest, depth) + 7;
  }

  private static long d7(int rest, int depth) {
    return next(rest, depth) + 8;
  }

  private static long d8(int rest, int depth) {
    return next(rest, depth) + 9;
  }

  private static long d9(int rest, int depth) {
    return next(rest, depth) + 10;
  }

  private static long work() {
    long x = burn(1);
    Thread.yield();
    x += burn(x);
    LockSupport.parkNanos(1_000_000);
    return x + burn(x);
  }

  private static long burn(long seed) {
    long x = seed | 1;
    for (int i = 0; i < 20_000; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }
}
