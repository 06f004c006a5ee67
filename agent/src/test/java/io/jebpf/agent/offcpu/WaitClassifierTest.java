package io.jebpf.agent.offcpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The tables on stacks of real JVMs, kept in stacks.txt. Each begins with a line {@code == reason
 * idle|busy thread}, and has its frames leaf first: {@code k} kernel, {@code n} native, {@code j}
 * Java, {@code s} stubs.
 */
class WaitClassifierTest {
  record Recorded(String reason, boolean idle, String thread, List<Frame> frames) {
    @Override
    public String toString() {
      return reason + (idle ? " idle " : " busy ") + thread;
    }
  }

  static Stream<Recorded> recorded() throws IOException {
    List<Recorded> stacks = new ArrayList<>();
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                WaitClassifierTest.class.getResourceAsStream("stacks.txt"),
                StandardCharsets.UTF_8))) {
      List<Frame> frames = List.of();
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (line.startsWith("== ")) {
          String[] words = line.substring(3).split(" ", 3);
          frames = new ArrayList<>();
          stacks.add(new Recorded(words[0], words[1].equals("idle"), words[2], frames));
        } else if (!line.isBlank() && !line.startsWith("#")) {
          frames.add(frame(line.charAt(0), line.substring(2)));
        }
      }
    }
    return stacks.stream();
  }

  private static Frame frame(char kind, String function) {
    FrameKind frameKind =
        switch (kind) {
          case 'k' -> FrameKind.KERNEL;
          case 'n' -> FrameKind.NATIVE;
          case 'j' -> FrameKind.COMPILED;
          case 's' -> FrameKind.STUB;
          default -> throw new IllegalArgumentException("frame kind " + kind);
        };
    return new Frame(frameKind, function, "", 0, "", true);
  }

  @ParameterizedTest
  @MethodSource("recorded")
  void realStacks(Recorded stack) {
    WaitClassifier.Verdict verdict = new WaitClassifier().classify(stack.frames());
    assertEquals(stack.reason(), verdict.reason().label());
    assertEquals(
        stack.idle(),
        verdict.idle() || WaitClassifier.isIdleThread(stack.thread()),
        "idle: " + stack.thread());
  }

  @Test
  void everyReasonButTheLastHasARule() {
    TreeSet<String> ruled = new TreeSet<>();
    WaitRules.REASONS.forEach(rule -> ruled.add(rule.result().label()));
    for (WaitReason reason : WaitReason.values()) {
      assertTrue(ruled.contains(reason.label()), reason.label());
    }
  }

  @Test
  void aPoolsThreadThatWaitsForALockIsNotIdle() {
    List<Frame> stack = new ArrayList<>();
    stack.add(frame('k', "futex_wait"));
    stack.add(frame('j', "jdk.internal.misc.Unsafe.park"));
    stack.add(frame('j', "java.util.concurrent.locks.LockSupport.park"));
    stack.add(frame('j', "java.util.concurrent.locks.ReentrantLock.lockInterruptibly"));
    stack.add(frame('j', "java.util.concurrent.LinkedBlockingQueue.take"));
    stack.add(frame('j', "java.util.concurrent.ThreadPoolExecutor.getTask"));
    WaitClassifier.Verdict verdict = new WaitClassifier().classify(stack);
    assertEquals(WaitReason.LOCK, verdict.reason());
    assertFalse(verdict.idle());
  }

  @Test
  void anEmptyStackIsOther() {
    assertEquals(
        new WaitClassifier.Verdict(WaitReason.OTHER, false),
        new WaitClassifier().classify(List.of()));
  }

  @Test
  void prefixesAndWholeNames() {
    WaitRule<String> rule = WaitRule.of("r", 0, "a.b", "c*");
    assertTrue(rule.matches("a.b"));
    assertFalse(rule.matches("a.bc"));
    assertTrue(rule.matches("cd"));
    assertTrue(rule.matches("c"));
    assertFalse(rule.matches(""));
  }

  @Test
  void thePageHasEveryRule() throws IOException {
    String page = Files.readString(Path.of("..", "docs", "offcpu.md"));
    List<String> missing = new ArrayList<>();
    WaitRules.REASONS.forEach(
        rule -> {
          if (!page.contains("`" + rule.result().label() + "`")) {
            missing.add(rule.result().label());
          }
          rule.functions().stream()
              .filter(f -> !f.equals("*") && !page.contains("`" + f + "`"))
              .forEach(missing::add);
        });
    WaitRules.IDLE.forEach(
        rule ->
            rule.functions().stream()
                .filter(f -> !page.contains("`" + f + "`"))
                .forEach(missing::add));
    WaitRules.IDLE_THREADS.stream()
        .filter(t -> !page.contains("`" + t + "`"))
        .forEach(missing::add);
    if (Boolean.getBoolean("golden.update")) {
      Files.writeString(Path.of("..", "docs", "offcpu.md"), RulesPage.update(page));
      return;
    }
    Assertions.assertEquals(List.of(), missing, "rules that docs/offcpu.md does not have");
    assertEquals(page, RulesPage.update(page), "run with -Dgolden.update=true");
  }
}
