package io.jebpf.symbolizer.demangle;

/**
 * Turns mangled C++ names (Itanium ABI) into the ones of the source, in the form that {@code
 * c++filt} prints, or as perf and pprof show them: without parameters. Names that are not mangled,
 * or in a way we do not understand (Rust's among them), come back as they are. Never throws; time
 * and length are bounded.
 */
public final class Demangler {
  /** Longer symbols are returned as they are; the longest of libLLVM has 5,000 characters. */
  static final int SYMBOL_CHARS_MAX = 8192;

  private Demangler() {}

  /** The readable form of a symbol's name, or the name itself. */
  public static String demangle(String symbol) {
    return demangle(symbol, true);
  }

  /**
   * As {@link #demangle(String)}, without parameters and result: overloads of a function have one
   * name.
   */
  public static String functionName(String symbol) {
    return demangle(symbol, false);
  }

  private static String demangle(String symbol, boolean withParameters) {
    if (!symbol.startsWith("_Z") || symbol.length() > SYMBOL_CHARS_MAX) {
      return symbol;
    }
    try {
      NameParser parser = new NameParser(symbol);
      parser.position = 2;
      Node name = parser.encoding(ExpressionParser.Place.TOP);
      Out out = new Out(withParameters);
      name.print(out);
      while (!parser.isAtEnd()) {
        out.add(" [clone ").add(cloneSuffix(parser)).add("]");
      }
      return out.toString();
    } catch (Malformed e) {
      return symbol;
    }
  }

  /** A copy the compiler made of a function: .constprop.0, .cold, .part.1.isra.2 is two of them. */
  private static String cloneSuffix(NameParser parser) {
    int start = parser.position;
    parser.expect('.');
    while (isLetter(parser.peek())) {
      parser.next();
    }
    while (parser.peek() == '.' && isDigit(parser.peek(1))) {
      parser.next();
      while (isDigit(parser.peek())) {
        parser.next();
      }
    }
    if (parser.position == start + 1) {
      throw Malformed.INSTANCE;
    }
    return parser.text.substring(start, parser.position);
  }

  private static boolean isLetter(char c) {
    return c >= 'a' && c <= 'z' || c == '_' || c >= 'A' && c <= 'Z';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
