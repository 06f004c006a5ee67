package io.jebpf.it.harness;

import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Attaches the agent to a running JVM by the JDK's own means and reads its answer, as the command
 * line does: many times over from one process.
 */
public final class Attach implements AutoCloseable {
  private static final int LOOK_MILLIS = 2;

  private final VirtualMachine machine;
  private final Path jar;
  private final Path directory;

  private Attach(VirtualMachine machine, Path jar, Path directory) {
    this.machine = machine;
    this.jar = jar;
    this.directory = directory;
  }

  /**
   * @param directory an existing one of this user's, for the answers
   */
  public static Attach to(long pid, Path jar, Path directory) throws Exception {
    return new Attach(VirtualMachine.attach(Long.toString(pid)), jar, directory);
  }

  /** Sends a request and waits for the answer: {@code ok ...} or {@code failed ...}. */
  public String request(String request, int deadlineSeconds) throws Exception {
    Path answer = directory.resolve("answer");
    Files.deleteIfExists(answer);
    machine.loadAgent(jar.toString(), "attach.channel=" + directory + "," + request);
    long deadline = System.nanoTime() + deadlineSeconds * 1_000_000_000L;
    while (!Files.exists(answer)) {
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("no answer to " + request);
      }
      Thread.sleep(LOOK_MILLIS);
    }
    return Files.readString(answer);
  }

  @Override
  public void close() throws IOException {
    machine.detach();
  }
}
