package io.jebpf.it;

/** How long things may take before a test calls them stuck. */
final class Deadlines {
  /** A child that burns some seconds of CPU, on a machine that does a lot beside. */
  static final int RUN_SECONDS = 240;

  private Deadlines() {}
}
