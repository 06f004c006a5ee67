package io.jebpf.agent.ondemand;

import java.util.Map;

/** What a recording keeps to, as its user writes it. */
public final class RecordingOptions {
  private RecordingOptions() {}

  /** Sets the options that are named; the others stay. */
  public static void set(Recordings recordings, long id, Map<String, String> options)
      throws OnDemandException {
    RecordingInfo info = recordings.info(id);
    long duration = info.durationMillis() * 1_000_000;
    long age = info.maxAgeMillis() * 1_000_000;
    long bytes = info.maxSize();
    String name = info.name();
    for (Map.Entry<String, String> option : options.entrySet()) {
      String text = option.getValue();
      switch (option.getKey()) {
        case "name" -> name = Moment.shown(text);
        case "duration" -> duration = Moment.lengthNanos(text);
        case "maxAge" -> age = Moment.lengthNanos(text);
        case "maxSize" -> bytes = number(text);
        default ->
            throw OnDemandException.request(
                "option "
                    + Moment.shown(option.getKey())
                    + ": there are name, duration, maxAge and maxSize");
      }
    }
    recordings.limits(id, duration, age, bytes);
    recordings.name(id, name);
  }

  private static long number(String text) throws OnDemandException {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw OnDemandException.request("maxSize " + Moment.shown(text) + ": a number of bytes");
    }
  }
}
