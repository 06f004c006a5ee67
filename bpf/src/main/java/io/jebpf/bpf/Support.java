package io.jebpf.bpf;

/** Whether the kernel has a feature and lets us use it. */
public sealed interface Support {
  /** It works: it was tried. */
  record Yes() implements Support {}

  /** It does not work; {@code needs} says what would make it work. */
  record No(String needs) implements Support {}

  /** It could not be tried, for the reason given. */
  record Undetermined(String cause) implements Support {}

  /** True for {@link Yes} only. */
  default boolean yes() {
    return this instanceof Yes;
  }
}
