package io.jebpf.symbolizer.demangle;

import java.util.List;

/** Nodes that are names. */
final class NameNodes {
  private NameNodes() {}

  /** Text as it is. */
  static final class Text extends Node {
    final String text;

    Text(String text) {
      this.text = text;
    }

    @Override
    void left(Out out) {
      out.add(text);
    }

    @Override
    boolean isSimpleOperand() {
      return true;
    }
  }

  /** A standard library abbreviation: {@code Ss} and its like. */
  static final class Standard extends Node {
    final String text;
    private final String constructor;

    Standard(String text, String constructor) {
      this.text = text;
      this.constructor = constructor;
    }

    @Override
    void left(Out out) {
      out.add(text);
    }

    @Override
    boolean isSimpleOperand() {
      return true;
    }

    @Override
    Node constructorName() {
      return new Text(constructor);
    }
  }

  /** scope::name. */
  static final class Nested extends Node {
    private final Node scope;
    private final Node name;

    Nested(Node scope, Node name) {
      this.scope = scope;
      this.name = name;
    }

    @Override
    void left(Out out) {
      scope.print(out);
      out.add("::");
      name.print(out);
    }

    @Override
    boolean isSimpleOperand() {
      return true;
    }

    @Override
    Node constructorName() {
      return name.constructorName();
    }
  }

  /** name[abi:tag]. */
  static final class Tagged extends Node {
    private final Node name;
    private final String tag;

    Tagged(Node name, String tag) {
      this.name = name;
      this.tag = tag;
    }

    @Override
    void left(Out out) {
      name.print(out);
      out.add("[abi:").add(tag).add("]");
    }

    @Override
    Node constructorName() {
      return name.constructorName();
    }
  }

  /** name&lt;arguments&gt;. */
  static final class Template extends Node {
    private final Node name;
    private final List<Node> arguments;

    Template(Node name, List<Node> arguments) {
      this.name = name;
      this.arguments = arguments;
    }

    @Override
    void left(Out out) {
      name.print(out);
      if (out.last() == '<') {
        out.add(" "); // operator<
      }
      out.add("<");
      // c++filt parts two > but forgets it behind an empty pack; so do we.
      boolean empty = out.list(arguments);
      out.add(out.last() == '>' && !empty ? " >" : ">");
    }

    @Override
    Node constructorName() {
      return name.constructorName();
    }
  }

  /** The elements of a parameter pack; a template argument. */
  static final class Pack extends Node {
    final List<Node> elements;

    Pack(List<Node> elements) {
      this.elements = elements;
    }

    @Override
    void left(Out out) {
      out.list(elements);
    }
  }

  /** T_, T0_ ...: a template parameter, printed as its argument. */
  static final class Parameter extends Node {
    private final int index;
    private Node argument; // set late where arguments follow their use (conversion operators)

    Parameter(int index, Node argument) {
      this.index = index;
      this.argument = argument;
    }

    void resolve(List<Node> arguments) {
      if (argument == null && index < arguments.size() && arguments.get(index) != this) {
        argument = arguments.get(index);
      }
    }

    /** The argument; what T_ means follows from the function that is being printed. */
    private Node bound(Out out) {
      List<Node> arguments = out.arguments;
      Node found = index < arguments.size() ? arguments.get(index) : argument;
      if (found == null || found == this) {
        throw Malformed.INSTANCE;
      }
      return found;
    }

    private Node chosen(Out out) {
      if (!(bound(out) instanceof Pack pack)) {
        return bound(out);
      }
      if (out.packIndex < 0) {
        return pack; // not in an expansion: all of it
      }
      out.packSize = pack.elements.size();
      return out.packIndex < out.packSize ? pack.elements.get(out.packIndex) : new Text("");
    }

    @Override
    void left(Out out) {
      if (out.lambdaDepth > 0) {
        out.add("auto:" + (index + 1));
        return;
      }
      half(out, true);
    }

    @Override
    void right(Out out) {
      if (out.lambdaDepth == 0) {
        half(out, false);
      }
    }

    private void half(Out out, boolean left) {
      out.enter();
      Node chosen = chosen(out);
      List<Node> outer = out.arguments;
      out.arguments = List.of(); // an argument means what it did where it was given
      if (left) {
        chosen.left(out);
      } else {
        chosen.right(out);
      }
      out.arguments = outer;
      out.leave();
    }

    @Override
    Node resolved(Out out) {
      if (out.lambdaDepth > 0) {
        return this;
      }
      out.enter();
      Node chosen = chosen(out);
      Node result = chosen instanceof Pack ? this : chosen.resolved(out);
      out.leave();
      return result;
    }

    @Override
    boolean isFunction(Out out) {
      Node resolved = resolved(out);
      return resolved != this && resolved.isFunction(out);
    }

    @Override
    boolean isArray(Out out) {
      Node resolved = resolved(out);
      return resolved != this && resolved.isArray(out);
    }
  }

  /** A name with a prefix: {@code operator }, {@code vtable for }, {@code ~}. */
  static final class Prefixed extends Node {
    private final String prefix;
    private final Node node;

    Prefixed(String prefix, Node node) {
      this.prefix = prefix;
      this.node = node;
    }

    @Override
    void left(Out out) {
      out.add(prefix);
      node.print(out);
    }
  }

  /** {@code construction vtable for A-in-B}. */
  static final class Between extends Node {
    private final String prefix;
    private final Node first;
    private final String middle;
    private final Node second;

    Between(String prefix, Node first, String middle, Node second) {
      this.prefix = prefix;
      this.first = first;
      this.middle = middle;
      this.second = second;
    }

    @Override
    void left(Out out) {
      out.add(prefix);
      first.print(out);
      out.add(middle);
      second.print(out);
    }
  }

  /** {lambda(int)#1}. */
  static final class Lambda extends Node {
    private final List<Node> parameters;
    private final String number;

    Lambda(List<Node> parameters, String number) {
      this.parameters = parameters;
      this.number = number;
    }

    @Override
    void left(Out out) {
      out.add("{lambda(");
      out.lambdaDepth++;
      out.list(parameters);
      out.lambdaDepth--;
      out.add(")#").add(number).add("}");
    }
  }

  /** A function with its parameters. */
  static final class Function extends Node {
    final Node name;
    private final Node result; // an empty text when it is not in the name
    private final List<Node> parameters;
    private final String qualifiers;
    private final List<Node> arguments; // of the template this is made of

    Function(
        Node result, Node name, List<Node> parameters, String qualifiers, List<Node> arguments) {
      this.result = result;
      this.name = name;
      this.parameters = parameters;
      this.qualifiers = qualifiers;
      this.arguments = arguments;
    }

    @Override
    void left(Out out) {
      List<Node> outer = out.arguments;
      out.arguments = arguments;
      whole(out);
      out.arguments = outer;
    }

    private void whole(Out out) {
      if (!out.withParameters) {
        name.print(out);
        return;
      }
      int start = out.length();
      result.left(out);
      if (out.length() > start
          && !(result.resolved(out).isFunction(out) || result.resolved(out).isArray(out))) {
        out.add(" ");
      }
      name.print(out);
      out.add("(");
      out.list(parameters);
      out.add(")");
      out.add(qualifiers);
      result.right(out);
    }
  }
}
