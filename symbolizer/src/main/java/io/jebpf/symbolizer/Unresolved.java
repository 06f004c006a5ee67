package io.jebpf.symbolizer;

/** Why a frame has no name. Each has a counter in {@link Symbolizer}. */
public enum Unresolved {
  NOTHING("all frames have names"),
  CODE_REPLACED("compiled code was replaced or freed before it was looked up"),
  CODE_UNREADABLE("compiled code could not be read"),
  METHOD_REPLACED("an interpreted method was unloaded before it was looked up"),
  METHOD_UNREADABLE("a method's description could not be read"),
  NO_BLOB("generated code was freed before it was looked up"),
  NO_HOTSPOT("a Java frame, but the JVM's own description was not available"),
  NO_SYMBOL("the mapped file has no symbol that covers the address"),
  NO_MODULE("the address is in no mapped file"),
  NO_KERNEL_SYMBOL("the kernel's symbols are hidden or do not cover the address"),
  UNKNOWN_KIND("the kernel side reported a kind of frame that this version does not know");

  private final String sentence;

  Unresolved(String sentence) {
    this.sentence = sentence;
  }

  /** For users. */
  public String sentence() {
    return sentence;
  }
}
