package io.jebpf.it.matrix;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs loads of the matrix one after the other, each in a thread named after it.
 *
 * <p>Arguments: milliseconds per load, path of the JNI library or {@code none}, names of the loads.
 * Prints {@code NAME=milliseconds} of wall time for each, {@code NAME=absent} where this JVM cannot
 * run it.
 */
public final class MatrixLoad {
  static volatile long sink;
  static String library = "none";

  private MatrixLoad() {}

  public static void main(String[] args) throws Exception {
    long millis = Long.parseLong(args[0]);
    library = args[1];
    List<String> names = new ArrayList<>(List.of(args).subList(2, args.length));
    for (String name : names) {
      run(name, millis);
    }
  }

  private static void run(String name, long millis) throws Exception {
    Workload load;
    try {
      load = create(name);
    } catch (ReflectiveOperationException | LinkageError absent) {
      System.out.println(name + "=absent");
      return;
    }
    long start = System.nanoTime();
    Thread thread = new Thread(() -> repeat(load, start + millis * 1_000_000), name);
    thread.start();
    thread.join();
    System.out.println(name + "=" + (System.nanoTime() - start) / 1_000_000);
  }

  /** By name: the classes of some loads need a newer JDK than the one that runs here. */
  private static Workload create(String name) throws ReflectiveOperationException {
    String type = name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1) + "Load";
    return (Workload)
        Class.forName(MatrixLoad.class.getPackageName() + "." + type)
            .getDeclaredConstructor()
            .newInstance();
  }

  private static void repeat(Workload load, long end) {
    try {
      while (System.nanoTime() < end) {
        load.round();
      }
    } catch (Throwable failed) {
      failed.printStackTrace();
      Runtime.getRuntime().halt(3);
    }
  }

  /** Work that no compiler removes. */
  static long burn(long value, int steps) {
    long x = value | 1;
    for (int i = 0; i < steps; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    sink = x;
    return x;
  }
}
