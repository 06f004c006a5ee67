package io.jebpf.api;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A profile of what happens between {@link #start} and {@link #stop}, to the sample. The agent
 * samples all the time: a recording is a pair of instants, so starting one costs nothing, and any
 * number may run at once.
 *
 * <pre>{@code
 * try (Recording recording = Recording.start("nightly import")) {
 *   runImport();
 *   recording.stop().writeTo(Path.of("import.pb.gz"), "cpu");
 * }
 * }</pre>
 *
 * Without the agent every method does nothing, and {@link #read} gives no bytes. Thread-safe.
 */
public final class Recording implements AutoCloseable {
  private static final long NONE = -1;

  private final long id;

  private Recording(long id) {
    this.id = id;
  }

  /** Starts now. The agent ends recordings that are forgotten; their age and size are limited. */
  public static Recording start(String name) {
    Object id = Link.call("recording.start", name);
    return new Recording(id == null ? NONE : (Long) id);
  }

  /** False without the agent: then nothing is recorded. */
  public boolean isPresent() {
    return id != NONE;
  }

  /** The recording's number, as the MBean lists it; -1 without the agent. */
  public long id() {
    return id;
  }

  /** Ends now; what was recorded can be read until {@link #close}. A second call does nothing. */
  public Recording stop() {
    if (isPresent()) {
      Link.call("recording.stop", id);
    }
    return this;
  }

  /**
   * The profile of a stopped recording as gzipped pprof.
   *
   * @param kind {@code cpu}, {@code offcpu} or {@code wall}
   * @return no bytes without the agent
   * @throws IllegalArgumentException for another kind
   * @throws IllegalStateException when it is not stopped, or closed
   */
  public byte[] read(String kind) {
    return read(kind, "pprof");
  }

  /**
   * As {@link #read(String)}.
   *
   * @param format {@code pprof}, {@code collapsed} (one line a stack) or {@code html} (a flame
   *     graph)
   */
  public byte[] read(String kind, String format) {
    Object bytes = isPresent() ? Link.call("recording.read", id, kind, format) : null;
    return bytes == null ? new byte[0] : (byte[]) bytes;
  }

  /** Writes the pprof to a file; without the agent no file is made. */
  public void writeTo(Path file, String kind) throws IOException {
    byte[] bytes = read(kind);
    if (bytes.length > 0) {
      Files.write(file, bytes);
    }
  }

  /** Stops it when it runs, and lets go of what was recorded. A second call does nothing. */
  @Override
  public void close() {
    if (isPresent()) {
      Link.call("recording.close", id);
    }
  }
}
