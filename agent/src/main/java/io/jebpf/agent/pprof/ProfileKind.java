package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The profiles that a window becomes: what their samples say, and where in the window they are. */
public enum ProfileKind {
  /** Where threads ran. */
  CPU("cpu", "cpu", new Value("samples", "count"), new Value("cpu", "nanoseconds")) {
    @Override
    ProfileRows rows(Window window, WindowOrder order) {
      return new CpuRows(window, order);
    }
  },
  /** Where threads waited, and for what. */
  OFFCPU(
      "offcpu",
      "offcpu",
      new Value("waits", "count"),
      new Value("offcpu", "nanoseconds"),
      new Value("runqueue", "nanoseconds")) {
    @Override
    ProfileRows rows(Window window, WindowOrder order) {
      return new OffCpuRows(window, order);
    }
  },
  /** Both in one: where time went. */
  WALL("wall", "wall", new Value("wall", "nanoseconds")) {
    @Override
    ProfileRows rows(Window window, WindowOrder order) {
      return new WallRows(window, order);
    }
  };

  /** A sample type. */
  record Value(String type, String unit) {}

  private final String fileName;
  private final String main;
  private final List<Value> sampleTypes;

  ProfileKind(String fileName, String main, Value... values) {
    this.fileName = fileName;
    this.main = main;
    this.sampleTypes = List.of(values);
  }

  /** Beginning of the files' names. */
  public String fileName() {
    return fileName;
  }

  /** The sample type that is shown first, and that the period is of. */
  String main() {
    return main;
  }

  List<Value> sampleTypes() {
    return sampleTypes;
  }

  /** Its samples, in the order of their stacks. */
  abstract ProfileRows rows(Window window, WindowOrder order);

  ProfileRows rows(Window window) {
    return rows(window, new WindowOrder(window));
  }

  /** The time of a row: asleep and waiting for a CPU together. */
  long nanos(ProfileRows rows) {
    return switch (this) {
      case CPU -> rows.value(1);
      case OFFCPU -> rows.value(1) + rows.value(2);
      case WALL -> rows.value(0);
    };
  }

  /**
   * Whether the samples with ids of spans are bounded: waits, of which a service has as many as it
   * has spans. Of running threads there are no more than the clock takes.
   */
  boolean boundsSpans() {
    return this != CPU;
  }

  /** By its name, as it is written in files' names. */
  public static Optional<ProfileKind> named(String name) {
    return Arrays.stream(values()).filter(kind -> kind.fileName.equals(name)).findFirst();
  }

  /** Whether a window has no sample of this kind. */
  public boolean isEmpty(Window window) {
    return switch (this) {
      case CPU -> window.rows() == 0;
      case OFFCPU -> window.waitRows() == 0;
      case WALL -> window.rows() == 0 && window.waitRows() == 0;
    };
  }
}
