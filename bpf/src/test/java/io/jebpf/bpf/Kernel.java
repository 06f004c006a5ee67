package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/**
 * What the tests share: the runtime, the test object, and the decision whether this machine can run
 * them.
 */
final class Kernel {
  private Kernel() {}

  static NativeRuntime runtime() {
    try {
      return NativeRuntime.load(List.of(Path.of(System.getProperty("java.io.tmpdir"))));
    } catch (NativeLoadException e) {
      throw new AssertionError(e);
    }
  }

  static byte[] testObject() {
    try (InputStream in = Kernel.class.getResourceAsStream("minimal.bpf.o")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Loads the test object, all knobs 0. */
  static KernelPrograms load() {
    try (KernelObject object = KernelObject.open(runtime(), testObject())) {
      return object.load();
    } catch (KernelException e) {
      throw new AssertionError(e.getMessage() + "\n" + e.log(), e);
    }
  }

  /**
   * Skips a test where rights or kernel are missing; with all rights, a missing feature is a
   * failure.
   */
  static void require() {
    Map<FeatureProbes.Feature, Support> found = FeatureProbes.run(runtime());
    boolean rights = found.get(FeatureProbes.Feature.CAPABILITIES).yes();
    found.forEach(
        (feature, support) -> {
          if (!support.yes()) {
            String text = "kernel tests need " + feature.sentence() + ": " + support;
            Assumptions.assumeTrue(rights, text);
            fail(text);
          }
        });
  }

  /** Uses so much CPU time on this thread, however long that takes. */
  static long burn(long nanos) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long end = threads.getCurrentThreadCpuTime() + nanos;
    long sum = 0;
    while (threads.getCurrentThreadCpuTime() < end) {
      for (int i = 0; i < 1000; i++) {
        sum = sum * 31 + i;
      }
    }
    return sum;
  }
}
