package io.jebpf.it.matrix;

import com.sun.management.OperatingSystemMXBean;
import io.jebpf.it.workload.AgentGate;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Runs loads of the matrix one after the other, each in a thread named after it.
 *
 * <p>Arguments: milliseconds of CPU time per load (on a machine that does other things the time on
 * the clock may be up to {@value #WALL_PER_CPU_MAX} times as long), path of the JNI library or
 * {@code none}, names of the loads. Prints {@code NAME=milliseconds} of wall time for each, {@code
 * NAME=absent} where this JVM cannot run it.
 */
public final class MatrixLoad {
  private static final int WALL_PER_CPU_MAX = 4;

  static volatile long sink;
  static String library = "none";

  private MatrixLoad() {}

  public static void main(String[] args) throws Exception {
    long millis = Long.parseLong(args[0]);
    library = args[1];
    AgentGate.await();
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
    long cpu = cpuNanos();
    Thread thread = new Thread(() -> repeat(load, start, cpu, millis * 1_000_000), name);
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

  private static void repeat(Workload load, long start, long cpu, long nanos) {
    try {
      while (System.nanoTime() - start < nanos
          || cpuNanos() - cpu < nanos && System.nanoTime() - start < WALL_PER_CPU_MAX * nanos) {
        load.round();
      }
    } catch (Throwable failed) {
      failed.printStackTrace();
      Runtime.getRuntime().halt(3);
    }
  }

  private static long cpuNanos() {
    return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
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
