package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.tools.attach.VirtualMachine;
import io.jebpf.it.Beside;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.RunningJvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The way from premain into the agent's own module, with a stand-in for the profiler that makes
 * real downcalls and says where it runs. Needs no rights.
 */
@Beside
final class BootTest {
  private static final List<String> EXPECTED =
      List.of(
          "probe module: module io.jebpf",
          "probe native access: true",
          "probe strlen: 10",
          "probe context loader is ours: true",
          "probe parent: true",
          "probe licence: true",
          "probe instrumentation: true",
          "probe thread group: system");

  @TempDir static Path jarDirectory;
  private static Path jar;

  @TempDir Path directory;

  @BeforeAll
  static void makeJar() throws IOException {
    jar = Probe.agentJar(jarDirectory.resolve("probe.jar"));
  }

  private ChildJvm child(String options, String... flags) throws IOException {
    return Probe.host(directory, "view").agentJar(jar).agent(options).withoutOut().jvm(flags);
  }

  private static void assertStarted(ChildResult result) {
    assertEquals(0, result.exitCode(), result.toString());
    List<String> lines = result.stderr().lines().toList();
    for (String expected : EXPECTED) {
      assertTrue(lines.contains(expected), expected + " is missing in " + result);
    }
    // No warning of the JDK, nor anything else that the stand-in did not say.
    assertEquals(
        List.of(), lines.stream().filter(line -> !line.startsWith("probe ")).toList(), "stderr");
  }

  @Test
  void downcallsGiveNoWarning() throws IOException {
    ChildResult result = child("a=b").run(20);
    assertStarted(result);
    assertTrue(result.stderr().contains("probe arguments: a=b\n"), result.toString());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Xshare:off",
        "-Xint",
        "-XX:TieredStopAtLevel=1",
        "-XX:+UseSerialGC",
        "-Djava.awt.headless=true",
        "-Xcheck:jni",
        "-XX:+DisableAttachMechanism"
      })
  void theUsualFlagsDoNotMatter(String flag) throws IOException {
    assertStarted(child("", flag).run(30));
  }

  @Test
  void nativeAccessDeniedToOthersIsNotDeniedToUs() throws IOException {
    if (Runtime.version().feature() >= 24) {
      assertStarted(child("", "--illegal-native-access=deny").run(20));
    }
    assertStarted(child("", "--enable-native-access=java.base").run(20));
  }

  @Test
  void aLimitedModuleGraphIsEnough() throws IOException {
    ChildResult result = child("", "--limit-modules", "java.base").run(20);
    assertStarted(result);
    assertTrue(result.stderr().contains("probe java.management: false\n"), result.toString());
    assertTrue(result.stderr().contains("probe jdk.httpserver: false\n"), result.toString());
  }

  @Test
  void modulesOfTheJdkAreReadWhenTheyAreThere() throws IOException {
    ChildResult result = child("").run(20);
    assertTrue(result.stderr().contains("probe java.management: true\n"), result.toString());
    assertTrue(result.stderr().contains("probe jdk.httpserver: true\n"), result.toString());
    assertTrue(result.stderr().contains("probe java.net.http: true\n"), result.toString());
  }

  @Test
  void thePathOfTheJarMayHaveOddCharacters() throws IOException {
    Path odd = Files.createDirectories(directory.resolve("a b+c%20ü#1!x"));
    Path copy = Files.copy(jar, odd.resolve("je bpf.jar"));
    assertStarted(child("").agentJar(copy).run(20));
  }

  @Test
  void aRelativePathIsEnough() throws IOException {
    Files.copy(jar, directory.resolve("probe.jar"));
    assertStarted(child("").agentJar(Path.of("probe.jar")).run(20));
  }

  @Test
  void aFailureInsideIsOneLineAndTheApplicationRunsOn() throws IOException {
    ChildResult result = child("throw").run(20);
    assertEquals(0, result.exitCode(), result.toString());
    assertEquals(
        "jebpf: not started: java.lang.IllegalStateException: asked to fail; the application runs"
            + " on, unprofiled\n",
        result.stderr());
  }

  @Test
  void anIncompleteJarIsOneLineAndTheApplicationRunsOn() throws IOException {
    Path broken = Probe.without(jar, directory.resolve("broken.jar"), "jebpf/packages");
    ChildResult result = child("").agentJar(broken).run(20);
    assertEquals(0, result.exitCode(), result.toString());
    assertEquals(1, result.stderr().lines().count(), result.toString());
    assertTrue(result.stderr().contains("has no entry jebpf/packages"), result.toString());
  }

  @Test
  void twoAgentsOnOneCommandLineAreOne() throws IOException {
    ChildResult result = child("first", "-javaagent:" + jar + "=second").run(20);
    assertEquals(0, result.exitCode(), result.toString());
    assertTrue(result.stderr().contains("probe arguments: first\n"), result.toString());
    assertFalse(result.stderr().contains("probe arguments: second\n"), result.toString());
    assertTrue(
        result
            .stderr()
            .contains("jebpf: was already started in this JVM: this second start does nothing\n"),
        result.toString());
  }

  @Test
  void attachedTwiceTheSameClassesAreAsked() throws Exception {
    ChildJvm sleeper = Probe.host(directory, "sleep").jvm("-XX:+EnableDynamicAgentLoading");
    try (RunningJvm running = sleeper.start()) {
      running.awaitOutput("ready", 20);
      VirtualMachine machine = VirtualMachine.attach(Long.toString(running.pid()));
      try {
        machine.loadAgent(jar.toString(), "one");
        awaitLine(running, "probe request: 1");
        machine.loadAgent(jar.toString(), "two");
        awaitLine(running, "probe arguments: two");
        awaitLine(running, "probe request: 2");
      } finally {
        machine.detach();
      }
      assertFalse(running.stderr().contains("WARNING"), running.stderr());
    }
  }

  @Test
  void afterAFailedStartASecondAttachMayTryAgain() throws Exception {
    ChildJvm sleeper = Probe.host(directory, "sleep").jvm("-XX:+EnableDynamicAgentLoading");
    try (RunningJvm running = sleeper.start()) {
      running.awaitOutput("ready", 20);
      VirtualMachine machine = VirtualMachine.attach(Long.toString(running.pid()));
      try {
        machine.loadAgent(jar.toString(), "throw");
        awaitLine(
            running,
            "jebpf: not started: java.lang.IllegalStateException: asked to fail; the application"
                + " runs on, unprofiled");
        machine.loadAgent(jar.toString(), "again");
        awaitLine(running, "probe arguments: again");
      } finally {
        machine.detach();
      }
    }
  }

  private static void awaitLine(RunningJvm running, String line) throws InterruptedException {
    long deadline = System.nanoTime() + 10_000_000_000L;
    while (running.stderr().lines().noneMatch(line::equals)) {
      assertTrue(System.nanoTime() < deadline, "no \"" + line + "\" in " + running.stderr());
      Thread.sleep(10);
    }
  }
}
