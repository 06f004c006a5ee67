package io.jebpf.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A started JVM. Closing it ends the process and its descendants, by their ids. */
public final class RunningJvm implements AutoCloseable {
  private static final int POLL_MILLIS = 20;

  private final Process process;
  private final List<String> command;
  private final Path stdout;
  private final Path stderr;
  private final Path profiles;

  RunningJvm(Process process, List<String> command, Path stdout, Path stderr, Path profiles) {
    this.process = process;
    this.command = List.copyOf(command);
    this.stdout = stdout;
    this.stderr = stderr;
    this.profiles = profiles;
  }

  /** The id of the started process: of the JVM, when no prefix command forks. */
  public long pid() {
    return process.pid();
  }

  public boolean alive() {
    return process.isAlive();
  }

  public Path profiles() {
    return profiles;
  }

  public String stdout() {
    return read(stdout);
  }

  public String stderr() {
    return read(stderr);
  }

  /** Waits until stdout has a text; fails when the process ends or the time passes before. */
  public void awaitOutput(String text, int deadlineSeconds) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(deadlineSeconds);
    while (!stdout().contains(text)) {
      if (!process.isAlive() && !stdout().contains(text)) {
        throw new IllegalStateException("ended without printing \"" + text + "\": " + describe());
      }
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "no \"" + text + "\" in " + deadlineSeconds + " s: " + describe());
      }
      sleep(POLL_MILLIS);
    }
  }

  /** Asks it to end (SIGTERM). */
  public void terminate() {
    process.destroy();
  }

  /** Ends it with SIGKILL. */
  public void kill() {
    process.destroyForcibly();
  }

  public ChildResult await(int deadlineSeconds) {
    try {
      if (!process.waitFor(deadlineSeconds, TimeUnit.SECONDS)) {
        throw new IllegalStateException(
            "still running after " + deadlineSeconds + " s: " + describe());
      }
      return new ChildResult(
          command,
          process.exitValue(),
          Files.readAllBytes(stdout),
          stderr(),
          ChildResult.profileFiles(profiles));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for " + command, e);
    }
  }

  private String describe() {
    return command + "\nstdout:\n" + tail(stdout()) + "\nstderr:\n" + tail(stderr());
  }

  private static String tail(String text) {
    return text.length() < 4000 ? text : text.substring(text.length() - 4000);
  }

  static void sleep(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.exists(file)
          ? new String(Files.readAllBytes(file), java.nio.charset.StandardCharsets.UTF_8)
          : "";
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    List<ProcessHandle> descendants = process.descendants().toList();
    process.destroyForcibly();
    descendants.forEach(ProcessHandle::destroyForcibly);
    try {
      process.waitFor(5, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
