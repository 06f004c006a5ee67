package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.bench.AttachCycles;
import io.jebpf.it.bench.AttachCycles.Held;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.AttachLoad;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The agent in a JVM that was started without it. */
@Beside
@KernelTest
class AttachTest {
  private static final int LIFE_SECONDS = 600;
  private static final int READY_SECONDS = 120;
  private static final int NOBODY = 65534;

  @TempDir Path directory;

  private ChildJvm target(String... flags) {
    return ChildJvm.in(directory.resolve("target"))
        .quick()
        .jvm("-XX:+EnableDynamicAgentLoading")
        .jvm(flags)
        .main(AttachLoad.class, LIFE_SECONDS, 1);
  }

  private Tools.Outcome jebpf(Object... arguments) throws Exception {
    return jebpf(List.of(), arguments);
  }

  private Tools.Outcome jebpf(List<String> prefix, Object... arguments) throws Exception {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(Jebpf.command(arguments));
    return Tools.run(directory, command.toArray(String[]::new));
  }

  /** A life as a user leads it: attach, look, change, detach, nothing left. */
  @Test
  void attachedLateItSeesWhatWasThereBefore() throws Exception {
    try (RunningJvm running = target().start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      Path out = directory.resolve("out");
      Tools.Outcome attached =
          jebpf("attach", running.pid(), "cpu=199", "budget=100%", "window=2s", "out=" + out);
      assertEquals(0, attached.exitCode(), attached.output());
      assertTrue(attached.output().contains(" 199 Hz, profiles in " + out), attached.output());
      Set<String> held = Tools.bpfObjectsOf(running.pid());
      assertFalse(held.isEmpty(), "an attached agent holds BPF objects");

      Tools.Outcome changed = jebpf("attach", running.pid(), "cpu=499");
      assertTrue(changed.output().startsWith("jebpf: changed: "), changed.output());
      assertTrue(changed.output().contains(",cpu=499,"), changed.output());
      assertEquals(held, Tools.bpfObjectsOf(running.pid()), "rates change without a new start");

      Tools.Outcome refused = jebpf("attach", running.pid(), "colour=red");
      assertEquals(1, refused.exitCode(), refused.output());
      assertTrue(refused.output().contains("unknown key 'colour'"), refused.output());
      Thread.sleep(5_000);

      Path other = directory.resolve("other");
      Tools.Outcome moved = jebpf("attach", running.pid(), "out=" + other);
      assertEquals(0, moved.exitCode(), moved.output());
      assertTrue(moved.output().contains(" 499 Hz, profiles in " + other), moved.output());

      Tools.Outcome detached = jebpf("detach", running.pid());
      assertEquals(0, detached.exitCode(), detached.output());
      assertTrue(detached.output().contains(" samples in "), detached.output());
      assertEquals(Set.of(), Tools.bpfObjectsOf(running.pid()));
      for (String object : held) {
        Tools.assertNoBpfObject(directory, object);
      }
      assertNoThreadOfOurs(running.pid());
      Tools.Outcome again = jebpf("detach", running.pid());
      assertTrue(again.output().startsWith("jebpf: nothing to stop"), again.output());

      assertTruth(out);
      assertEquals(List.of(), Stderr.application(running.stderr()), running.stderr());
      // Two lives, a refused change, and nothing else.
      assertEquals(5, Stderr.own(running.stderr()).size(), running.stderr());
    }
  }

  private static void assertTruth(Path out) throws IOException {
    List<Profile> cpu = profiles(out, "cpu");
    Picture picture = Picture.of(cpu);
    Picture hot = picture.where(stack -> stack.contains(AttachLoad.class.getName() + ".hot"));
    assertTrue(hot.samples() > 200, picture::troubles);
    assertEquals(1.0, hot.share(stack -> stack.thread().equals("hot before the attach")), 0.001);
    assertEquals(1.0, hot.share(stack -> stack.contains("io.jebpf.it.workload.Burn.spin")), 0.02);
    assertTrue(picture.rootShare() > 0.99, picture::troubles);
    assertTrue(picture.namedShare() > 0.99, picture::troubles);
    List<Profile.Stack> waits =
        profiles(out, "offcpu").stream().flatMap(profile -> profile.stacks().stream()).toList();
    for (String method : List.of("waits", "parked")) {
      assertTrue(
          waits.stream()
              .filter(stack -> stack.contains(AttachLoad.class.getName() + "." + method))
              .anyMatch(stack -> stack.thread().equals(method + " before the attach")),
          () -> "no wait of " + method);
    }
  }

  private static List<Profile> profiles(Path directory, String kind) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(kind + "-"))
          .sorted()
          .map(Profile::read)
          .toList();
    }
  }

  private static void assertNoThreadOfOurs(long pid) throws IOException {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/" + pid + "/task"))) {
      for (Path task : tasks.toList()) {
        String name = Files.readString(task.resolve("comm")).strip();
        assertFalse(name.startsWith("jebpf"), () -> "thread " + name);
      }
    }
  }

  @Test
  void jcmdLoadsItAsWell() throws Exception {
    try (RunningJvm running = target().start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      jcmd(running, "'cpu=99,out=off'");
      awaitOwn(running, " at 99 Hz, profiles in no file");
      jcmd(running, "detach");
      awaitOwn(running, "stopped: ");
      assertEquals(Set.of(), Tools.bpfObjectsOf(running.pid()));
    }
  }

  private void jcmd(RunningJvm running, String options) throws Exception {
    Tools.Outcome outcome =
        Tools.run(
            directory,
            Path.of(System.getProperty("java.home"), "bin/jcmd").toString(),
            Long.toString(running.pid()),
            "JVMTI.agent_load",
            Locations.agentJar().toString(),
            options);
    assertEquals(0, outcome.exitCode(), outcome.output());
  }

  private static void awaitOwn(RunningJvm running, String text) throws InterruptedException {
    long deadline = System.nanoTime() + Deadlines.RUN_SECONDS * 1_000_000_000L;
    while (Stderr.own(running.stderr()).stream().noneMatch(line -> line.contains(text))) {
      assertTrue(System.nanoTime() < deadline, () -> "no line " + text + ": " + running.stderr());
      Thread.sleep(20);
    }
  }

  /** Its own mounts with the jar hidden and another /tmp, and its own process numbers. */
  @Test
  void aContainerIsReachedFromOutside() throws Exception {
    Path jarDirectory = Locations.agentJar().getParent();
    String hide =
        "mount -t tmpfs tmpfs " + jarDirectory + " && mount -t tmpfs tmpfs /tmp && exec \"$@\"";
    ChildJvm jvm =
        target().prefix("unshare", "-m", "-p", "-f", "--mount-proc", "sh", "-c", hide, "sh");
    try (RunningJvm running = jvm.start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      long pid = javaBelow(running.pid());
      Tools.Outcome attached = jebpf("attach", pid, "cpu=499", "window=2s", "out=/tmp/profiles");
      assertEquals(0, attached.exitCode(), attached.output());
      Thread.sleep(3_000);
      Tools.Outcome detached = jebpf("detach", pid);
      assertEquals(0, detached.exitCode(), detached.output());
      Path root = Path.of("/proc/" + pid + "/root/tmp");
      Picture picture = Picture.of(profiles(root.resolve("profiles"), "cpu"));
      assertTrue(
          picture.where(s -> s.contains(AttachLoad.class.getName() + ".hot")).samples() > 20,
          picture::troubles);
      try (Stream<Path> files = Files.list(root)) {
        assertEquals(
            List.of(),
            files.filter(f -> f.getFileName().toString().startsWith("jebpf")).toList(),
            "files left in the container");
      }
    }
  }

  /** The JVM behind unshare and its fork. */
  private static long javaBelow(long pid) {
    return ProcessHandle.of(pid).stream()
        .flatMap(ProcessHandle::descendants)
        .filter(child -> child.info().command().orElse("").endsWith("/java"))
        .findFirst()
        .orElseThrow()
        .pid();
  }

  @Test
  void anotherUsersJvmIsReachedByRootAndRefusedToOthers() throws Exception {
    Tools.need("setpriv");
    ChildJvm jvm =
        target("-Xshare:auto")
            .prefix(
                "setpriv",
                "--reuid=" + NOBODY,
                "--regid=" + NOBODY,
                "--clear-groups",
                "--inh-caps=+bpf,+perfmon",
                "--ambient-caps=+bpf,+perfmon");
    Files.setPosixFilePermissions(
        directory, java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    try (RunningJvm running = jvm.start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      leaveSocket(running.pid());
      Tools.Outcome attached = jebpf("attach", running.pid(), "out=off");
      assertEquals(0, attached.exitCode(), attached.output());
      Tools.Outcome refused =
          jebpf(
              List.of("setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"),
              "detach",
              running.pid());
      assertEquals(1, refused.exitCode(), refused.output());
      assertTrue(refused.output().contains("belongs to nobody"), refused.output());
      assertTrue(refused.output().contains("sudo -u nobody"), refused.output());
      Tools.Outcome detached = jebpf("detach", running.pid());
      assertEquals(0, detached.exitCode(), detached.output());
    }
  }

  /** What a killed JVM leaves that had this number before; another user's cannot remove it. */
  private static void leaveSocket(long pid) throws IOException {
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of("/tmp/.java_pid" + pid));
    }
  }

  @Test
  void whatCannotBeAttachedToIsSaidInOneLine() throws Exception {
    refused("attach", 4_000_000_000L, "there is no process");
    Process sleep = new ProcessBuilder("sleep", "600").start();
    try {
      refused("attach", sleep.pid(), "is no HotSpot JVM");
      assertTrue(sleep.isAlive(), "the JDK's attach would have ended it");
    } finally {
      sleep.destroyForcibly();
    }
    try (RunningJvm running = target("-XX:+DisableAttachMechanism").start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      refused("attach", running.pid(), "-XX:+DisableAttachMechanism");
    }
    try (RunningJvm running = target("-XX:-EnableDynamicAgentLoading").start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      refused("attach", running.pid(), "-XX:-EnableDynamicAgentLoading");
    }
    var java17 = Locations.jdk(17);
    Assumptions.assumeTrue(java17.isPresent(), "skipped in part: no JDK 17 under /usr/lib/jvm");
    Path source = directory.resolve("Sleeper.java");
    Files.writeString(
        source,
        "class Sleeper { public static void main(String[] a) throws Exception {"
            + " System.out.println(\"ready=1\"); Thread.sleep(600000); } }");
    ChildJvm old =
        ChildJvm.in(directory.resolve("old")).javaHome(java17.get()).program(source.toString());
    try (RunningJvm running = old.start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      refused("attach", running.pid(), "this JVM is Java 17, and the agent needs 22 or newer");
    }
  }

  private void refused(String command, long pid, String why) throws Exception {
    Tools.Outcome outcome = jebpf(command, pid);
    assertEquals(1, outcome.exitCode(), outcome.output());
    assertEquals(1, outcome.output().lines().count(), outcome.output());
    assertTrue(outcome.output().contains(why), outcome.output());
  }

  /** A slice of the thousand cycles of {@code make soak}. */
  @Test
  void cyclesLeaveNothing() throws Exception {
    AttachCycles.Result result = AttachCycles.run(directory, 6, 6, false);
    assertEquals(0, result.answersFailed());
    Held before = result.before();
    Held after = result.after();
    assertEquals(before.fds(), after.fds(), result::toString);
    assertEquals(0, after.bpf(), result::toString);
    assertTrue(after.threads() <= before.threads(), result::toString);
    Held last = before;
    for (Held reading : result.readings()) {
      // A class that is used for the first time makes its constants; what leaks does so without.
      boolean explained = reading.classes() > last.classes();
      assertTrue(explained || reading.instances() <= last.instances(), result::toString);
      last = reading;
    }
    // Our own classes that are used for the first time later on, and the JVM's for its reflection.
    assertTrue(after.classes() - before.classes() <= 40, result::toString);
  }
}
