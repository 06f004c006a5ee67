package io.jebpf.symbolizer.demangle;

import io.jebpf.symbolizer.demangle.NameNodes.Text;
import java.util.ArrayList;
import java.util.List;

/** Expressions: section 5.1.6 of the Itanium C++ ABI. */
abstract class ExpressionParser extends TypeParser {
  ExpressionParser(String text) {
    super(text);
  }

  /** Where an encoding stands: alone, in another one, or as the scope of a local name. */
  enum Place {
    TOP,
    INNER,
    SCOPE
  }

  abstract Node encoding(Place place);

  /** A name without scope, operators included. */
  abstract Node unqualifiedName(NameState state, Node scope);

  @Override
  final Node expression() {
    enter();
    Node result = expressionBody();
    leave();
    return result;
  }

  private Node expressionBody() {
    char c = peek();
    if (c == 'L') {
      return literal();
    }
    if (c == 'T') {
      return parameterOperand();
    }
    if (c >= '0' && c <= '9') {
      return unresolvedBase();
    }
    boolean global = consume("gs");
    String code = text.substring(position, Math.min(position + 2, text.length()));
    if (code.length() < 2) {
      throw Malformed.INSTANCE;
    }
    switch (code) {
      case "fp", "fL" -> {
        return functionParameter();
      }
      case "sr" -> {
        Node name = unresolvedName();
        return global ? new NameNodes.Prefixed("::", name) : name;
      }
      case "on", "dn" -> {
        return unresolvedBase();
      }
      case "nw", "na" -> {
        return newExpression(global, code);
      }
      case "dl", "da" -> {
        position += 2;
        String operator = code.equals("dl") ? "delete " : "delete[] ";
        return new ExpressionNodes.Prefix((global ? "::" : "") + operator, expression());
      }
      default -> {
        if (global) {
          return new NameNodes.Prefixed("::", unresolvedBase());
        }
        return operation(code);
      }
    }
  }

  /** A template parameter in an expression is no substitution candidate. */
  private Node parameterOperand() {
    Node parameter = parameter();
    return peek() == 'I' ? template(parameter) : parameter;
  }

  private Node operation(String code) {
    position += 2;
    switch (code) {
      case "cl" -> {
        Node function = expression();
        return new ExpressionNodes.Call(function, expressions());
      }
      case "cv" -> {
        conversionDepth++;
        Node type = type();
        conversionDepth--;
        return consume("_")
            ? new ExpressionNodes.Cast(type, expressions(), true)
            : new ExpressionNodes.Cast(type, List.of(expression()), false);
      }
      case "tl" -> {
        Node type = type();
        return new ExpressionNodes.Initializer(type, expressions());
      }
      case "il" -> {
        return new ExpressionNodes.Initializer(new Text(""), expressions());
      }
      case "sc", "dc", "rc", "cc" -> {
        String kind =
            switch (code) {
              case "sc" -> "static_cast<";
              case "dc" -> "dynamic_cast<";
              case "rc" -> "reinterpret_cast<";
              default -> "const_cast<";
            };
        Node type = type();
        return new NameNodes.Between(kind, type, ">(", new TypeNodes.Around("", expression(), ")"));
      }
      case "st" -> {
        return new TypeNodes.Around("sizeof (", type(), ")");
      }
      case "at" -> {
        return new TypeNodes.Around("alignof (", type(), ")");
      }
      case "ti" -> {
        return new TypeNodes.Around("typeid (", type(), ")");
      }
      case "te" -> {
        return new TypeNodes.Around("typeid (", expression(), ")");
      }
      case "nx" -> {
        return new TypeNodes.Around("noexcept(", expression(), ")");
      }
      case "sz" -> {
        return new ExpressionNodes.Prefix("sizeof ", expression());
      }
      case "az" -> {
        return new ExpressionNodes.Prefix("alignof ", expression());
      }
      case "sZ" -> {
        return new ExpressionNodes.PackSize(peek() == 'T' ? parameter() : expression());
      }
      case "sP" -> {
        List<Node> elements = new ArrayList<>();
        while (!consume("E")) {
          elements.add(peek() == 'L' || peek() == 'X' ? literalOrExpression() : type());
        }
        return new ExpressionNodes.PackSize(new NameNodes.Pack(elements));
      }
      case "sp" -> {
        return new TypeNodes.Expansion(expression());
      }
      case "tw" -> {
        return new ExpressionNodes.Prefix("throw ", expression());
      }
      case "tr" -> {
        return new Text("throw");
      }
      case "dt", "pt" -> {
        Node object = expression();
        Node member = peek() == 's' && peek(1) == 'r' ? unresolvedName() : unresolvedBase();
        return new ExpressionNodes.Binary(object, code.equals("dt") ? "." : "->", member);
      }
      case "ds" -> {
        Node object = expression();
        return new ExpressionNodes.Binary(object, ".*", expression());
      }
      case "ix" -> {
        Node array = expression();
        return new ExpressionNodes.Index(array, expression());
      }
      case "qu" -> {
        Node condition = expression();
        Node yes = expression();
        return new ExpressionNodes.Conditional(condition, yes, expression());
      }
      case "pp", "mm" -> {
        String operator = code.equals("pp") ? "++" : "--";
        return consume("_")
            ? new ExpressionNodes.Prefix(operator, expression())
            : new ExpressionNodes.Postfix(expression(), operator);
      }
      case "fl", "fr", "fL", "fR" -> {
        return fold(code.charAt(1));
      }
      default -> {
        return unaryOrBinary(code);
      }
    }
  }

  private Node literalOrExpression() {
    if (peek() == 'L') {
      return literal();
    }
    expect('X');
    Node result = expression();
    expect('E');
    return result;
  }

  private Node unaryOrBinary(String code) {
    Operators.Operator operator = Operators.find(code);
    switch (operator.operands()) {
      case 1 -> {
        Node operand = expression();
        if (code.equals("ad") && operand instanceof NameNodes.Function function) {
          // Without the parameters when the name tells the class.
          return function.name instanceof NameNodes.Nested
              ? new ExpressionNodes.Prefix("&", function.name)
              : new ExpressionNodes.Prefix("&", function);
        }
        return new ExpressionNodes.Prefix(operator.symbol(), operand);
      }
      case 2 -> {
        Node first = expression();
        return new ExpressionNodes.Binary(first, operator.symbol(), expression());
      }
      default -> throw Malformed.INSTANCE;
    }
  }

  private Node fold(char kind) {
    Operators.Operator operator = Operators.find(text.substring(position, position + 2));
    position += 2;
    Node first = expression();
    String symbol = operator.symbol();
    return switch (kind) {
      case 'l' -> new FoldNode(new Text("..."), symbol, first, true, false);
      case 'r' -> new FoldNode(first, symbol, new Text("..."), false, true);
      default -> {
        Node second = expression();
        yield new NameNodes.Between(
            "(",
            wrapped(first),
            symbol + "..." + symbol,
            new TypeNodes.Around("", wrapped(second), ")"));
      }
    };
  }

  private static Node wrapped(Node node) {
    return node.isSimpleOperand() ? node : new TypeNodes.Around("(", node, ")");
  }

  /** (...+operand) and (operand+...). */
  private static final class FoldNode extends Node {
    private final Node first;
    private final String symbol;
    private final Node second;
    private final boolean firstPlain;
    private final boolean secondPlain;

    FoldNode(Node first, String symbol, Node second, boolean firstPlain, boolean secondPlain) {
      this.first = first;
      this.symbol = symbol;
      this.second = second;
      this.firstPlain = firstPlain;
      this.secondPlain = secondPlain;
    }

    @Override
    void left(Out out) {
      int outerIndex = out.packIndex;
      out.packIndex = -1; // the pack as a whole
      out.add("(");
      side(out, first, firstPlain);
      out.add(symbol);
      side(out, second, secondPlain);
      out.add(")");
      out.packIndex = outerIndex;
    }

    private static void side(Out out, Node node, boolean plain) {
      if (plain) {
        node.print(out);
      } else {
        ExpressionNodes.operand(out, node);
      }
    }
  }

  private List<Node> expressions() {
    List<Node> result = new ArrayList<>();
    while (!consume("E")) {
      result.add(expression());
    }
    return result;
  }

  private Node newExpression(boolean global, String code) {
    position += 2;
    List<Node> placement = new ArrayList<>();
    while (!consume("_")) {
      placement.add(expression());
    }
    Node type = type();
    List<Node> initializer = new ArrayList<>();
    boolean initialized = consume("pi");
    if (initialized) {
      initializer = expressions();
    } else {
      expect('E');
    }
    Out out = new Out(true);
    out.add(global ? "::new" : "new").add(code.equals("na") ? "[] " : " ");
    if (!placement.isEmpty()) {
      out.add("(");
      out.list(placement);
      out.add(") ");
    }
    type.print(out);
    if (initialized) {
      out.add("(");
      out.list(initializer);
      out.add(")");
    }
    return new Text(out.toString());
  }

  /** fp_, fp0_, fL0p_: parameters of the function around; fpT is {@code this}. */
  private Node functionParameter() {
    if (consume("fpT")) {
      return new ExpressionNodes.FunctionParameter("this");
    }
    if (consume("fL")) {
      if (peek() < '0' || peek() > '9') {
        return fold('L');
      }
      number();
      expect('p');
    } else {
      position += 2;
    }
    qualifiers();
    return new ExpressionNodes.FunctionParameter("{parm#" + (sequence(10) + 1) + "}");
  }

  /** sr type name, or srN levels E name. */
  private Node unresolvedName() {
    position += 2;
    if (consume("N")) {
      Node scope = type();
      while (!consume("E")) {
        scope = new NameNodes.Nested(scope, simpleName());
      }
      return new NameNodes.Nested(scope, unresolvedBase());
    }
    if (peek() >= '0' && peek() <= '9') {
      Node scope = simpleName();
      while (!consume("E")) {
        scope = new NameNodes.Nested(scope, simpleName());
      }
      return new NameNodes.Nested(scope, unresolvedBase());
    }
    Node scope = type();
    return new NameNodes.Nested(scope, unresolvedBase());
  }

  private Node simpleName() {
    Node name = tagged(sourceName());
    return peek() == 'I' ? template(name) : name;
  }

  private Node unresolvedBase() {
    Node name;
    if (consume("on")) {
      name = unqualifiedName(new NameState(false), new Text(""));
    } else if (consume("dn")) {
      Node destroyed = peek() >= '0' && peek() <= '9' ? simpleName() : type();
      return new NameNodes.Prefixed("~", destroyed);
    } else {
      name = unqualifiedName(new NameState(false), new Text(""));
    }
    return peek() == 'I' ? template(name) : name;
  }

  @Override
  final Node literal() {
    expect('L');
    if (peek() == '_' || peek() == 'Z') {
      consume("_");
      expect('Z');
      Node result = encoding(Place.INNER);
      expect('E');
      return result;
    }
    Node type = type();
    int start = position;
    while (peek() != 'E') {
      next();
    }
    String value = text.substring(start, position);
    expect('E');
    if (value.startsWith("n")) {
      value = "-" + value.substring(1);
    }
    return new ExpressionNodes.Literal(type, value);
  }
}
