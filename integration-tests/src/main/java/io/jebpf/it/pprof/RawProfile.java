package io.jebpf.it.pprof;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * One pprof profile as it stands in the file: ids and string indexes unresolved, so that {@link
 * PprofRules} can judge them. {@link Profile} is the resolved form.
 */
public final class RawProfile {
  record ValueType(long type, long unit) {}

  record Label(long key, long str, long num, long numUnit) {}

  record Sample(long[] locations, long[] values, List<Label> labels) {}

  record Mapping(long id, long filename, boolean hasFunctions) {}

  record Line(long function, long line) {}

  record Location(long id, long mapping, long address, List<Line> lines) {}

  record Function(long id, long name, long systemName, long filename) {}

  final List<ValueType> sampleTypes = new ArrayList<>();
  final List<Sample> samples = new ArrayList<>();
  final List<Mapping> mappings = new ArrayList<>();
  final List<Location> locations = new ArrayList<>();
  final List<Function> functions = new ArrayList<>();
  final List<String> strings = new ArrayList<>();
  final List<Long> comments = new ArrayList<>();
  boolean hasPeriodType;
  ValueType periodType = new ValueType(0, 0);
  long period;
  long timeNanos;
  long durationNanos;
  long defaultSampleType;
  boolean gzipped;
  int bodyBytes;

  private RawProfile() {}

  /** Reads a file; {@link MalformedProfile} when its bytes are not a profile. */
  public static RawProfile read(Path file) {
    try {
      return parse(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    } catch (MalformedProfile e) {
      throw new MalformedProfile(file + ": " + e.getMessage(), e);
    }
  }

  /** Wall-clock time of the start, nanoseconds since 1970. */
  public long timeNanos() {
    return timeNanos;
  }

  public int sampleCount() {
    return samples.size();
  }

  /** Bytes before compression. */
  public int bodyBytes() {
    return bodyBytes;
  }

  /** {@code type:unit} of each sample type, and of the period. */
  public List<String> typeNames() {
    List<String> names = new ArrayList<>();
    sampleTypes.forEach(type -> names.add(typeName(type)));
    names.add(typeName(periodType));
    return names;
  }

  private String typeName(ValueType type) {
    return strings.get((int) type.type()) + ":" + strings.get((int) type.unit());
  }

  public static RawProfile parse(byte[] file) throws IOException {
    RawProfile profile = new RawProfile();
    profile.gzipped = file.length > 2 && (file[0] & 0xff) == 0x1f && (file[1] & 0xff) == 0x8b;
    byte[] body = file;
    if (profile.gzipped) {
      try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(file))) {
        body = in.readAllBytes();
      }
    }
    profile.bodyBytes = body.length;
    ProtoReader in = new ProtoReader(body);
    while (in.next()) {
      profile.field(in);
    }
    return profile;
  }

  private void field(ProtoReader in) {
    switch (in.field()) {
      case 1 -> sampleTypes.add(valueType(in.message()));
      case 2 -> samples.add(sample(in.message()));
      case 3 -> mappings.add(mapping(in.message()));
      case 4 -> locations.add(location(in.message()));
      case 5 -> functions.add(function(in.message()));
      case 6 -> strings.add(in.string());
      case 9 -> timeNanos = in.varint();
      case 10 -> durationNanos = in.varint();
      case 11 -> {
        hasPeriodType = true;
        periodType = valueType(in.message());
      }
      case 12 -> period = in.varint();
      case 13 -> {
        LongList list = new LongList();
        in.integers(list);
        for (long index : list.toArray()) {
          comments.add(index);
        }
      }
      case 14 -> defaultSampleType = in.varint();
      default -> in.skip();
    }
  }

  private static ValueType valueType(ProtoReader in) {
    long type = 0;
    long unit = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> type = in.varint();
        case 2 -> unit = in.varint();
        default -> in.skip();
      }
    }
    return new ValueType(type, unit);
  }

  private static Sample sample(ProtoReader in) {
    LongList locations = new LongList();
    LongList values = new LongList();
    List<Label> labels = new ArrayList<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> in.integers(locations);
        case 2 -> in.integers(values);
        case 3 -> labels.add(label(in.message()));
        default -> in.skip();
      }
    }
    return new Sample(locations.toArray(), values.toArray(), labels);
  }

  private static Label label(ProtoReader in) {
    long[] fields = new long[5];
    while (in.next()) {
      if (in.field() <= 4) {
        fields[in.field()] = in.varint();
      } else {
        in.skip();
      }
    }
    return new Label(fields[1], fields[2], fields[3], fields[4]);
  }

  private static Mapping mapping(ProtoReader in) {
    long id = 0;
    long filename = 0;
    boolean hasFunctions = false;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> id = in.varint();
        case 5 -> filename = in.varint();
        case 7 -> hasFunctions = in.bool();
        default -> in.skip();
      }
    }
    return new Mapping(id, filename, hasFunctions);
  }

  private static Location location(ProtoReader in) {
    long id = 0;
    long mapping = 0;
    long address = 0;
    List<Line> lines = new ArrayList<>();
    while (in.next()) {
      switch (in.field()) {
        case 1 -> id = in.varint();
        case 2 -> mapping = in.varint();
        case 3 -> address = in.varint();
        case 4 -> lines.add(line(in.message()));
        default -> in.skip();
      }
    }
    return new Location(id, mapping, address, lines);
  }

  private static Line line(ProtoReader in) {
    long function = 0;
    long line = 0;
    while (in.next()) {
      switch (in.field()) {
        case 1 -> function = in.varint();
        case 2 -> line = in.varint();
        default -> in.skip();
      }
    }
    return new Line(function, line);
  }

  private static Function function(ProtoReader in) {
    long[] fields = new long[6];
    while (in.next()) {
      if (in.field() <= 5) {
        fields[in.field()] = in.varint();
      } else {
        in.skip();
      }
    }
    return new Function(fields[1], fields[2], fields[3], fields[4]);
  }
}
