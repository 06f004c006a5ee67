package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.VirtualIdLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ten thousand virtual threads on two carriers: each sample names the one that ran. */
@Beside
@KernelTest
class VirtualThreadTest {
  private static final int THREADS = 10_000;
  private static final double RIGHT_MIN = 0.999;
  private static final String LOAD = VirtualIdLoad.class.getName();
  private static final String VIRTUAL_ROOT = "jdk.internal.vm.Continuation.enter";

  /** In it a virtual thread is mounted: it has no frame of its own on the stack yet. */
  private static final String MOUNTING = "StubRoutines::cont_thaw";

  @TempDir Path directory;

  /** What the samples of one kind of profile say, against what the threads wrote down. */
  private static final class Tally {
    private final Map<Integer, String> labels;
    private final boolean names;
    private final Set<String> all;
    private final Map<String, Long> wrong = new TreeMap<>();
    private long right;
    private long unreadable;
    private long unreadableWithout;

    /** {@code names}: false where the collector may be in the way of a name; the id counts then. */
    Tally(Map<Integer, String> labels, boolean names) {
      this.labels = labels;
      this.names = names;
      this.all = new HashSet<>(labels.values());
      if (!names) {
        labels.values().forEach(label -> all.add(id(label)));
      }
    }

    private static String id(String label) {
      return label.substring(Math.max(0, label.lastIndexOf('#')));
    }

    private boolean isRight(String label, String expected) {
      return label.equals(expected) || !names && label.equals(id(expected));
    }

    void add(Profile.Stack stack, long count) {
      String label = stack.labels().getOrDefault("vthread", "");
      if (label.equals("[other virtual threads]")) {
        return; // parks beyond the first thousand of a window share a row, which says so
      }
      int number = number(stack);
      if (number >= 0) {
        if (isRight(label, labels.get(number))) {
          right += count;
        } else {
          wrong.merge(
              labels.get(number) + " as '" + label + "': " + stack.frames(), count, Long::sum);
        }
      } else if (stack.root().function().equals(VIRTUAL_ROOT)
          || stack.root().function().equals(MOUNTING)
          || !label.isEmpty() && Picture.hasMarker(stack)) {
        // At its start or end, or with frames on their way: which one it is only the label says.
        unreadable += count;
        unreadableWithout += all.contains(label) ? 0 : count;
      } else if (!label.isEmpty()) {
        wrong.merge("carrier alone as '" + label + "': " + stack.frames(), count, Long::sum);
      }
    }

    long wrong() {
      return wrong.values().stream().mapToLong(Long::longValue).sum();
    }

    /** The number that the frames spell; -1 when they do not show all digits. */
    private static int number(Profile.Stack stack) {
      int number = 0;
      int digits = 0;
      for (Profile.Frame frame : stack.frames()) { // the highest digit is nearest to the leaf
        String name = frame.function();
        if (name.startsWith(LOAD + ".d") && name.length() == LOAD.length() + 3) {
          number = 10 * number + name.charAt(name.length() - 1) - '0';
          digits++;
        }
      }
      return digits == VirtualIdLoad.DIGITS ? number : -1;
    }

    @Override
    public String toString() {
      return right
          + " right, "
          + wrong()
          + " wrong, "
          + unreadable
          + " without digits, of these without a known label "
          + unreadableWithout
          + "\n"
          + wrong.entrySet().stream().limit(5).toList();
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"G1", "Z"})
  void everySampleNamesItsVirtualThread(String collector) throws IOException {
    Path log = directory.resolve("threads.log");
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=999,budget=1000%,window=3s,offcpu=1ms")
            .jvm(
                "-XX:+Use" + collector + "GC",
                "-Xmx1g",
                "-Djdk.virtualThreadScheduler.parallelism=2",
                "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=dontinline," + LOAD + "::d*")
            .main(VirtualIdLoad.class, THREADS, 6, log)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    Map<Integer, String> labels = labels(log);

    Tally cpu = new Tally(labels, collector.equals("G1"));
    for (Profile profile : result.profiles()) {
      int count = profile.valueIndex("samples/count");
      profile.stacks().forEach(stack -> cpu.add(stack, stack.values()[count]));
    }
    assertTrue(cpu.right > 1_000, cpu::toString);
    assertTrue(cpu.wrong() <= (1 - RIGHT_MIN) * (cpu.right + cpu.wrong()), cpu::toString);
    assertTrue(
        cpu.unreadableWithout <= 3 + (1 - RIGHT_MIN) * (cpu.right + cpu.unreadable), cpu::toString);

    Tally waits =
        new Tally(labels, collector.equals("G1")); // of mounted ones: preempted, as a rule
    for (Profile profile : result.profiles("offcpu")) {
      profile.stacks().forEach(stack -> waits.add(stack, 1));
    }
    assertTrue(waits.right > 10, waits::toString);
    assertTrue(waits.wrong() <= (1 - RIGHT_MIN) * (waits.right + waits.wrong()), waits::toString);
  }

  private static Map<Integer, String> labels(Path log) throws IOException {
    Map<Integer, String> labels = new HashMap<>();
    List<String> lines = Files.readAllLines(log);
    assertEquals(THREADS, lines.size());
    for (String line : lines) {
      String[] words = line.split(" ", 3);
      String name = words[2].isEmpty() ? "" : words[2] + " ";
      labels.put(Integer.parseInt(words[0]), name + "#" + words[1]);
    }
    return labels;
  }
}
