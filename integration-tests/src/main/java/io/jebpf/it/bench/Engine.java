package io.jebpf.it.bench;

import java.io.IOException;

/** Something that samples this JVM every millisecond while it is on. */
interface Engine extends AutoCloseable {
  String name();

  void on() throws IOException;

  /** Stops it; returns the samples taken since {@link #on}, or -1 when the engine cannot tell. */
  long off() throws IOException, InterruptedException;

  @Override
  default void close() throws IOException {}
}
