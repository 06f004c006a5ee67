package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.workload.GcLoad;
import io.jebpf.it.workload.NativeLoad;
import io.jebpf.it.workload.ThreadLoad;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Threads of every kind, and CPU outside Java. */
@Beside
@KernelTest
class ThreadsAndNativeTest {
  private static final String AGENT = "cpu=999,budget=100%,window=3s";

  @TempDir Path directory;

  @Test
  void threadsCarryTheirFullNames() {
    ChildResult result =
        ChildJvm.in(directory).agent(AGENT).main(ThreadLoad.class, 700).run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    Picture picture = result.picture();
    String load = ThreadLoad.class.getName();
    for (String name :
        List.of(
            "a thread with a name longer than the kernel's fifteen characters",
            "tråd-größe-線程",
            "after the change")) {
      Picture named = picture.where(s -> s.thread().equals(name) && s.contains(load + ".named"));
      assertTrue(
          named.samples() > 500, () -> name + ": " + named.samples() + " of " + threads(picture));
    }
    Picture shortLived = picture.where(stack -> stack.contains(load + ".shortLived"));
    double known = shortLived.share(stack -> stack.thread().matches("short-\\d"));
    assertTrue(shortLived.samples() > 500, picture::troubles);
    assertTrue(
        known > 0.9,
        () -> "short-lived threads with their name: " + known + " " + threads(shortLived));
    Picture nameless = picture.where(stack -> stack.thread().isEmpty());
    assertEquals(List.of(), nameless.stacks(), "samples without a thread label");
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void virtualThreadsEndAtTheirRootOrGoOnWithTheirCarrier(boolean carrier) {
    ChildResult result =
        ChildJvm.in(directory)
            .agent(AGENT + ",carrier=" + carrier)
            .main(ThreadLoad.class, 700)
            .run(Deadlines.RUN_SECONDS);
    Picture picture = result.picture();
    Picture virtual =
        picture.where(stack -> stack.contains(ThreadLoad.class.getName() + ".virtual"));
    assertTrue(virtual.samples() > 500, picture::troubles);
    assertTrue(virtual.rootShare() >= 0.99, virtual::troubles);
    double carried =
        virtual.share(stack -> stack.contains("java.util.concurrent.ForkJoinWorkerThread.run"));
    double rooted =
        virtual.share(
            stack -> stack.root().function().equals("jdk.internal.vm.Continuation.enter"));
    assertTrue(carrier ? carried >= 0.99 : carried == 0, () -> carried + virtual.troubles());
    assertTrue(carrier ? rooted == 0 : rooted >= 0.99, () -> rooted + virtual.troubles());
    assertEquals(1.0, virtual.share(stack -> stack.thread().startsWith("ForkJoinPool-1-worker")));
    double labelled = virtual.share(stack -> stack.labels().containsKey("vthread"));
    assertTrue(labelled >= 0.999, () -> "with a label vthread: " + labelled);
  }

  @Test
  void nativeFramesStandWhereTheyAre() throws Exception {
    Path library = Tools.jniLibrary(directory);
    ChildResult result =
        ChildJvm.in(directory)
            .agent(AGENT)
            .jvm("--enable-native-access=ALL-UNNAMED")
            .main(NativeLoad.class, 1000, library)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    Picture picture = result.picture();
    String load = NativeLoad.class.getName();
    for (String method : List.of("deflate", "crc", "copy", "readAll", "nativeWork", "fromNative")) {
      Picture of = picture.where(stack -> stack.contains(load + "." + method));
      assertTrue(
          of.samples() > 600, () -> method + ": " + of.samples() + "\n" + picture.troubles());
      assertTrue(of.rootShare() >= 0.99, () -> method + "\n" + of.troubles());
    }
    assertOrder(
        picture,
        load + ".nativeWork",
        List.of(
            "jebpf_it_inner",
            "jebpf_it_middle",
            "jebpf_it_outer",
            "Java_io_jebpf_it_workload_NativeLoad_nativeWork",
            load + ".nativeWork"));
    assertOrder(
        picture,
        load + ".fromNative",
        List.of(
            load + ".fromNative",
            "Java_io_jebpf_it_workload_NativeLoad_nativeUpcall",
            load + ".nativeUpcall",
            load + ".main"));
    Picture reading = picture.where(stack -> stack.contains(load + ".readAll"));
    double kernel = reading.share(stack -> stack.frames().get(0).module().startsWith("[kernel"));
    assertTrue(
        kernel > 0.3, () -> "samples of file reads with their leaf in the kernel: " + kernel);
  }

  /**
   * In 95 % of the stacks with a function the given functions stand in this order, leaf first,
   * others between.
   */
  private static void assertOrder(Picture picture, String having, List<String> functions) {
    Picture of = picture.where(stack -> stack.contains(having));
    double inOrder =
        of.share(
            stack -> {
              int next = 0;
              for (var frame : stack.frames()) {
                next +=
                    next < functions.size() && frame.function().startsWith(functions.get(next))
                        ? 1
                        : 0;
              }
              return next == functions.size();
            });
    assertTrue(
        inOrder > 0.95,
        () ->
            inOrder
                + " of the stacks have "
                + functions
                + "\n"
                + of.stacks().stream().limit(5).toList());
  }

  @Test
  void collectorThreadsAreNamedAndWhole() {
    for (String collector : List.of("-XX:+UseG1GC", "-XX:+UseParallelGC")) {
      Path own = directory.resolve(collector.substring(5));
      ChildResult result =
          ChildJvm.in(own)
              .agent(AGENT)
              .jvm(collector, "-Xmx128m")
              .main(GcLoad.class, 4)
              .run(Deadlines.RUN_SECONDS);
      assertEquals(0, result.exitCode(), result::toString);
      Profiles.assertRules(result);
      Picture gc = result.picture().where(stack -> stack.thread().matches("(GC|G1|ParallelGC).*"));
      assertTrue(gc.samples() > 200, () -> collector + " " + threads(result.picture()));
      assertTrue(gc.rootShare() >= 0.99, gc::troubles);
      assertTrue(gc.namedShare() >= 0.995, gc::troubles);
    }
  }

  private static String threads(Picture picture) {
    return picture.counts(stack -> List.of(stack.thread())).toString();
  }
}
