package io.jebpf.it.matrix.check;

import io.jebpf.it.matrix.check.StackCheck.Frame;
import io.jebpf.it.matrix.check.StackCheck.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** A line of async-profiler's collapsed stacks, written with {@code threads,ann}. */
record CollapsedStacks(String thread, List<Frame> frames, long count) {
  private static final Pattern JAVA = Pattern.compile("(.+)_\\[[01ij]]");
  private static final Pattern HIDDEN = Pattern.compile("[./+]0x[0-9a-f]+(?=\\.)");
  private static final Pattern LAMBDA_NUMBER = Pattern.compile("\\$\\$Lambda\\$\\d+");

  /** Root first in the file, leaf first here. The first frame is the thread. */
  static CollapsedStacks parse(String line) {
    int space = line.lastIndexOf(' ');
    String[] parts = line.substring(0, space).split(";");
    List<Frame> frames = new ArrayList<>();
    for (int i = parts.length - 1; i > 0; i--) {
      frames.add(frame(parts[i]));
    }
    String thread = parts[0].replaceAll("^\\[(.*) tid=\\d+]$", "$1");
    return new CollapsedStacks(thread, frames, Long.parseLong(line.substring(space + 1)));
  }

  private static Frame frame(String text) {
    if (JAVA.matcher(text).matches()) {
      String name = JAVA.matcher(text).replaceAll("$1").replace('/', '.');
      name = HIDDEN.matcher(name).replaceAll("");
      return new Frame(Kind.JAVA, LAMBDA_NUMBER.matcher(name).replaceAll("\\$\\$Lambda"));
    }
    if (text.endsWith("_[k]")) {
      return new Frame(Kind.KERNEL, text);
    }
    if (text.startsWith("[break_") || text.startsWith("[unknown_") || text.startsWith("[not_")) {
      return new Frame(Kind.STOP, text);
    }
    return new Frame(Kind.NATIVE, text);
  }
}
