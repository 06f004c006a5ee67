package io.jebpf.agent.http;

/** Figures in the text format of Prometheus. Owner: one thread. */
public final class MetricsText {
  private final StringBuilder text = new StringBuilder(8192);
  private String family = "";

  /** Values follow by {@link #value(String, String, double)}. */
  public void family(String name, String type, String help) {
    family = name;
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
  }

  /** One value of the family that was begun last, with one label. */
  public void value(String label, String labelText, double value) {
    text.append(family).append('{').append(label).append("=\"");
    text.append(labelText.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"));
    text.append("\"} ").append(number(value)).append('\n');
  }

  public void counter(String name, String help, long value) {
    family(name, "counter", help);
    text.append(name).append(' ').append(value).append('\n');
  }

  /** A counter of nanoseconds, shown in seconds. */
  public void seconds(String name, String help, long nanos) {
    family(name, "counter", help);
    text.append(name).append(' ').append(number(nanos / 1e9)).append('\n');
  }

  public void gauge(String name, String help, double value) {
    family(name, "gauge", help);
    text.append(name).append(' ').append(number(value)).append('\n');
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? Long.toString((long) value)
        : Double.toString(value);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
