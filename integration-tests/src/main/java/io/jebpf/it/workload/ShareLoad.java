package io.jebpf.it.workload;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Methods that burn 60, 25, 10 and 5 % of the CPU. The exact shares are measured with the threads'
 * own CPU clocks and printed. Arguments: {@code plain|inlined}, threads, seconds of CPU per thread,
 * file for {@link CpuLog}.
 *
 * <p>{@code plain} spends the time in {@code burnNN} themselves; {@code inlined} in {@code
 * inlineNN}, small methods that the compiler inlines twice over.
 */
public final class ShareLoad {
  private static final int[] SHARES = {60, 25, 10, 5};
  private static final long ROUND_NANOS = 20_000_000;
  private static final int CHUNK_STEPS = 200;

  private static final AtomicLongArray TRUE_NANOS = new AtomicLongArray(SHARES.length);

  private ShareLoad() {}

  public static void main(String[] args) throws InterruptedException {
    boolean inlined = args[0].equals("inlined");
    int threads = Integer.parseInt(args[1]);
    long cpuNanos = Long.parseLong(args[2]) * 1_000_000_000L;
    CpuLog.start(Path.of(args[3]));
    AgentGate.await();
    List<Thread> all = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      long seed = i;
      Thread thread =
          new Thread(() -> work(inlined, cpuNanos, new SplittableRandom(seed)), "share-" + i);
      thread.start();
      all.add(thread);
    }
    for (Thread thread : all) {
      thread.join();
    }
    for (int i = 0; i < SHARES.length; i++) {
      System.out.println("true" + SHARES[i] + "=" + TRUE_NANOS.get(i));
    }
  }

  private static void work(boolean inlined, long cpuNanos, SplittableRandom random) {
    long end = Burn.cpuNanos() + cpuNanos;
    double stepsPerNano = 0.01;
    long x = random.nextLong();
    while (Burn.cpuNanos() < end) {
      int which = random.nextInt(SHARES.length);
      // A random length keeps the slices from falling into step with the sampling clock.
      double nanos = ROUND_NANOS * SHARES[which] / 100.0 * (0.5 + random.nextDouble());
      int chunks = (int) Math.max(1, nanos * stepsPerNano / CHUNK_STEPS);
      long before = Burn.cpuNanos();
      x = inlined ? inlinedRound(which, chunks, x) : plainRound(which, chunks, x);
      long took = Burn.cpuNanos() - before;
      TRUE_NANOS.addAndGet(which, took);
      stepsPerNano = 0.7 * stepsPerNano + 0.3 * chunks * CHUNK_STEPS / Math.max(1, took);
    }
    Burn.sink = x;
  }

  static long plainRound(int which, int chunks, long x) {
    return switch (which) {
      case 0 -> burn60(chunks, x);
      case 1 -> burn25(chunks, x);
      case 2 -> burn10(chunks, x);
      default -> burn5(chunks, x);
    };
  }

  static long burn60(int chunks, long seed) {
    long x = seed | 1;
    for (int i = 0; i < chunks * CHUNK_STEPS; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  static long burn25(int chunks, long seed) {
    long x = seed | 1;
    for (int i = 0; i < chunks * CHUNK_STEPS; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  static long burn10(int chunks, long seed) {
    long x = seed | 1;
    for (int i = 0; i < chunks * CHUNK_STEPS; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  static long burn5(int chunks, long seed) {
    long x = seed | 1;
    for (int i = 0; i < chunks * CHUNK_STEPS; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  /** One compiled method that has all four loops and their callees inlined. */
  static long inlinedRound(int which, int chunks, long seed) {
    long x = seed | 1;
    int calls = chunks * CHUNK_STEPS / 8;
    if (which == 0) {
      for (int i = 0; i < calls; i++) {
        x = inline60(x);
      }
    } else if (which == 1) {
      for (int i = 0; i < calls; i++) {
        x = inline25(x);
      }
    } else if (which == 2) {
      for (int i = 0; i < calls; i++) {
        x = inline10(x);
      }
    } else {
      for (int i = 0; i < calls; i++) {
        x = inline5(x);
      }
    }
    return x;
  }

  static long inline60(long x) {
    return step(step(step(step(step(step(step(step(x))))))));
  }

  static long inline25(long x) {
    return step(step(step(step(step(step(step(step(x))))))));
  }

  static long inline10(long x) {
    return step(step(step(step(step(step(step(step(x))))))));
  }

  static long inline5(long x) {
    return step(step(step(step(step(step(step(step(x))))))));
  }

  static long step(long seed) {
    long x = seed ^ (seed << 13);
    x ^= x >>> 7;
    return x ^ (x << 17);
  }
}
