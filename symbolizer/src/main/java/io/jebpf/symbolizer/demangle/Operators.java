package io.jebpf.symbolizer.demangle;

import java.util.Map;

/** Operators by their code. */
final class Operators {
  /** {@code operands}: 0 when it is written in a form of its own in expressions. */
  record Operator(String symbol, int operands) {}

  private static final Map<String, Operator> ALL =
      Map.ofEntries(
          entry("nw", "new", 0),
          entry("na", "new[]", 0),
          entry("dl", "delete", 0),
          entry("da", "delete[]", 0),
          entry("aw", "co_await", 1),
          entry("ps", "+", 1),
          entry("ng", "-", 1),
          entry("ad", "&", 1),
          entry("de", "*", 1),
          entry("co", "~", 1),
          entry("pl", "+", 2),
          entry("mi", "-", 2),
          entry("ml", "*", 2),
          entry("dv", "/", 2),
          entry("rm", "%", 2),
          entry("an", "&", 2),
          entry("or", "|", 2),
          entry("eo", "^", 2),
          entry("aS", "=", 2),
          entry("pL", "+=", 2),
          entry("mI", "-=", 2),
          entry("mL", "*=", 2),
          entry("dV", "/=", 2),
          entry("rM", "%=", 2),
          entry("aN", "&=", 2),
          entry("oR", "|=", 2),
          entry("eO", "^=", 2),
          entry("ls", "<<", 2),
          entry("rs", ">>", 2),
          entry("lS", "<<=", 2),
          entry("rS", ">>=", 2),
          entry("eq", "==", 2),
          entry("ne", "!=", 2),
          entry("lt", "<", 2),
          entry("gt", ">", 2),
          entry("le", "<=", 2),
          entry("ge", ">=", 2),
          entry("ss", "<=>", 2),
          entry("nt", "!", 1),
          entry("aa", "&&", 2),
          entry("oo", "||", 2),
          entry("pp", "++", 0),
          entry("mm", "--", 0),
          entry("cm", ",", 2),
          entry("pm", "->*", 2),
          entry("pt", "->", 0),
          entry("cl", "()", 0),
          entry("ix", "[]", 0),
          entry("qu", "?", 0));

  private Operators() {}

  private static Map.Entry<String, Operator> entry(String code, String symbol, int operands) {
    return Map.entry(code, new Operator(symbol, operands));
  }

  static boolean isOperator(String code) {
    return ALL.containsKey(code);
  }

  static Operator find(String code) {
    Operator found = ALL.get(code);
    if (found == null) {
      throw Malformed.INSTANCE;
    }
    return found;
  }
}
