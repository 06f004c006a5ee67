package io.jebpf.agent.options;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A password or token, or the file it is in. Its text never gets into a log line, the MBean or an
 * exception: {@link #toString} hides it, and only {@link #read} gives it out. A file is read anew
 * each time, because platforms replace tokens while a process runs.
 */
public final class Secret {
  private static final long FILE_BYTES_MAX = 64 << 10;

  private final String text;
  private final Path file;

  private Secret(String text, Path file) {
    this.text = text;
    this.file = file;
  }

  public static Secret ofText(String text) {
    return new Secret(text, Path.of(""));
  }

  public static Secret ofFile(Path file) {
    return new Secret("", file);
  }

  /**
   * The text, without white space at its ends.
   *
   * @throws IOException when the file cannot be read now; names the file
   */
  public String read() throws IOException {
    if (!text.isEmpty()) {
      return text;
    }
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IOException(file + " is too large for a password or token");
    }
    return Files.readString(file, StandardCharsets.UTF_8).strip();
  }

  @Override
  public String toString() {
    return text.isEmpty() ? "file " + file : "(hidden)";
  }
}
