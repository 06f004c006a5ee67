package io.jebpf.agent.ondemand;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;

/** Files that users name. */
public final class ProfileFile {
  private ProfileFile() {}

  /**
   * Makes a file that only its owner reads, whole or not at all. Throws FileAlreadyExistsException
   * when there is one: who can call an operation of ours must not be able to destroy a file.
   */
  public static void writeNew(Path file, byte[] bytes) throws IOException {
    Files.createFile(
        file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.WRITE)) {
      out.write(bytes);
    } catch (IOException e) {
      Files.deleteIfExists(file);
      throw e;
    }
  }
}
