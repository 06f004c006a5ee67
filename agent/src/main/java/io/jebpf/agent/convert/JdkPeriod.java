package io.jebpf.agent.convert;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import jdk.jfr.EventType;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;

/**
 * The sampling interval of a recording of the JDK, by the JDK's own reader: the converter's keeps
 * settings by their name only, and every periodic event has one named {@code period}.
 */
final class JdkPeriod {
  /** As in default.jfc. */
  private static final long STANDARD_NANOS = 20_000_000;

  private static final String SAMPLE = "jdk.ExecutionSample";
  private static final String SETTING = "jdk.ActiveSetting";

  private JdkPeriod() {}

  /** Nanoseconds between two samples of a thread; the JDK's default when it is not recorded. */
  static long nanos(Path recording) {
    try (RecordingFile file = new RecordingFile(recording)) {
      Map<Long, String> names = new HashMap<>();
      for (EventType type : file.readEventTypes()) {
        names.put(type.getId(), type.getName());
      }
      while (file.hasMoreEvents()) {
        RecordedEvent event = file.readEvent();
        if (event.getEventType().getName().equals(SETTING)
            && SAMPLE.equals(names.get(event.getLong("id")))
            && "period".equals(event.getString("name"))) {
          return parse(event.getString("value"));
        }
      }
    } catch (IOException | RuntimeException | NoClassDefFoundError e) {
      return STANDARD_NANOS; // no such setting, or a JDK without its reader
    }
    return STANDARD_NANOS;
  }

  /** Such as {@code 10 ms}. */
  static long parse(String value) {
    String[] numberAndUnit = value.split(" ");
    if (numberAndUnit.length != 2 || !numberAndUnit[0].matches("[1-9]\\d{0,8}")) {
      return STANDARD_NANOS;
    }
    long number = Long.parseLong(numberAndUnit[0]);
    return switch (numberAndUnit[1]) {
      case "ns" -> number;
      case "us" -> number * 1_000;
      case "ms" -> Duration.ofMillis(number).toNanos();
      case "s" -> Duration.ofSeconds(number).toNanos();
      default -> STANDARD_NANOS;
    };
  }
}
