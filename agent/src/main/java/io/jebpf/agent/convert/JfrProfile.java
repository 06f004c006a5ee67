package io.jebpf.agent.convert;

import io.jebpf.agent.pprof.ProfileData;
import io.jebpf.agent.pprof.ProfileData.Frame;
import io.jebpf.agent.pprof.ProfileData.Sample;
import io.jebpf.agent.pprof.ProfileData.SampleType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import one.convert.Arguments;
import one.convert.JfrConverter;
import one.jfr.JfrReader;
import one.jfr.StackTrace;
import one.jfr.event.Event;

/**
 * A flight recording of the JDK or of async-profiler, read by async-profiler's converter and put
 * into the form of a profile. (The converter's own pprof lacks a period type, mapping ids, time and
 * duration, without which servers refuse it or worse.) Not on the agent's path.
 */
public final class JfrProfile {
  private final Kind kind;
  private final ProfileData data;
  private final long period;

  /** What can be taken from a recording. */
  public enum Kind {
    /** Execution samples. */
    CPU(
        "",
        List.of(new SampleType("samples", "count"), new SampleType("cpu", "nanoseconds")),
        new SampleType("cpu", "nanoseconds")),
    /** Allocations that were sampled, with the bytes they stand for. */
    ALLOC(
        "--alloc",
        List.of(new SampleType("alloc_objects", "count"), new SampleType("alloc_space", "bytes")),
        new SampleType("space", "bytes")),
    /** Contended monitors and parked threads. */
    LOCK(
        "--lock",
        List.of(new SampleType("contentions", "count"), new SampleType("delay", "nanoseconds")),
        new SampleType("contentions", "count"));

    private final String argument;
    private final List<SampleType> types;
    private final SampleType periodType;

    Kind(String argument, List<SampleType> types, SampleType periodType) {
      this.argument = argument;
      this.types = types;
      this.periodType = periodType;
    }
  }

  private JfrProfile(Kind kind, ProfileData data, long period) {
    this.kind = kind;
    this.data = data;
    this.period = period;
  }

  /**
   * Reads the events of one kind.
   *
   * @throws IOException when the file is no recording, or has none of them
   */
  public static JfrProfile read(Path recording, Kind kind) throws IOException {
    try (JfrReader reader = new JfrReader(recording.toString())) {
      List<String> arguments = new ArrayList<>(List.of("--threads", "--dot"));
      if (!kind.argument.isEmpty()) {
        arguments.add(kind.argument);
      }
      Samples samples =
          new Samples(
              reader,
              new Arguments(arguments.toArray(String[]::new)),
              kind,
              kind == Kind.CPU ? JdkPeriod.nanos(recording) : 1);
      samples.convert();
      if (samples.found.isEmpty()) {
        throw new IOException(recording + " has no events of kind " + kind);
      }
      ProfileData data =
          new ProfileData(
              kind.types,
              samples.found,
              reader.startNanos,
              reader.durationNanos(),
              List.of("converted from " + recording.getFileName()));
      return new JfrProfile(kind, data, samples.period());
    } catch (RuntimeException e) { // what the library does with a file that is damaged
      throw new IOException(recording + " is no readable flight recording: " + e, e);
    }
  }

  public ProfileData data() {
    return data;
  }

  public SampleType periodType() {
    return kind.periodType;
  }

  public long period() {
    return period;
  }

  /** Collects samples, chunk by chunk: the tables of names are the chunk's. */
  private static final class Samples extends JfrConverter {
    private final Kind kind;
    private final long jdkPeriodNanos;
    private final List<Sample> found = new ArrayList<>();
    private final Map<Frame, Frame> frames = new HashMap<>();

    Samples(JfrReader reader, Arguments arguments, Kind kind, long jdkPeriodNanos) {
      super(reader, arguments);
      this.kind = kind;
      this.jdkPeriodNanos = jdkPeriodNanos;
    }

    @Override
    protected void convertChunk() {
      collector.forEach(this::add);
    }

    private void add(Event event, long samples, long value) {
      StackTrace trace = jfr.stackTraces.get(event.stackTraceId);
      if (trace == null) {
        return; // an event that was recorded without its stack
      }
      List<Frame> stack = new ArrayList<>(trace.methods.length + 1);
      if (event.classId() != 0) {
        stack.add(shared(new Frame(getClassName(event.classId()), "", 0, "[jvm]")));
      }
      for (int i = 0; i < trace.methods.length; i++) {
        stack.add(shared(frame(trace, i)));
      }
      String thread = jfr.threads.get(event.tid);
      Map<String, String> labels = thread == null ? Map.of() : Map.of("thread", thread);
      long total = kind == Kind.CPU ? samples * period() : Math.round(value * counterFactor());
      found.add(new Sample(List.copyOf(stack), new long[] {samples, total}, labels));
    }

    private Frame frame(StackTrace trace, int at) {
      byte type = trace.types[at];
      String mapping =
          switch (type) {
            case one.convert.Frame.TYPE_INLINED -> "[jvm inlined]";
            case one.convert.Frame.TYPE_INTERPRETED -> "[jvm interpreted]";
            case one.convert.Frame.TYPE_KERNEL -> "[kernel.kallsyms]";
            case one.convert.Frame.TYPE_NATIVE, one.convert.Frame.TYPE_CPP -> "[native]";
            default -> "[jvm]";
          };
      String name = getMethodName(trace.methods[at], type);
      return new Frame(name, "", trace.locations[at] >>> 16, mapping);
    }

    private Frame shared(Frame frame) {
      return frames.computeIfAbsent(frame, f -> f);
    }

    /** Between two samples: nanoseconds for CPU, 1 for what is counted one by one. */
    private long period() {
      return kind == Kind.CPU ? interval() : 1;
    }

    /** async-profiler says {@code interval} in nanoseconds; the JDK's is in another place. */
    private long interval() {
      String interval = jfr.settings.getOrDefault("interval", "");
      return interval.matches("[1-9]\\d{0,17}") ? Long.parseLong(interval) : jdkPeriodNanos;
    }
  }
}
