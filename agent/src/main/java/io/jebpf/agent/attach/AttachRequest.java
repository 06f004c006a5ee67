package io.jebpf.agent.attach;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What somebody who attached asks for, as it stands in the agent argument: words without {@code =}
 * are commands, {@link #CHANNEL} says where the answer goes, everything else are options.
 *
 * @param kind what to do
 * @param options of the profiler, as {@code key=value,key=value}; empty for none
 * @param channel directory for the answer; empty when nobody waits for one
 */
public record AttachRequest(Kind kind, String options, Optional<Path> channel) {
  /** Key of that directory: set by the command line, not an option for people. */
  public static final String CHANNEL = "attach.channel";

  /** What can be asked for. */
  public enum Kind {
    /** Start, or change the options of what runs. */
    CHANGE(""),
    /** Stop, and leave nothing. */
    DETACH("detach"),
    /** Send what happens, second by second, until nobody looks any more. */
    TOP("top"),
    /** Draw the past that is kept in memory. */
    HEATMAP("heatmap");

    private final String word;

    Kind(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }

  /** Never fails: what is no command and no channel is left to the option parser to refuse. */
  public static AttachRequest parse(String argument) {
    Kind kind = Kind.CHANGE;
    Optional<Path> channel = Optional.empty();
    StringBuilder options = new StringBuilder(argument.length());
    for (String part : unquoted(argument.strip()).split(",", -1)) {
      Optional<Kind> command = command(part.strip());
      if (command.isPresent()) {
        kind = command.get();
      } else if (part.startsWith(CHANNEL + "=")) {
        channel = path(part.substring(CHANNEL.length() + 1));
      } else {
        options.append(options.isEmpty() ? "" : ",").append(part);
      }
    }
    return new AttachRequest(kind, options.toString(), channel);
  }

  /**
   * Options in use with newer ones laid over them, key by key. What is not {@code key=value} stays
   * at the end, for the parser to refuse.
   */
  public static String merged(String older, String newer) {
    Map<String, String> merged = new LinkedHashMap<>();
    for (String pair : (older + "," + newer).split(",")) {
      if (!pair.isBlank()) {
        int equals = pair.indexOf('=');
        String key = equals < 0 ? pair : pair.substring(0, equals).strip();
        merged.remove(key);
        merged.put(key, pair.strip());
      }
    }
    return String.join(",", merged.values());
  }

  private static Optional<Kind> command(String word) {
    for (Kind kind : Kind.values()) {
      if (!word.isEmpty() && kind.word.equals(word)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }

  /** Takes off the quotes that jcmd hands through. */
  private static String unquoted(String text) {
    boolean quoted =
        text.length() >= 2
            && (text.startsWith("'") && text.endsWith("'")
                || text.startsWith("\"") && text.endsWith("\""));
    return quoted ? text.substring(1, text.length() - 1) : text;
  }

  private static Optional<Path> path(String text) {
    try {
      return Optional.of(Path.of(text));
    } catch (InvalidPathException e) {
      return Optional.empty(); // nobody can wait there
    }
  }
}
