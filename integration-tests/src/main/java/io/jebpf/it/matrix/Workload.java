package io.jebpf.it.matrix;

/**
 * One adversarial load of the matrix. Its code is written for the unwinder, not for a purpose: each
 * is a case in which a profiler can lose or invent a frame.
 *
 * <p>No workload declares by hand what it calls: the pairs that it can produce are those of its own
 * class files (see the test's {@code CallGraph}).
 */
@FunctionalInterface
interface Workload {
  /** One round, some milliseconds long. Called again and again by a thread named as the load. */
  void round() throws Throwable;
}
