package io.jebpf.it.matrix.check;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.matrix.MatrixLoad;
import io.jebpf.it.pprof.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Runs one cell: a JVM of its own, under our agent or under async-profiler, at 999 samples a
 * second.
 *
 * @param library the JNI library with unwind tables; {@code bareLibrary}: the one without
 * @param asyncProfiler its library
 * @param prefix command before {@code java}, may be empty
 */
record CellRun(
    Path directory,
    Path library,
    Path bareLibrary,
    Path asyncProfiler,
    List<String> prefix,
    int seconds,
    CallRules rules) {
  static final String JEBPF = "jebpf";
  static final String ASYNC = "async";

  private static final int DEADLINE_SECONDS = 900; // most of it to wait for a free CPU
  private static final int HZ = 999;

  /** Parks of virtual threads are left out: for them VirtualThread gets calls that it has not. */
  private static final String AGENT =
      ",offcpu.idle=true,offcpu.vthreads=false,budget=1000%,window=3s,tiers=true,hidden=true";

  private static final Pattern REFUSED =
      Pattern.compile("(?m)^(Error occurred|Unrecognized|Error: ).*");

  /** What came of it, and what a person wants to see of it. */
  record Outcome(CellResult result, String troubles) {}

  Outcome jebpf(Cell cell) throws IOException {
    Path work = work(cell, JEBPF);
    ChildResult child =
        child(cell, work)
            .agent("cpu=" + HZ + AGENT)
            .main(MatrixLoad.class, arguments(cell))
            .run(DEADLINE_SECONDS);
    String failure = failure(work, child);
    if (!failure.isEmpty()) {
      return new Outcome(CellResult.without(cell, JEBPF, failure), child.toString());
    }
    StackCheck check = new StackCheck(rules, false);
    StackCheck process = new StackCheck(rules, false);
    long lost = 0;
    for (Profile profile : child.profiles()) {
      lost += fact(profile, "samples_lost");
      int count = profile.valueIndex("samples/count");
      for (Profile.Stack stack : profile.stacks()) {
        List<StackCheck.Frame> frames = ProfileStacks.of(stack);
        process.add(frames, stack.values()[count]);
        if (isOfLoad(cell, stack.thread())) {
          check.add(frames, stack.values()[count]);
        }
      }
    }
    String others = "\n  whole process: " + process.whole() + " of " + process.samples() + " whole";
    WaitWalks waits = WaitWalks.of(child.profiles("offcpu"), cell.load().startsWith("jni"));
    return new Outcome(
        CellResult.of(cell, JEBPF, check, lost, waits.all(), waits.whole()),
        check.troubles() + others + "\n  " + waits.troubles());
  }

  Outcome async(Cell cell) throws IOException {
    Path work = work(cell, ASYNC);
    Path output = work.resolve("stacks.collapsed");
    ChildResult child =
        child(cell, work)
            .jvm(
                "-agentpath:"
                    + asyncProfiler
                    + "=start,event=cpu,interval="
                    + 1_000_000_000 / HZ
                    + ",cstack=vm,jstackdepth=2048,threads,ann,collapsed,file="
                    + output)
            .main(MatrixLoad.class, arguments(cell))
            .run(DEADLINE_SECONDS);
    String failure = failure(work, child);
    if (failure.isEmpty() && !Files.exists(output)) {
      failure = "no output";
    }
    if (!failure.isEmpty()) {
      return new Outcome(CellResult.without(cell, ASYNC, failure), child.toString());
    }
    StackCheck check = new StackCheck(rules, true);
    try (Stream<String> lines = Files.lines(output)) {
      lines
          .map(CollapsedStacks::parse)
          .filter(stack -> !stack.frames().isEmpty())
          .filter(stack -> isOfLoad(cell, stack.thread()))
          .forEach(stack -> check.add(stack.frames(), stack.count()));
    }
    return new Outcome(CellResult.of(cell, ASYNC, check, 0), check.troubles());
  }

  private Path work(Cell cell, String profiler) throws IOException {
    Path work =
        directory.resolve(profiler).resolve(cell.name().replace('/', '_').replace(' ', '_'));
    if (Files.exists(work)) {
      try (Stream<Path> old = Files.walk(work)) {
        for (Path file : old.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    return Files.createDirectories(work);
  }

  private ChildJvm child(Cell cell, Path work) {
    ChildJvm child = ChildJvm.in(work).jvm(cell.jvmFlags());
    if (!prefix.isEmpty()) {
      child.prefix(prefix.toArray(String[]::new));
    }
    return child;
  }

  private Object[] arguments(Cell cell) {
    return new Object[] {seconds * 1000, cell.isBare() ? bareLibrary : library, cell.loadName()};
  }

  /** Empty when the run ended well. */
  private static String failure(Path work, ChildResult child) throws IOException {
    try (Stream<Path> files = Files.list(work)) {
      if (files.anyMatch(file -> file.getFileName().toString().startsWith("hs_err"))) {
        return "crashed";
      }
    }
    if (child.exitCode() > 128) {
      return "crashed, exit " + child.exitCode();
    }
    if (child.exitCode() != 0) {
      Matcher refused = REFUSED.matcher(child.stderr() + "\n" + child.stdout());
      return refused.find() ? "refused: " + refused.group() : "exit " + child.exitCode();
    }
    return child.stdout().contains("=absent") ? "absent" : "";
  }

  /** The threads that run the load: carriers, if it is one of virtual threads. */
  private static boolean isOfLoad(Cell cell, String thread) {
    return thread.equals(cell.loadName())
        || cell.load().equals("virtual") && thread.startsWith("ForkJoinPool-1-worker");
  }

  private static long fact(Profile profile, String key) {
    return profile.comments().stream()
        .filter(comment -> comment.startsWith(key + "="))
        .mapToLong(comment -> Long.parseLong(comment.substring(key.length() + 1)))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(profile.file() + " has no " + key));
  }
}
