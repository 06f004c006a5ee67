package io.jebpf.shaded.logging;

/**
 * Takes the place of {@code java.util.logging.Logger} in the libraries that travel in the jar.
 *
 * <p>The real one, asked for a logger, sets up the JVM's log manager: before the application has
 * chosen its own, and where the module java.logging is absent it fails. What these libraries warn
 * of (no Unsafe, odd text input) needs no reader.
 */
public final class Logger {
  private static final Logger NONE = new Logger();

  private Logger() {}

  public static Logger getLogger(String name) {
    return NONE;
  }

  public String getName() {
    return "";
  }

  public void warning(String message) {}

  public void finest(String message) {}

  public boolean isLoggable(Level level) {
    return false;
  }

  public void log(LogRecord entry) {}

  public void log(Level level, String message) {}

  public void log(Level level, String message, Throwable cause) {}
}
