package io.jebpf.shaded.logging;

/** Takes the place of {@code java.util.logging.LogRecord}, see {@link Logger}. */
public final class LogRecord {
  public LogRecord(Level level, String message) {}

  public void setThrown(Throwable cause) {}

  public void setLoggerName(String name) {}
}
