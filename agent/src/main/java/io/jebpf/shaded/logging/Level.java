package io.jebpf.shaded.logging;

/** Takes the place of {@code java.util.logging.Level}, see {@link Logger}. */
public final class Level {
  public static final Level WARNING = new Level();

  private Level() {}
}
