package io.jebpf.symbolizer.demangle;

import java.util.ArrayList;
import java.util.List;

/** The mangled text, the place in it, and what later parts may refer back to. */
abstract class Cursor {
  static final int DEPTH_MAX = 128;
  private static final int SUBSTITUTIONS_MAX = 4096;

  final String text;
  int position;
  private int depth;

  /** What S_, S0_ ... stand for. */
  private final List<Node> substitutions = new ArrayList<>();

  /** Arguments of the template whose name is being or was parsed: what T_, T0_ ... stand for. */
  List<Node> arguments = new ArrayList<>();

  /** Parameters used before their template's arguments were parsed (conversion operators). */
  final List<NameNodes.Parameter> early = new ArrayList<>();

  int conversionDepth;
  int lambdaDepth;

  Cursor(String text) {
    this.text = text;
  }

  final void enter() {
    if (++depth > DEPTH_MAX) {
      throw Malformed.INSTANCE;
    }
  }

  final void leave() {
    depth--;
  }

  final char peek() {
    return peek(0);
  }

  final char peek(int ahead) {
    int at = position + ahead;
    return at < text.length() ? text.charAt(at) : 0;
  }

  final char next() {
    char c = peek();
    if (c == 0) {
      throw Malformed.INSTANCE;
    }
    position++;
    return c;
  }

  final boolean consume(String wanted) {
    if (text.startsWith(wanted, position)) {
      position += wanted.length();
      return true;
    }
    return false;
  }

  final void expect(char wanted) {
    if (next() != wanted) {
      throw Malformed.INSTANCE;
    }
  }

  /** Decimal digits, at least one. */
  final int number() {
    int start = position;
    int value = 0;
    while (peek() >= '0' && peek() <= '9') {
      value = value * 10 + (next() - '0');
      if (value > 1_000_000) {
        throw Malformed.INSTANCE;
      }
    }
    if (position == start) {
      throw Malformed.INSTANCE;
    }
    return value;
  }

  /** The text of a number that may be negative (written with n). */
  final String signed() {
    String sign = consume("n") ? "-" : "";
    int start = position;
    number();
    return sign + text.substring(start, position);
  }

  /** A sequence number up to its underscore: none is 0, 0 is 1, and so on. */
  final int sequence(int radix) {
    if (consume("_")) {
      return 0;
    }
    int value = 0;
    for (char c = next(); c != '_'; c = next()) {
      int digit = c >= 'a' ? -1 : Character.digit(c, radix);
      if (digit < 0 || value > 1_000_000) {
        throw Malformed.INSTANCE;
      }
      value = value * radix + digit;
    }
    return value + 1;
  }

  final Node remember(Node node) {
    if (substitutions.size() == SUBSTITUTIONS_MAX) {
      throw Malformed.INSTANCE;
    }
    substitutions.add(node);
    return node;
  }

  final void forgetLast() {
    if (substitutions.isEmpty()) {
      throw Malformed.INSTANCE;
    }
    substitutions.remove(substitutions.size() - 1);
  }

  final Node substitution(int index) {
    if (index >= substitutions.size()) {
      throw Malformed.INSTANCE;
    }
    return substitutions.get(index);
  }

  /** A template parameter: T_, T0_ ... */
  final Node parameter() {
    expect('T');
    int index = sequence(10);
    Node argument = index < arguments.size() ? arguments.get(index) : null;
    if (argument == null && conversionDepth == 0 && lambdaDepth == 0) {
      throw Malformed.INSTANCE;
    }
    NameNodes.Parameter parameter = new NameNodes.Parameter(index, argument);
    if (argument == null && lambdaDepth == 0) {
      early.add(parameter);
    }
    return parameter;
  }
}
