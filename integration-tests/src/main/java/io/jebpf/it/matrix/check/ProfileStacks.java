package io.jebpf.it.matrix.check;

import io.jebpf.it.matrix.check.StackCheck.Frame;
import io.jebpf.it.matrix.check.StackCheck.Kind;
import io.jebpf.it.pprof.Profile;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Frames of our own profiles, written with {@code tiers=true,hidden=true}, as the judge has them.
 */
final class ProfileStacks {
  private static final Pattern TIER = Pattern.compile("(.+)_\\[[01ij]]");

  static final String NO_UNWIND_INFORMATION = "[native frames without unwind information]";

  private ProfileStacks() {}

  static List<Frame> of(Profile.Stack stack) {
    return stack.frames().stream().map(ProfileStacks::frame).toList();
  }

  private static Frame frame(Profile.Frame frame) {
    String name = frame.function();
    Kind kind = kind(name, frame.module());
    String place =
        kind == Kind.STOP && frame.address() != 0 ? " at " + Long.toHexString(frame.address()) : "";
    return new Frame(kind, javaName(name) + place);
  }

  private static String javaName(String name) {
    Matcher tier = TIER.matcher(name);
    return tier.matches() ? tier.group(1) : name;
  }

  private static Kind kind(String name, String module) {
    return switch (module) {
      case "[jebpf]" -> marker(name);
      case "[kernel.kallsyms]" -> Kind.KERNEL;
      case "[jvm stubs]" -> Kind.STUB;
      case "[jvm]", "[jvm inlined]", "[jvm interpreted]" ->
          name.startsWith("[unknown") ? Kind.UNNAMED : Kind.JAVA;
      default -> Kind.NATIVE;
    };
  }

  private static Kind marker(String name) {
    if (name.startsWith("[cut:") || name.contains("too many frames")) {
      return Kind.DEPTH;
    }
    // What has no unwind information has no frames that could be shown: only Java's are judged.
    if (name.equals(NO_UNWIND_INFORMATION)) {
      return Kind.NATIVE;
    }
    return name.startsWith("[unwind stopped") ? Kind.STOP : Kind.GAP;
  }
}
