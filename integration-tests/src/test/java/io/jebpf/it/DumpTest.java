package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.MemoryLoad;
import io.jebpf.it.workload.PoolLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Triggers of the flight recorder in real JVMs: a dump is written by itself, of what was before.
 */
@Beside
@KernelTest
class DumpTest {
  private static final int LOAD_SECONDS = 600; // ended by the test

  @TempDir Path directory;

  /** The JVM is really out of memory, for everybody in it. */
  @Test
  void anOutOfMemoryErrorIsDumped() throws Exception {
    ChildJvm child =
        ChildJvm.in(directory)
            .agent("dump.on=oom,cpu=499,budget=100%")
            .quick()
            .jvm("-Xmx48m")
            .main(MemoryLoad.class, 2, LOAD_SECONDS);
    try (RunningJvm jvm = child.start()) {
      jvm.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      assertEquals(List.of(), dumps(jvm), "dumps before there was a reason");
      jvm.awaitOutput("errors=1", Deadlines.RUN_SECONDS);
      Profile dump = Profile.read(await(jvm, "dump-oom-cpu"));
      assertTrue(
          dump.stacks().stream()
              .anyMatch(stack -> stack.frames().toString().contains("MemoryLoad.main")),
          "what was before the error is in the dump");
      assertTrue(jvm.alive(), "the application goes on");
    }
  }

  @Test
  void threadsOfAPoolThatWaitAreDumped() throws Exception {
    ChildJvm child =
        ChildJvm.in(directory)
            .agent("dump.on=off,dump.offcpu=pool-*:50%/3s,dump.hourly=1,dump.last=3s")
            .quick()
            .main(PoolLoad.class, LOAD_SECONDS);
    try (RunningJvm jvm = child.start()) {
      jvm.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
      Profile dump = Profile.read(await(jvm, "dump-offcpu-offcpu"));
      assertTrue(
          dump.stacks().stream()
              .anyMatch(stack -> stack.frames().toString().contains("PoolLoad.rest")),
          "the waits are in the dump");
    }
  }

  @Test
  void threadsOfAnotherPoolAreNot() throws Exception {
    ChildJvm child =
        ChildJvm.in(directory)
            .agent("dump.on=off,dump.offcpu=other-*:1%/1s")
            .quick()
            .main(PoolLoad.class, 4);
    try (RunningJvm jvm = child.start()) {
      jvm.awaitOutput("rounds=", Deadlines.RUN_SECONDS);
      assertEquals(List.of(), dumps(jvm), "no thread has such a name");
    }
  }

  private static Path await(RunningJvm jvm, String prefix) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(Deadlines.RUN_SECONDS);
    while (System.nanoTime() < deadline && jvm.alive()) {
      Optional<Path> found =
          dumps(jvm).stream()
              .filter(file -> file.getFileName().toString().startsWith(prefix))
              .findFirst();
      if (found.isPresent()) {
        return found.get();
      }
      Thread.sleep(50);
    }
    throw new AssertionError("no " + prefix + ": " + dumps(jvm) + "\n" + jvm.stderr());
  }

  private static List<Path> dumps(RunningJvm jvm) throws IOException {
    if (!Files.isDirectory(jvm.profiles())) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(jvm.profiles())) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("dump-"))
          .filter(file -> file.getFileName().toString().endsWith(".pb.gz"))
          .toList();
    }
  }
}
