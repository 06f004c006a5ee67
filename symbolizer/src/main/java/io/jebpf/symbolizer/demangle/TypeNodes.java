package io.jebpf.symbolizer.demangle;

import java.util.List;

/** Nodes that are types. */
final class TypeNodes {
  private TypeNodes() {}

  /** A fundamental type; how literals of it are written follows from its name. */
  static final class Builtin extends Node {
    final String name;

    Builtin(String name) {
      this.name = name;
    }

    @Override
    void left(Out out) {
      out.add(name);
    }
  }

  /** A type with const, volatile or restrict, or a qualifier of a vendor, after it. */
  static final class Qualified extends Node {
    private final Node type;
    private final String qualifiers; // each with a space before it

    Qualified(Node type, String qualifiers) {
      this.type = type;
      this.qualifiers = qualifiers;
    }

    @Override
    void left(Out out) {
      type.left(out);
      // A const parameter's argument may be const already.
      String missing = qualifiers;
      if (type.resolved(out) instanceof Qualified inner && inner != this) {
        for (String one : inner.qualifiers.strip().split(" ")) {
          missing = missing.replace(" " + one, "");
        }
      }
      out.add(missing);
    }

    @Override
    void right(Out out) {
      type.right(out);
    }

    @Override
    boolean isFunction(Out out) {
      return type.isFunction(out);
    }

    @Override
    boolean isArray(Out out) {
      return type.isArray(out);
    }
  }

  /** A pointer ({@code *}), reference or pointer to member. */
  static final class Pointer extends Node {
    private final Node target;
    private final String symbol;

    Pointer(Node target, String symbol) {
      this.target = target;
      this.symbol = symbol;
    }

    @Override
    void left(Out out) {
      Node to = target;
      String shown = symbol;
      if (isReference(shown)) {
        // A reference to a reference is one: && only if both are.
        while (to.resolved(out) instanceof Pointer inner && isReference(inner.symbol)) {
          shown = shown.equals("&&") ? inner.symbol : "&";
          to = inner.target;
        }
      }
      boolean parentheses = to.isFunction(out) || to.isArray(out);
      out.enter();
      to.left(out);
      out.leave();
      if (parentheses) {
        if (out.last() != ' ') {
          out.add(" ");
        }
        out.add("(");
      }
      out.add(shown);
    }

    @Override
    void right(Out out) {
      Node to = target;
      while (isReference(symbol)
          && to.resolved(out) instanceof Pointer inner
          && isReference(inner.symbol)) {
        to = inner.target;
      }
      if (to.isFunction(out) || to.isArray(out)) {
        out.add(")");
      }
      out.enter();
      to.right(out);
      out.leave();
    }

    private static boolean isReference(String symbol) {
      return symbol.charAt(0) == '&';
    }
  }

  /** A pointer to a member of a class. */
  static final class MemberPointer extends Node {
    private final Node owner;
    private final Node member;

    MemberPointer(Node owner, Node member) {
      this.owner = owner;
      this.member = member;
    }

    @Override
    void left(Out out) {
      out.enter();
      member.left(out);
      if (member.isFunction(out) || member.isArray(out)) {
        if (out.last() != ' ') {
          out.add(" ");
        }
        out.add("(");
      } else {
        out.add(" ");
      }
      owner.print(out);
      out.add("::*");
      out.leave();
    }

    @Override
    void right(Out out) {
      out.enter();
      if (member.isFunction(out) || member.isArray(out)) {
        out.add(")");
      }
      member.right(out);
      out.leave();
    }
  }

  /** result (parameters) qualifiers. */
  static final class FunctionType extends Node {
    private final Node result;
    private final List<Node> parameters;
    private final String qualifiers;

    FunctionType(Node result, List<Node> parameters, String qualifiers) {
      this.result = result;
      this.parameters = parameters;
      this.qualifiers = qualifiers;
    }

    @Override
    void left(Out out) {
      out.enter();
      result.left(out);
      if (out.last() != ' ') {
        out.add(" ");
      }
      out.leave();
    }

    @Override
    void right(Out out) {
      out.enter();
      out.add("(");
      out.list(parameters);
      out.add(")");
      out.add(qualifiers);
      result.right(out);
      out.leave();
    }

    @Override
    boolean isFunction(Out out) {
      return true;
    }
  }

  /** element [bound]. */
  static final class Array extends Node {
    private final Node element;
    private final Node bound;

    Array(Node element, Node bound) {
      this.element = element;
      this.bound = bound;
    }

    @Override
    void left(Out out) {
      out.enter();
      element.left(out);
      out.leave();
    }

    @Override
    void right(Out out) {
      out.enter();
      out.add(out.last() == ']' ? "[" : " [");
      bound.print(out);
      out.add("]");
      element.right(out);
      out.leave();
    }

    @Override
    boolean isArray(Out out) {
      return true;
    }
  }

  /** A type with something around it: {@code decltype (...)}, {@code _Complex}. */
  static final class Around extends Node {
    private final String before;
    private final Node inner;
    private final String after;

    Around(String before, Node inner, String after) {
      this.before = before;
      this.inner = inner;
      this.after = after;
    }

    @Override
    void left(Out out) {
      out.add(before);
      inner.print(out);
      out.add(after);
    }
  }

  /** pattern...: once for each element of the pack in the pattern. */
  static final class Expansion extends Node {
    private final Node pattern;

    Expansion(Node pattern) {
      this.pattern = pattern;
    }

    @Override
    void left(Out out) {
      int outerIndex = out.packIndex;
      int outerSize = out.packSize;
      int start = out.length();
      out.packIndex = 0;
      out.packSize = -1;
      pattern.print(out);
      int size = out.packSize;
      if (size < 0) {
        out.add("...");
      } else if (size == 0) {
        out.cut(start);
      }
      for (int i = 1; i < size; i++) {
        out.packIndex = i;
        out.add(", ");
        pattern.print(out);
      }
      out.packIndex = outerIndex;
      out.packSize = outerSize;
    }
  }
}
