package io.jebpf.it.bench;

import java.io.IOException;

/** Something that samples this JVM every millisecond while it is on. */
interface Engine extends AutoCloseable {
  String name();

  void on() throws IOException;

  void off() throws IOException;

  /** Samples of this process taken so far, or -1 when the engine cannot tell. */
  long samples();

  @Override
  default void close() throws IOException {}
}
