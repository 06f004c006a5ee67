package io.jebpf.shaded.logging;

/** Takes the place of {@code java.util.logging.Level}, see {@link Logger}. */
public final class Level {
  public static final Level SEVERE = new Level();
  public static final Level WARNING = new Level();
  public static final Level INFO = new Level();
  public static final Level FINE = new Level();
  public static final Level FINEST = new Level();

  private Level() {}
}
