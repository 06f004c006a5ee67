package io.jebpf.symbolizer.demangle;

import java.util.List;

/** Nodes that are expressions, in template arguments and decltype. */
final class ExpressionNodes {
  private ExpressionNodes() {}

  /** An operand: in parentheses unless it is a plain name. */
  static void operand(Out out, Node node) {
    if (node.isSimpleOperand()) {
      node.print(out);
    } else {
      out.add("(");
      node.print(out);
      out.add(")");
    }
  }

  static final class Prefix extends Node {
    private final String operator;
    private final Node operand;

    Prefix(String operator, Node operand) {
      this.operator = operator;
      this.operand = operand;
    }

    @Override
    void left(Out out) {
      out.add(operator);
      operand(out, operand);
    }
  }

  static final class Postfix extends Node {
    private final Node operand;
    private final String operator;

    Postfix(Node operand, String operator) {
      this.operand = operand;
      this.operator = operator;
    }

    @Override
    void left(Out out) {
      operand(out, operand);
      out.add(operator);
    }
  }

  static final class Binary extends Node {
    private final Node first;
    private final String operator;
    private final Node second;

    Binary(Node first, String operator, Node second) {
      this.first = first;
      this.operator = operator;
      this.second = second;
    }

    @Override
    void left(Out out) {
      boolean closes = operator.equals(">"); // would end the template's arguments
      if (closes) {
        out.add("(");
      }
      operand(out, first);
      out.add(operator);
      operand(out, second);
      if (closes) {
        out.add(")");
      }
    }
  }

  static final class Conditional extends Node {
    private final Node condition;
    private final Node yes;
    private final Node no;

    Conditional(Node condition, Node yes, Node no) {
      this.condition = condition;
      this.yes = yes;
      this.no = no;
    }

    @Override
    void left(Out out) {
      operand(out, condition);
      out.add("?");
      operand(out, yes);
      out.add(" : ");
      operand(out, no);
    }
  }

  static final class Call extends Node {
    private final Node function;
    private final List<Node> arguments;

    Call(Node function, List<Node> arguments) {
      this.function = function;
      this.arguments = arguments;
    }

    @Override
    void left(Out out) {
      operand(out, function);
      out.add("(");
      out.list(arguments);
      out.add(")");
    }
  }

  static final class Index extends Node {
    private final Node array;
    private final Node index;

    Index(Node array, Node index) {
      this.array = array;
      this.index = index;
    }

    @Override
    void left(Out out) {
      operand(out, array);
      out.add("[");
      index.print(out);
      out.add("]");
    }
  }

  /** (type)value. */
  static final class Cast extends Node {
    private final Node type;
    private final List<Node> values;
    private final boolean list;

    Cast(Node type, List<Node> values, boolean list) {
      this.type = type;
      this.values = values;
      this.list = list;
    }

    @Override
    void left(Out out) {
      out.add("(");
      type.print(out);
      out.add(")");
      if (list) {
        out.add("(");
        out.list(values);
        out.add(")");
      } else {
        operand(out, values.get(0));
      }
    }
  }

  /** type{values}. */
  static final class Initializer extends Node {
    private final Node type;
    private final List<Node> values;

    Initializer(Node type, List<Node> values) {
      this.type = type;
      this.values = values;
    }

    @Override
    void left(Out out) {
      type.print(out);
      out.add("{");
      out.list(values);
      out.add("}");
    }

    @Override
    boolean isSimpleOperand() {
      return true;
    }
  }

  /** A literal of a type. */
  static final class Literal extends Node {
    private final Node type;
    private final String value;

    Literal(Node type, String value) {
      this.type = type;
      this.value = value;
    }

    @Override
    void left(Out out) {
      if (type instanceof TypeNodes.Builtin builtin) {
        switch (builtin.name) {
          case "int" -> {
            out.add(value);
            return;
          }
          case "unsigned int" -> {
            out.add(value).add("u");
            return;
          }
          case "long" -> {
            out.add(value).add("l");
            return;
          }
          case "unsigned long" -> {
            out.add(value).add("ul");
            return;
          }
          case "long long" -> {
            out.add(value).add("ll");
            return;
          }
          case "unsigned long long" -> {
            out.add(value).add("ull");
            return;
          }
          case "bool" -> {
            if (value.equals("0") || value.equals("1")) {
              out.add(value.equals("0") ? "false" : "true");
              return;
            }
          }
          default -> {}
        }
      }
      out.add("(");
      type.print(out);
      out.add(")");
      boolean floating =
          type instanceof TypeNodes.Builtin builtin
              && (builtin.name.equals("float")
                  || builtin.name.equals("double")
                  || builtin.name.equals("long double")
                  || builtin.name.equals("__float128"));
      out.add(floating ? "[" + value + "]" : value);
    }
  }

  /** {parm#1}, this. */
  static final class FunctionParameter extends Node {
    private final String text;

    FunctionParameter(String text) {
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

  /** sizeof...(pack), which is the number of its elements. */
  static final class PackSize extends Node {
    private final Node pack;

    PackSize(Node pack) {
      this.pack = pack;
    }

    @Override
    void left(Out out) {
      int outerIndex = out.packIndex;
      int outerSize = out.packSize;
      int start = out.length();
      out.packIndex = 0;
      out.packSize = -1;
      pack.print(out);
      int size = Math.max(0, out.packSize);
      out.cut(start);
      out.add(Integer.toString(size));
      out.packIndex = outerIndex;
      out.packSize = outerSize;
    }
  }
}
