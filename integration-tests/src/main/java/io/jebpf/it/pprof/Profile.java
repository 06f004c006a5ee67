package io.jebpf.it.pprof;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One profile with everything resolved: stacks of frames, labels, values. */
public record Profile(
    Path file,
    List<String> sampleTypes,
    List<Stack> stacks,
    List<String> comments,
    long timeNanos,
    long durationNanos,
    String periodType,
    long period) {

  /** One frame; {@code file} is "", {@code line} and {@code address} are 0 where unknown. */
  public record Frame(String function, String file, long line, String module, long address) {
    public Frame(String function, String file, long line, String module) {
      this(function, file, line, module, 0);
    }

    @Override
    public String toString() {
      return function + (file.isEmpty() ? "" : " (" + file + ":" + line + ")");
    }
  }

  /** One stack, leaf first, with its label values and one value per sample type. */
  public record Stack(List<Frame> frames, Map<String, String> labels, long[] values) {
    public String thread() {
      return labels.getOrDefault("thread", "");
    }

    /** The outermost frame. */
    public Frame root() {
      return frames.get(frames.size() - 1);
    }

    public boolean contains(String function) {
      return frames.stream().anyMatch(frame -> frame.function().equals(function));
    }
  }

  /** Bytes that came from elsewhere. */
  public static Profile of(byte[] gzipped) throws IOException {
    return resolve(Path.of("received"), RawProfile.parse(gzipped));
  }

  public static Profile read(Path file) {
    return resolve(file, RawProfile.read(file));
  }

  private static Profile resolve(Path file, RawProfile raw) {
    List<Frame> frames = new ArrayList<>();
    for (RawProfile.Location location : raw.locations) {
      RawProfile.Line line = location.lines().get(0);
      RawProfile.Function function = raw.functions.get((int) line.function() - 1);
      String module =
          location.mapping() == 0
              ? ""
              : text(raw, raw.mappings.get((int) location.mapping() - 1).filename());
      frames.add(
          new Frame(
              text(raw, function.name()),
              text(raw, function.filename()),
              line.line(),
              module,
              location.address()));
    }
    List<Stack> stacks = new ArrayList<>();
    for (RawProfile.Sample sample : raw.samples) {
      Map<String, String> labels = new HashMap<>();
      for (RawProfile.Label label : sample.labels()) {
        labels.put(text(raw, label.key()), text(raw, label.str()));
      }
      List<Frame> stack =
          Arrays.stream(sample.locations()).mapToObj(id -> frames.get((int) id - 1)).toList();
      stacks.add(new Stack(stack, Map.copyOf(labels), sample.values()));
    }
    return new Profile(
        file,
        raw.sampleTypes.stream().map(type -> name(raw, type)).toList(),
        stacks,
        raw.comments.stream().map(index -> text(raw, index)).toList(),
        raw.timeNanos,
        raw.durationNanos,
        name(raw, raw.periodType),
        raw.period);
  }

  private static String name(RawProfile raw, RawProfile.ValueType type) {
    return text(raw, type.type()) + "/" + text(raw, type.unit());
  }

  private static String text(RawProfile raw, long index) {
    return raw.strings.get((int) index);
  }

  /** The position of a sample type such as {@code cpu/nanoseconds}. */
  public int valueIndex(String sampleType) {
    int index = sampleTypes.indexOf(sampleType);
    if (index < 0) {
      throw new IllegalArgumentException(
          file + " has no sample type " + sampleType + ", only " + sampleTypes);
    }
    return index;
  }
}
