package io.jebpf.it.matrix.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Judges stacks of one cell: whether they are whole, and whether the program can have produced
 * their pairs of Java frames. The same for every profiler; only how their frames are written
 * differs.
 */
final class StackCheck {
  /** What a frame is, as far as the judge has to know. */
  enum Kind {
    JAVA,
    /** Code of a library, or of the JVM outside its code cache: native code was entered. */
    NATIVE,
    /** Code that the JVM generated: stubs, adapters. Calls pass through it. */
    STUB,
    KERNEL,
    /** The stack ends here, short of its root, for another reason than its depth. */
    STOP,
    /** A frame without a name: whatever stands beside it cannot be judged. */
    UNNAMED,
    /** Frames were left out because of the depth limit. */
    DEPTH,
    /** Frames were left out, the stack goes on. */
    GAP
  }

  record Frame(Kind kind, String name) {}

  private static final int EXAMPLES_MAX = 12;

  /** Of a stack that is not whole, frames shown above the place where it ends. */
  private static final int CALLEES_SHOWN = 3;

  /** Stacks with an impossible pair that are shown, from the leaf on. */
  private static final int STACKS_MAX = 3;

  private static final int FRAMES_SHOWN = 40;

  /** Functions in which threads begin; the JVM's, where the C library has no symbols. */
  private static final Pattern ROOT =
      Pattern.compile(
          "_*(clone3?|start_thread|_start|libc_start_main.*|libc_start_call_main|ret_from_fork.*"
              + "|entry_SYSCALL_64.*|thread_native_entry.*|main|ThreadJavaMain)(@.*)?"
              + "|thread_native_entry\\(Thread\\*\\)"
              // of a virtual thread; of one whose frames were all frozen a moment ago, and of one
              // that is being mounted: neither has a frame of its own on the stack
              + "|jdk\\.internal\\.vm\\.Continuation\\.(enter|doYield|enterSpecial)"
              + "|StubRoutines::cont_thaw");

  /**
   * What enterSpecial calls on the way to a virtual thread's first method, which has no frame yet.
   */
  private static final Pattern ENTERING =
      Pattern.compile("I2C/C2I adapter|Shared Runtime resolve_static_call_blob");

  /**
   * First Java methods of threads: where profilers begin that leave out the native frames below and
   * between Java's.
   */
  private static final Pattern JAVA_ROOT =
      Pattern.compile(
          "java\\.lang\\.Thread\\.run|java\\.util\\.concurrent\\.ForkJoinWorkerThread\\.run"
              + "|io\\.jebpf\\.it\\.matrix\\.MatrixLoad\\.main");

  private final CallRules rules;
  private final boolean javaOnly;
  private final Map<String, Long> impossible = new TreeMap<>();
  private final Map<String, Long> unknown = new TreeMap<>();
  private final Map<String, Long> broken = new TreeMap<>();
  private final List<List<String>> impossibleStacks = new ArrayList<>();
  private long samples;
  private long whole;
  private long byDepth;
  private long pairs;

  /** {@code javaOnly}: the profiler shows native frames at the leaf only. */
  StackCheck(CallRules rules, boolean javaOnly) {
    this.rules = rules;
    this.javaOnly = javaOnly;
  }

  /** One stack, leaf first. */
  void add(List<Frame> stack, long count) {
    samples += count;
    boolean depth = stack.stream().anyMatch(frame -> frame.kind() == Kind.DEPTH);
    boolean stopped =
        stack.stream().anyMatch(frame -> frame.kind() == Kind.STOP || frame.kind() == Kind.GAP);
    Frame root = stack.get(stack.size() - 1);
    boolean rooted =
        ROOT.matcher(root.name()).matches() || javaOnly && JAVA_ROOT.matcher(root.name()).matches();
    boolean entering =
        ENTERING.matcher(root.name()).matches()
            && stack.stream().noneMatch(frame -> frame.kind() == Kind.JAVA);
    if (!stopped && (depth || rooted || entering)) {
      whole += count;
      byDepth += depth ? count : 0;
    } else {
      note(broken, end(stack), count);
    }
    long before = impossible.size();
    pairs(stack, count);
    if (impossible.size() > before && impossibleStacks.size() < STACKS_MAX) {
      impossibleStacks.add(stack.stream().limit(FRAMES_SHOWN).map(Frame::name).toList());
    }
  }

  private static String end(List<Frame> stack) {
    for (int i = 0; i < stack.size(); i++) {
      Frame frame = stack.get(i);
      if (frame.kind() == Kind.STOP || frame.kind() == Kind.GAP) {
        List<Frame> above = stack.subList(Math.max(0, i - CALLEES_SHOWN), i);
        return frame.name() + " below " + above.reversed().stream().map(Frame::name).toList();
      }
    }
    return "root " + stack.get(stack.size() - 1).name();
  }

  private void pairs(List<Frame> stack, long count) {
    String callee = "";
    boolean throughNative = false;
    boolean throughStub = false;
    for (Frame frame : stack) {
      switch (frame.kind()) {
        case NATIVE -> throughNative = true;
        case STUB -> throughStub = true;
        case KERNEL -> {}
        case STOP, DEPTH, GAP, UNNAMED -> callee = "";
        case JAVA -> {
          if (!callee.isEmpty()) {
            pair(frame.name(), callee, throughNative, throughStub, count);
          }
          callee = frame.name();
          throughNative = false;
          throughStub = false;
        }
      }
    }
  }

  private void pair(
      String caller, String callee, boolean throughNative, boolean throughStub, long count) {
    pairs += count;
    CallRules.Verdict verdict =
        throughNative ? rules.throughNative(caller, callee) : rules.direct(caller, callee);
    boolean mayBeNative = throughStub || javaOnly;
    if (mayBeNative && !throughNative && verdict != CallRules.Verdict.POSSIBLE) {
      verdict = rules.throughNative(caller, callee);
    }
    String pair = caller + (throughNative ? " =native=> " : " -> ") + callee;
    switch (verdict) {
      case POSSIBLE -> {}
      case IMPOSSIBLE -> note(impossible, pair, count);
      case UNKNOWN -> note(unknown, pair, count);
    }
  }

  private static void note(Map<String, Long> into, String what, long count) {
    into.merge(what, count, Long::sum);
  }

  long samples() {
    return samples;
  }

  long whole() {
    return whole;
  }

  long byDepth() {
    return byDepth;
  }

  long pairs() {
    return pairs;
  }

  long impossiblePairs() {
    return sum(impossible);
  }

  long unknownPairs() {
    return sum(unknown);
  }

  private static long sum(Map<String, Long> counts) {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** What is wrong, for people. */
  String troubles() {
    return "broken "
        + top(broken)
        + "\n  impossible "
        + top(impossible)
        + (impossibleStacks.isEmpty() ? "" : " in " + impossibleStacks)
        + "\n  unknown "
        + top(unknown);
  }

  private static String top(Map<String, Long> counts) {
    return counts.entrySet().stream()
        .sorted(Map.Entry.<String, Long>comparingByValue().reversed())
        .limit(EXAMPLES_MAX)
        .toList()
        .toString();
  }
}
