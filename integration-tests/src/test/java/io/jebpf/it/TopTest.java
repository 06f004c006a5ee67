package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.workload.AttachLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Command {@code top}, as text and on a real terminal. */
@Beside
@KernelTest
class TopTest {
  private static final int READY_SECONDS = 120;
  private static final long DEADLINE_NANOS = 120_000_000_000L;

  @TempDir Path directory;

  private RunningJvm target() {
    RunningJvm running =
        ChildJvm.in(directory.resolve("target"))
            .jvm("-XX:+EnableDynamicAgentLoading")
            .main(AttachLoad.class, 600)
            .start();
    running.awaitOutput("ready=1", READY_SECONDS);
    return running;
  }

  @Test
  void withoutATerminalItPrintsSecondsAndLeavesNothing() throws Exception {
    try (RunningJvm running = target()) {
      Tools.Outcome outcome = Jebpf.run(directory, "top", running.pid(), "-n", "4");
      assertEquals(0, outcome.exitCode(), outcome.output());
      String text = outcome.output();
      assertEquals(4, text.lines().filter(line -> line.startsWith("jebpf top - ")).count(), text);
      assertFalse(text.contains("\033"), "no escape codes");
      assertTrue(text.contains("io.jebpf.it.workload.Burn.spin"), text);
      // A whole core less what the machine does beside: its bar begins with running.
      assertTrue(
          text.lines().anyMatch(line -> line.matches("hot before the attach +\\d+\\.\\d #.*")),
          text);
      assertTrue(
          text.lines()
              .anyMatch(line -> line.matches("waits before the attach .*-.*AttachLoad\\.waits")),
          text);
      awaitNothingLeft(running.pid());
      assertEquals(List.of(), Stderr.application(running.stderr()));
    }
  }

  private static void awaitNothingLeft(long pid) throws InterruptedException {
    long deadline = System.nanoTime() + DEADLINE_NANOS;
    while (!Tools.bpfObjectsOf(pid).isEmpty()) {
      assertTrue(System.nanoTime() < deadline, "BPF objects are left");
      Thread.sleep(100);
    }
    assertEquals(Set.of(), Tools.bpfObjectsOf(pid));
  }

  @Test
  void onATerminalItTakesKeysAndGivesTheScreenBack() throws Exception {
    Tools.need("tmux");
    try (RunningJvm running = target();
        Tmux tmux = new Tmux(directory)) {
      tmux.run("new-session", "-d", "-x", "120", "-y", "40", "sh");
      tmux.keys("PS1='prom''pt> '; clear", "Enter"); // what is typed is not the prompt itself
      tmux.await("prompt>");
      tmux.keys(String.join(" ", Jebpf.command("top", running.pid())), "Enter");
      String both = tmux.await("hot before the attach");
      assertTrue(both.contains("SELF%  TOTAL%  METHOD") && both.contains("Burn.spin"), both);
      assertTrue(both.lines().count() <= 40, both);
      tmux.keys("H");
      String methods = tmux.awaitNot("THREAD  ");
      assertTrue(methods.contains("METHOD"), methods);
      tmux.keys("H");
      String threads = tmux.awaitNot("METHOD");
      assertTrue(threads.contains("waits before the attach"), threads);
      tmux.keys("h");
      tmux.await("order methods by CPU time of their own");
      tmux.keys("h");
      tmux.keys("Space");
      tmux.await("[paused]");
      tmux.keys("q");
      tmux.awaitNot("jebpf top - ");
      tmux.await("\nprompt>\n"); // the shell's own again: until then keys go to top
      tmux.keys("stty -a", "Enter");
      tmux.await(" echo ");
      awaitNothingLeft(running.pid());
    }
  }

  @Test
  void itSaysWhyItEnds() throws Exception {
    Tools.Outcome absent = Jebpf.run(directory, "top", "4000000000");
    assertEquals(1, absent.exitCode());
    assertTrue(
        absent.output().startsWith("jebpf: top failed: there is no process"), absent.output());
    assertEquals(2, Jebpf.run(directory, "top").exitCode());
  }

  /** A terminal multiplexer of our own, found by no other. */
  private static final class Tmux implements AutoCloseable {
    private final Path directory;

    Tmux(Path directory) {
      this.directory = directory;
    }

    Tools.Outcome run(String... arguments) throws Exception {
      List<String> command =
          new ArrayList<>(
              List.of("tmux", "-S", directory.resolve("tmux").toString(), "-f", "/dev/null"));
      command.addAll(List.of(arguments));
      return Tools.run(directory, command.toArray(String[]::new));
    }

    void keys(String... keys) throws Exception {
      List<String> arguments = new ArrayList<>(List.of("send-keys"));
      arguments.addAll(List.of(keys));
      run(arguments.toArray(String[]::new));
    }

    private String screen() throws Exception {
      return run("capture-pane", "-p").output();
    }

    String await(String text) throws Exception {
      return await(text, true);
    }

    String awaitNot(String text) throws Exception {
      return await(text, false);
    }

    private String await(String text, boolean there) throws Exception {
      long deadline = System.nanoTime() + DEADLINE_NANOS;
      String screen = screen();
      while (screen.contains(text) != there) {
        if (System.nanoTime() > deadline) {
          throw new AssertionError((there ? "no " : "still ") + text + " in\n" + screen);
        }
        Thread.sleep(100);
        screen = screen();
      }
      return screen;
    }

    @Override
    public void close() throws IOException {
      try {
        run("kill-server");
      } catch (Exception e) {
        throw new IOException(e);
      }
      Files.deleteIfExists(directory.resolve("tmux"));
    }
  }
}
