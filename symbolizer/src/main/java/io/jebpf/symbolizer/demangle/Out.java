package io.jebpf.symbolizer.demangle;

import java.util.List;

/** The text being printed, with the limits and the state that spans nodes. */
final class Out {
  /** Longer names tell a reader nothing; substitutions can blow a short name up without bound. */
  static final int CHARS_MAX = 16 * 1024;

  static final int STEPS_MAX = 100_000;
  static final int DEPTH_MAX = 256;

  /** Whether functions are printed with their parameters, result and qualifiers. */
  final boolean withParameters;

  private final StringBuilder text = new StringBuilder(128);
  private int steps;
  private int depth;

  /** Which element of a parameter pack is printed; -1 outside of a pack expansion. */
  int packIndex = -1;

  /** Elements of the pack that was met in this expansion; -1 when none was met yet. */
  int packSize = -1;

  /** Above 0 while the parameters of a lambda are printed: template parameters are `auto` there. */
  int lambdaDepth;

  /** Arguments of the template whose instance is printed: what T_ means there. */
  List<Node> arguments = List.of();

  Out(boolean withParameters) {
    this.withParameters = withParameters;
  }

  void enter() {
    if (++steps > STEPS_MAX || ++depth > DEPTH_MAX) {
      throw Malformed.INSTANCE;
    }
  }

  void leave() {
    depth--;
  }

  Out add(String more) {
    if (text.length() + more.length() > CHARS_MAX) {
      throw Malformed.INSTANCE;
    }
    text.append(more);
    return this;
  }

  char last() {
    return text.isEmpty() ? 0 : text.charAt(text.length() - 1);
  }

  int length() {
    return text.length();
  }

  void cut(int length) {
    text.setLength(length);
  }

  /**
   * Prints nodes with commas between; a node that prints nothing (an empty pack) takes none.
   *
   * @return whether the last node printed nothing
   */
  boolean list(List<Node> nodes) {
    boolean first = true;
    boolean empty = false;
    for (Node node : nodes) {
      int before = text.length();
      if (!first) {
        add(", ");
      }
      int start = text.length();
      node.print(this);
      empty = text.length() == start;
      if (empty) {
        cut(before);
      } else {
        first = false;
      }
    }
    return empty;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
