package io.jebpf.symbolizer.hotspot;

/**
 * A Java method as named in profiles.
 *
 * @param function {@code java.util.HashMap.put}
 * @param file source path, {@code java/util/HashMap.java}; empty when the class does not say
 * @param bytecodeBytes length of its bytecodes: a bci is below it
 * @param lineTable address of its compressed line table; 0 when it has none
 * @param identity of its ConstMethod, with {@code nameSymbol} what tells a reused address apart
 */
record MethodInfo(
    String function,
    String file,
    boolean isNative,
    int bytecodeBytes,
    long lineTable,
    long identity,
    long nameSymbol) {

  /** Stands for memory that holds no method (any more). */
  static final MethodInfo NONE = new MethodInfo("", "", false, 0, 0, 0, 0);

  boolean exists() {
    return !function.isEmpty();
  }
}
