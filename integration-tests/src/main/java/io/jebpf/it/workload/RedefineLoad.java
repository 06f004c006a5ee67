package io.jebpf.it.workload;

import java.io.IOException;
import java.lang.instrument.ClassDefinition;
import java.lang.instrument.Instrumentation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A class that is replaced by another version of itself, over and over, while threads run it. Each
 * thread has methods of its own in it and calls no others: what its stacks may show is known.
 *
 * <p>Has to be an agent too, for its {@link Instrumentation}. Arguments: milliseconds of CPU time
 * for each thread, name of the class, directory with a class file {@code 0.class}, {@code
 * 1.class}... for each version. Prints {@code redefined=N}.
 */
public final class RedefineLoad {
  /** Implemented by the class that is redefined, with one way through it for each thread. */
  public interface Work {
    long enter(int way, int rounds, long x);
  }

  /** Ways, and threads, which are called {@code way-0} and so on. */
  public static final int WAYS = 4;

  /** After so many redefinitions the versions that nobody runs any more are freed. */
  private static final int COLLECT_AFTER = 20;

  /** The reader comes by every 100 ms: most frames are to be there still. */
  private static final int PAUSE_MILLIS = 40;

  private static final int ROUNDS = 200;

  private static Instrumentation instrumentation;

  private RedefineLoad() {}

  public static void premain(String options, Instrumentation given) {
    instrumentation = given;
  }

  public static void main(String[] args) throws Exception {
    long nanos = Long.parseLong(args[0]) * 1_000_000;
    Class<?> redefined = Class.forName(args[1]);
    List<byte[]> versions = versions(Path.of(args[2]));
    Work work = (Work) redefined.getDeclaredConstructor().newInstance();
    AgentGate.await();
    Thread[] threads = new Thread[WAYS];
    for (int i = 0; i < WAYS; i++) {
      int way = i;
      threads[i] = new Thread(() -> run(work, way, nanos), "way-" + way);
      threads[i].start();
    }
    int count = 0;
    for (Thread thread : threads) {
      while (thread.isAlive()) {
        byte[] next = versions.get(++count % versions.size());
        instrumentation.redefineClasses(new ClassDefinition(redefined, next));
        if (count % COLLECT_AFTER == 0) {
          System.gc();
        }
        thread.join(PAUSE_MILLIS);
      }
    }
    System.out.println("redefined=" + count);
  }

  private static List<byte[]> versions(Path directory) throws IOException {
    List<byte[]> versions = new ArrayList<>();
    for (int i = 0; Files.exists(directory.resolve(i + ".class")); i++) {
      versions.add(Files.readAllBytes(directory.resolve(i + ".class")));
    }
    return versions;
  }

  private static void run(Work work, int way, long nanos) {
    long end = Burn.cpuNanos() + nanos;
    while (Burn.cpuNanos() < end) {
      Burn.sink += work.enter(way, ROUNDS, way);
    }
  }
}
