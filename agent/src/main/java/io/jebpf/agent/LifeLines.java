package io.jebpf.agent;

import io.jebpf.agent.engine.Engine;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.pipeline.AgentIdentity;
import io.jebpf.agent.pipeline.Snapshot;
import io.jebpf.agent.pipeline.WindowWriter;
import io.jebpf.agent.upload.Sender;
import io.jebpf.bpf.WalkCounts;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The two lines of a normal run. */
final class LifeLines {
  private LifeLines() {}

  static String start(
      String version, AgentIdentity identity, Options options, Engine.Facts engine, String http) {
    return version
        + " started: Linux "
        + engine.kernel()
        + ", JVM "
        + identity.jvm()
        + ", "
        + engine.engine()
        + " at "
        + options.cpuHz()
        + " Hz, profiles in "
        + options.out().map(Object::toString).orElse("no file (out=off)")
        + options.uploads().startText()
        + (http.isEmpty() ? "" : ", HTTP on " + http)
        + (engine.missing().isEmpty() ? "" : "; missing: " + engine.missingText());
  }

  static String stop(Snapshot last, WindowWriter writer, Optional<Sender> sender) {
    return String.format(
        Locale.ROOT,
        "stopped: %d samples in %d files (%d bytes), %d lost, %.2f%% of stacks whole%s, %.2f%% of"
            + " frames named, %d files failed%s, kernel programs took %.3f s%s%s",
        last.taken(),
        writer.filesWritten(),
        writer.bytesWritten(),
        last.counters().lost() + last.discarded(),
        last.counters().walks().wholePercent(),
        notWhole(last.counters().walks()),
        percent(last.frames() - last.framesUnresolved(), last.frames()),
        writer.filesFailed(),
        sender.map(Sender::summary).orElse(""),
        last.counters().programNanos() / 1e9,
        rates(last.rateChanges() + last.tickChanges()),
        memoryErrors(last, writer));
  }

  private static String rates(long changes) {
    return changes == 0
        ? ""
        : ", rates changed " + changes + " times (option budget, or a request)";
  }

  private static String memoryErrors(Snapshot last, WindowWriter writer) {
    long errors = last.memoryErrors() + writer.memoryErrors();
    return errors == 0
        ? ""
        : ", " + errors + " OutOfMemoryErrors in the agent cost " + last.discarded() + " samples";
  }

  /** The reasons of stacks that are not whole, with their counts; empty when all are. */
  private static String notWhole(WalkCounts walks) {
    List<String> reasons = new ArrayList<>();
    walks.each(
        (name, count) -> {
          if (count > 0 && !name.equals("root")) {
            reasons.add(name + " " + count);
          }
        });
    return reasons.isEmpty() ? "" : " (" + String.join(", ", reasons) + ")";
  }

  private static double percent(long part, long whole) {
    return whole == 0 ? 100 : 100.0 * part / whole;
  }
}
