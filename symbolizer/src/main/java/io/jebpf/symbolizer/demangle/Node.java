package io.jebpf.symbolizer.demangle;

/**
 * A part of a demangled name. C++ declarators surround what they declare ({@code void (*f)(int)}),
 * so a node prints in two halves: what stands before the declared name, and what after it.
 */
abstract class Node {
  abstract void left(Out out);

  void right(Out out) {
    // Most nodes stand before the name.
  }

  final void print(Out out) {
    out.enter();
    left(out);
    right(out);
    out.leave();
  }

  /** Whether a pointer to this needs parentheses: functions and arrays. */
  boolean isFunction(Out out) {
    return false;
  }

  boolean isArray(Out out) {
    return false;
  }

  /** What this stands for: the argument of a template parameter, itself otherwise. */
  Node resolved(Out out) {
    return this;
  }

  /** Whether this is printed without parentheses as an operand. */
  boolean isSimpleOperand() {
    return false;
  }

  /** The name of the constructor, if this is a class's name. */
  Node constructorName() {
    return this;
  }
}
