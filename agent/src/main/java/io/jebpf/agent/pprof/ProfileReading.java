package io.jebpf.agent.pprof;

import static io.jebpf.agent.pprof.PprofField.*;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** Takes one pprof file apart and shows its parts; for people's tools, not on the agent's path. */
final class ProfileReading {
  private final byte[] bytes;
  private final List<String> strings = new ArrayList<>();
  private final Map<Long, Long> functionNames = new HashMap<>();
  private final Map<Long, Long> locationFunctions = new HashMap<>();
  private final List<ProtoCursor> samples = new ArrayList<>();
  private final List<Long> comments = new ArrayList<>();
  private long durationNanos;

  ProfileReading(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Gets the parts. */
  interface Sink {
    void duration(long nanos);

    void comment(String text);

    void sample(String[] leafFirst, long[] values, Map<String, String> labels);
  }

  static ProfileReading of(Path file) throws IOException {
    try (InputStream in =
        new GZIPInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      return new ProfileReading(in.readAllBytes());
    }
  }

  void show(Sink sink) throws IOException {
    ProtoCursor profile = new ProtoCursor(bytes, 0, bytes.length);
    while (profile.next()) {
      switch (profile.field()) {
        case PROFILE_STRING_TABLE -> strings.add(profile.text(StandardCharsets.UTF_8));
        case PROFILE_FUNCTION -> pair(profile.nested(), FUNCTION_ID, FUNCTION_NAME);
        case PROFILE_LOCATION -> location(profile.nested());
        case PROFILE_SAMPLE -> samples.add(profile.nested());
        case PROFILE_COMMENT -> comments.add(profile.number());
        case PROFILE_DURATION_NANOS -> durationNanos = profile.number();
        default -> {} // not needed here
      }
    }
    sink.duration(durationNanos);
    for (long comment : comments) {
      sink.comment(strings.get((int) comment));
    }
    for (ProtoCursor sample : samples) {
      sample(sample, sink);
    }
  }

  private void pair(ProtoCursor message, int keyField, int valueField) throws IOException {
    long key = 0;
    long value = 0;
    while (message.next()) {
      key = message.field() == keyField ? message.number() : key;
      value = message.field() == valueField ? message.number() : value;
    }
    functionNames.put(key, value);
  }

  private void location(ProtoCursor message) throws IOException {
    long id = 0;
    long function = 0;
    while (message.next()) {
      if (message.field() == LOCATION_ID) {
        id = message.number();
      } else if (message.field() == LOCATION_LINE && function == 0) {
        ProtoCursor line = message.nested();
        while (line.next()) {
          function = line.field() == LINE_FUNCTION_ID ? line.number() : function;
        }
      }
    }
    locationFunctions.put(id, function);
  }

  private void sample(ProtoCursor message, Sink sink) throws IOException {
    String[] names = {};
    long[] values = {};
    Map<String, String> labels = new HashMap<>();
    while (message.next()) {
      if (message.field() == SAMPLE_LOCATION_ID) {
        names = Arrays.stream(message.packed()).mapToObj(this::name).toArray(String[]::new);
      } else if (message.field() == SAMPLE_VALUE) {
        values = message.packed();
      } else if (message.field() == SAMPLE_LABEL) {
        label(message.nested(), labels);
      }
    }
    sink.sample(names, values, labels);
  }

  private String name(long location) {
    long function = locationFunctions.getOrDefault(location, 0L);
    return strings.get((int) (long) functionNames.getOrDefault(function, 0L));
  }

  private void label(ProtoCursor message, Map<String, String> into) throws IOException {
    long key = 0;
    long text = 0;
    while (message.next()) {
      key = message.field() == LABEL_KEY ? message.number() : key;
      text = message.field() == LABEL_STR ? message.number() : text;
    }
    into.put(strings.get((int) key), strings.get((int) text));
  }
}
