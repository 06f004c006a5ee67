package io.jebpf.agent.options;

import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * The kinds of option values: how each is written, and how it becomes a number where it is one.
 * Numbers are nanoseconds, bytes, plain counts or millionths, as the kind says.
 */
enum OptionType {
  TEXT("text"),
  DIRECTORY("directory"),
  FILE("file"),
  URL("URL"),

  /** Never shown. */
  SECRET("text"),
  LABELS("`k:v;k:v`"),
  LEVEL("`error`, `warn`, `info`, `debug`"),
  SWITCH("`true`, `false`"),
  ON_OFF("`on`, `off`"),
  COUNT("number") {
    @Override
    OptionalLong number(String text) {
      return digits(text);
    }

    @Override
    String format(long value) {
      return Long.toString(value);
    }
  },
  /** In nanoseconds. */
  DURATION("duration (`500ms`, `10s`, `5m`, `1h`)") {
    @Override
    OptionalLong number(String text) {
      return scaled(text, DURATIONS);
    }

    @Override
    String format(long value) {
      return unscaled(value, DURATIONS);
    }
  },
  /** In bytes. */
  SIZE("size (`64k`, `256m`, `2g`)") {
    @Override
    OptionalLong number(String text) {
      return scaled(text, SIZES);
    }

    @Override
    String format(long value) {
      return unscaled(value, SIZES);
    }
  },
  /** In millionths: 1 % is 10,000. */
  PERCENT("percentage (`1%`, `0.5%`)") {
    @Override
    OptionalLong number(String text) {
      return percent(text);
    }

    @Override
    String format(long value) {
      String digits = String.format(Locale.ROOT, "%d.%04d", value / 10_000, value % 10_000);
      return digits.replaceAll("\\.?0+$", "") + "%";
    }
  };

  private record Unit(String suffix, long factor) {}

  /** Largest first, so that formatting takes the largest that divides. */
  private static final List<Unit> DURATIONS =
      List.of(
          new Unit("h", 3_600_000_000_000L),
          new Unit("m", 60_000_000_000L),
          new Unit("s", 1_000_000_000L),
          new Unit("ms", 1_000_000L),
          new Unit("us", 1_000L),
          new Unit("ns", 1L));

  private static final List<Unit> SIZES =
      List.of(
          new Unit("t", 1L << 40),
          new Unit("g", 1L << 30),
          new Unit("m", 1L << 20),
          new Unit("k", 1L << 10),
          new Unit("", 1L));

  private final String form;

  OptionType(String form) {
    this.form = form;
  }

  /** How values of this kind are written, for people; Markdown code marks included. */
  String form() {
    return form;
  }

  /**
   * The number that a text stands for; empty when the text is not of this kind, or is no number.
   */
  OptionalLong number(String text) {
    return OptionalLong.empty();
  }

  /** The text of a number, such that {@link #number} gives the same number back. */
  String format(long value) {
    throw new IllegalStateException(name() + " has no numbers");
  }

  private static OptionalLong digits(String text) {
    if (text.isEmpty() || text.length() > 18) {
      return OptionalLong.empty();
    }
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return OptionalLong.empty();
      }
      value = value * 10 + (c - '0');
    }
    return OptionalLong.of(value);
  }

  private static OptionalLong scaled(String text, List<Unit> units) {
    int end = 0;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    String suffix = text.substring(end).toLowerCase(Locale.ROOT);
    OptionalLong number = digits(text.substring(0, end));
    if (number.isEmpty() || (suffix.isEmpty() && number.getAsLong() == 0)) {
      return number; // nothing needs no unit
    }
    for (Unit unit : units) {
      if (unit.suffix().equals(suffix)) {
        long value = number.getAsLong();
        return value > Long.MAX_VALUE / unit.factor()
            ? OptionalLong.empty()
            : OptionalLong.of(value * unit.factor());
      }
    }
    return OptionalLong.empty();
  }

  private static String unscaled(long value, List<Unit> units) {
    for (Unit unit : units) {
      if (value != 0 && value % unit.factor() == 0) {
        return value / unit.factor() + unit.suffix();
      }
    }
    return value == 0 ? "0" : value + units.get(units.size() - 1).suffix();
  }

  private static OptionalLong percent(String text) {
    if (!text.endsWith("%")) {
      return OptionalLong.empty();
    }
    String body = text.substring(0, text.length() - 1);
    int dot = body.indexOf('.');
    String whole = dot < 0 ? body : body.substring(0, dot);
    String part = dot < 0 ? "" : body.substring(dot + 1);
    if (part.length() > 4 || (dot >= 0 && part.isEmpty())) {
      return OptionalLong.empty();
    }
    OptionalLong wholes = digits(whole);
    OptionalLong parts = digits((part + "0000").substring(0, 4));
    if (wholes.isEmpty() || parts.isEmpty() || wholes.getAsLong() > 1_000_000) {
      return OptionalLong.empty();
    }
    return OptionalLong.of(wholes.getAsLong() * 10_000 + parts.getAsLong());
  }
}
