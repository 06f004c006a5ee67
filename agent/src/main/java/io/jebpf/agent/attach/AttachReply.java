package io.jebpf.agent.attach;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * The way back to the command that attached: files in a directory that it made for this one
 * request, each there only once it is whole. Plain files, because they hold no descriptor open and
 * nobody can block the agent by not reading. Without a directory, or when it has gone, nothing is
 * said and nothing fails. Owner: one thread.
 */
public final class AttachReply {
  /** Name of the file with the outcome: {@code ok TEXT} or {@code failed TEXT}. */
  static final String ANSWER = "answer";

  /** Touched by the command as long as it looks. */
  static final String ALIVE = "alive";

  public static final String OK = "ok ";
  public static final String FAILED = "failed ";

  private final Optional<Path> directory;

  private AttachReply(Optional<Path> directory) {
    this.directory = directory;
  }

  public static AttachReply to(Optional<Path> channel) {
    return new AttachReply(channel);
  }

  /** What was asked for is done. */
  public void ok(String text) {
    put(ANSWER, OK + text);
  }

  /** It could not be done, and why. */
  public void failed(String text) {
    put(ANSWER, FAILED + text);
  }

  /**
   * Whether the other side has shown within so long that it is there, see {@link Attacher#alive}.
   */
  public boolean isAwaited(long millis) {
    try {
      return directory.isPresent()
          && System.currentTimeMillis()
                  - Files.getLastModifiedTime(directory.get().resolve(ALIVE)).toMillis()
              < millis;
    } catch (IOException e) {
      return false;
    }
  }

  /** Replaces a file; false when nobody waits for it any more. */
  public boolean put(String name, String text) {
    return put(name, text.getBytes(StandardCharsets.UTF_8));
  }

  /** As {@link #put(String, String)}. */
  public boolean put(String name, byte[] content) {
    if (directory.isEmpty()) {
      return false;
    }
    Path file = directory.get().resolve(name);
    Path part = directory.get().resolve(name + ".part");
    try {
      Files.write(part, content);
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return true;
    } catch (IOException e) {
      return false; // whoever asked has gone
    }
  }
}
