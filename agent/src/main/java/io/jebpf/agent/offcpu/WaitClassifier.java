package io.jebpf.agent.offcpu;

import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import java.util.ArrayList;
import java.util.List;

/**
 * Says what the stack of a waiting thread means, by the tables of {@link WaitRules}. Owner: thread
 * "jebpf-reader". Asked once for each different stack, so plain loops will do.
 */
final class WaitClassifier {
  /** Frames from the leaf that are looked at at all. */
  static final int FRAMES_MAX = 160;

  /**
   * What a stack means.
   *
   * @param reason why the thread waits
   * @param idle whether there is just nothing to do for it
   */
  record Verdict(WaitReason reason, boolean idle) {}

  private final List<String> functions = new ArrayList<>();
  private final List<Integer> javaAbove = new ArrayList<>(); // Java frames nearer to the leaf

  /** {@code leafFirst}: the frames of a stack, at least {@link #FRAMES_MAX} where it has them. */
  Verdict classify(List<Frame> leafFirst) {
    functions.clear();
    javaAbove.clear();
    int java = 0;
    for (int i = 0; i < Math.min(FRAMES_MAX, leafFirst.size()); i++) {
      Frame frame = leafFirst.get(i);
      functions.add(frame.resolved() ? frame.function() : "");
      javaAbove.add(java);
      java += isJava(frame.kind()) ? 1 : 0;
    }
    WaitReason reason = first(WaitRules.REASONS, FRAMES_MAX, WaitReason.OTHER);
    return new Verdict(reason, !first(WaitRules.IDLE, idleReach(reason), "").isEmpty());
  }

  /**
   * How many Java frames from the leaf may say that a thread is idle. One that waits for a lock or
   * a page is not, wherever it waits; one that waits inside the JVM is only if it called just that.
   */
  private static int idleReach(WaitReason reason) {
    return switch (reason) {
      case MONITOR, LOCK, CLASS_INIT, STOPPED, SAFEPOINT, FILE, PAGE_FAULT, MEMORY -> 0;
      case GC, JVM, FUTEX, OTHER -> 1;
      case SLEEP,
          OBJECT_WAIT,
          PARK,
          SOCKET_ACCEPT,
          SOCKET_CONNECT,
          SOCKET_READ,
          SOCKET_WRITE,
          EPOLL,
          POLL,
          PIPE,
          PROCESS ->
          FRAMES_MAX;
    };
  }

  /** Whether all waits of a thread are idle, whatever its stack. */
  static boolean isIdleThread(String name) {
    for (int i = 0; i < WaitRules.IDLE_THREADS.size(); i++) {
      if (name.startsWith(WaitRules.IDLE_THREADS.get(i))) {
        return true;
      }
    }
    return false;
  }

  private <T> T first(List<WaitRule<T>> rules, int reach, T otherwise) {
    for (WaitRule<T> rule : rules) {
      int javaMax = Math.min(reach, Math.max(1, rule.frames()));
      for (int i = 0; i < functions.size() && javaAbove.get(i) < javaMax; i++) {
        if (rule.matches(functions.get(i))) {
          return rule.result();
        }
      }
    }
    return otherwise;
  }

  private static boolean isJava(FrameKind kind) {
    return switch (kind) {
      case COMPILED, COMPILED_C1, INLINED, INTERPRETED, NATIVE_METHOD -> true;
      case STUB, NATIVE, KERNEL, MARKER -> false;
    };
  }
}
