package io.jebpf.symbolizer.modules;

/** What is known of a native address. */
public sealed interface Symbol {
  /**
   * A named one.
   *
   * @param function demangled
   * @param module path of the object
   * @param offset bytes from the function's start to the address that was looked up
   */
  record Known(String function, String module, long offset) implements Symbol {}

  /**
   * An unnamed one.
   *
   * @param module path of the object; empty when the address is in none
   * @param reason why there is no name, for the user
   */
  record Unknown(String module, String reason) implements Symbol {}
}
