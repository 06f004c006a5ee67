package io.jebpf.symbolizer.demangle;

import io.jebpf.symbolizer.demangle.NameNodes.Pack;
import io.jebpf.symbolizer.demangle.NameNodes.Text;
import java.util.ArrayList;
import java.util.List;

/** Types: section 5.1.5 of the Itanium C++ ABI. */
abstract class TypeParser extends Cursor {
  private static final String[] BUILTINS = new String[26];

  static {
    String[] pairs = {
      "v",
      "void",
      "w",
      "wchar_t",
      "b",
      "bool",
      "c",
      "char",
      "a",
      "signed char",
      "h",
      "unsigned char",
      "s",
      "short",
      "t",
      "unsigned short",
      "i",
      "int",
      "j",
      "unsigned int",
      "l",
      "long",
      "m",
      "unsigned long",
      "x",
      "long long",
      "y",
      "unsigned long long",
      "n",
      "__int128",
      "o",
      "unsigned __int128",
      "f",
      "float",
      "d",
      "double",
      "e",
      "long double",
      "g",
      "__float128",
      "z",
      "..."
    };
    for (int i = 0; i < pairs.length; i += 2) {
      BUILTINS[pairs[i].charAt(0) - 'a'] = pairs[i + 1];
    }
  }

  TypeParser(String text) {
    super(text);
  }

  abstract Node expression();

  abstract Node literal();

  abstract Node name(NameState state);

  abstract Node sourceName();

  /** What a parsed name says about the function that may have it. */
  static final class NameState {
    /** Whether T_ in what follows refers to the template arguments in this name. */
    final boolean outermost;

    boolean endsWithArguments;
    boolean noResult; // constructors, destructors, conversions
    String qualifiers = ""; // of the member function

    NameState(boolean outermost) {
      this.outermost = outermost;
    }
  }

  final Node type() {
    enter();
    Node result = typeBody();
    leave();
    return result;
  }

  private Node typeBody() {
    char c = peek();
    switch (c) {
      case 'r', 'V', 'K' -> {
        int at = 0;
        while ("rVK".indexOf(peek(at)) >= 0 && peek(at) != 0) {
          at++;
        }
        boolean function = peek(at) == 'F' || peek(at) == 'D' && "oOwx".indexOf(peek(at + 1)) >= 0;
        return remember(function ? functionType() : qualifiedType());
      }
      case 'U' -> {
        return remember(vendorQualified());
      }
      case 'F' -> {
        return remember(functionType());
      }
      case 'P' -> {
        return pointer("*");
      }
      case 'R' -> {
        return pointer("&");
      }
      case 'O' -> {
        return pointer("&&");
      }
      case 'C', 'G' -> {
        next();
        return remember(new TypeNodes.Around("", type(), c == 'C' ? " _Complex" : " _Imaginary"));
      }
      case 'A' -> {
        return remember(array());
      }
      case 'M' -> {
        next();
        Node owner = type();
        return remember(new TypeNodes.MemberPointer(owner, type()));
      }
      case 'T' -> {
        return parameterType();
      }
      case 'S' -> {
        return substitutedType();
      }
      case 'D' -> {
        return extendedType();
      }
      case 'u' -> {
        next();
        Node vendor = sourceName();
        return remember(peek() == 'I' ? template(vendor) : vendor);
      }
      default -> {
        if (c >= 'a' && c <= 'z' && BUILTINS[c - 'a'] != null) {
          next();
          return new TypeNodes.Builtin(BUILTINS[c - 'a']);
        }
        if (c == 'N' || c == 'Z' || c >= '0' && c <= '9') {
          return remember(name(new NameState(false)));
        }
        throw Malformed.INSTANCE;
      }
    }
  }

  private Node pointer(String symbol) {
    next();
    return remember(new TypeNodes.Pointer(type(), symbol));
  }

  /** Qualifiers at the present place, in the order they are printed. */
  final String qualifiers() {
    String found = "";
    while (true) {
      if (consume("r")) {
        found = " __restrict" + found;
      } else if (consume("V")) {
        found = " volatile" + found;
      } else if (consume("K")) {
        found = " const" + found;
      } else {
        return found;
      }
    }
  }

  private Node qualifiedType() {
    String found = qualifiers();
    return new TypeNodes.Qualified(type(), found);
  }

  private Node vendorQualified() {
    expect('U');
    Node qualifier = sourceName();
    String arguments = "";
    if (peek() == 'I') {
      Out out = new Out(true);
      template(new Text("")).print(out);
      arguments = out.toString();
    }
    Out out = new Out(true);
    qualifier.print(out);
    return new TypeNodes.Qualified(type(), " " + out + arguments);
  }

  private Node functionType() {
    String found = qualifiers();
    String exceptions = "";
    if (consume("Do")) {
      exceptions = " noexcept";
    } else if (consume("DO")) {
      Out out = new Out(true);
      expression().print(out);
      expect('E');
      exceptions = " noexcept(" + out + ")";
    } else if (consume("Dw")) {
      List<Node> thrown = new ArrayList<>();
      while (!consume("E")) {
        thrown.add(type());
      }
      Out out = new Out(true);
      out.list(thrown);
      exceptions = " throw(" + out + ")";
    }
    String transaction = consume("Dx") ? " transaction_safe" : "";
    expect('F');
    consume("Y"); // extern "C"
    Node result = type();
    List<Node> parameters = new ArrayList<>();
    String reference = "";
    while (true) {
      if (consume("E")) {
        break;
      }
      if (consume("RE")) {
        reference = " &";
        break;
      }
      if (consume("OE")) {
        reference = " &&";
        break;
      }
      parameters.add(type());
    }
    return new TypeNodes.FunctionType(
        result, withoutVoid(parameters), found + reference + transaction + exceptions);
  }

  /** A list of only void is an empty one. */
  static List<Node> withoutVoid(List<Node> parameters) {
    boolean none =
        parameters.size() == 1
            && parameters.get(0) instanceof TypeNodes.Builtin builtin
            && builtin.name.equals("void");
    return none ? List.of() : parameters;
  }

  private Node array() {
    expect('A');
    Node bound = new Text("");
    if (peek() >= '0' && peek() <= '9') {
      int start = position;
      number();
      bound = new Text(text.substring(start, position));
    } else if (peek() != '_') {
      bound = expression();
    }
    expect('_');
    return new TypeNodes.Array(type(), bound);
  }

  private Node parameterType() {
    char kind = peek(1);
    if (kind == 's' || kind == 'u' || kind == 'e') {
      position += 2; // struct, union, enum
      return remember(name(new NameState(false)));
    }
    Node parameter = remember(parameter());
    // In a conversion operator's type, <arguments> may be those of the operator itself.
    if (peek() == 'I' && conversionDepth == 0) {
      return remember(template(parameter));
    }
    if (peek() == 'I') {
      return conversionArguments(parameter);
    }
    return parameter;
  }

  /** Whether arguments after a parameter belong to it: only if more arguments follow them. */
  private Node conversionArguments(Node parameter) {
    int start = position;
    int conversions = conversionDepth;
    try {
      Node whole = template(parameter);
      if (peek() == 'I') {
        return remember(whole);
      }
    } catch (Malformed e) {
      // Not a list of arguments here.
    }
    conversionDepth = conversions;
    position = start;
    return parameter;
  }

  private Node substitutedType() {
    if (peek(1) == 't') {
      return remember(name(new NameState(false)));
    }
    Node found = substitutionName();
    if (peek() == 'I') {
      return remember(template(found));
    }
    return found;
  }

  /** S_, S0_, and the standard library's abbreviations but for St. */
  final Node substitutionName() {
    expect('S');
    Node standard =
        switch (peek()) {
          case 'a' -> new NameNodes.Standard("std::allocator", "allocator");
          case 'b' -> new NameNodes.Standard("std::basic_string", "basic_string");
          case 's' ->
              new NameNodes.Standard(
                  "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
                  "basic_string");
          case 'i' ->
              new NameNodes.Standard(
                  "std::basic_istream<char, std::char_traits<char> >", "basic_istream");
          case 'o' ->
              new NameNodes.Standard(
                  "std::basic_ostream<char, std::char_traits<char> >", "basic_ostream");
          case 'd' ->
              new NameNodes.Standard(
                  "std::basic_iostream<char, std::char_traits<char> >", "basic_iostream");
          default -> new Text("");
        };
    if (standard instanceof Text) {
      return substitution(sequence(36));
    }
    next();
    return peek() == 'B' ? remember(tagged(standard)) : standard;
  }

  /** ABI tags after a name. */
  final Node tagged(Node name) {
    Node result = name;
    while (consume("B")) {
      Out out = new Out(true);
      sourceName().print(out);
      result = new NameNodes.Tagged(result, out.toString());
    }
    return result;
  }

  private Node extendedType() {
    char kind = peek(1);
    switch (kind) {
      case 'T', 't' -> {
        return remember(decltype());
      }
      case 'o', 'O', 'w', 'x' -> {
        return remember(functionType());
      }
      case 'v' -> {
        return remember(vector());
      }
      case 'p' -> {
        position += 2;
        return remember(new TypeNodes.Expansion(type()));
      }
      case 'F' -> {
        return floating();
      }
      default -> {
        position += 2;
        String name =
            switch (kind) {
              case 'n' -> "decltype(nullptr)";
              case 'i' -> "char32_t";
              case 's' -> "char16_t";
              case 'u' -> "char8_t";
              case 'a' -> "auto";
              case 'c' -> "decltype(auto)";
              case 'f' -> "decimal32";
              case 'd' -> "decimal64";
              case 'e' -> "decimal128";
              case 'h' -> "half";
              default -> throw Malformed.INSTANCE;
            };
        return new TypeNodes.Builtin(name);
      }
    }
  }

  /** DF16_ and its like: _Float16. */
  private Node floating() {
    position += 2;
    int bits = number();
    String suffix = consume("x") ? "x" : "";
    if (consume("b")) {
      return new TypeNodes.Builtin("std::bfloat" + bits + "_t");
    }
    if (suffix.isEmpty()) {
      expect('_');
    }
    return new TypeNodes.Builtin("_Float" + bits + suffix);
  }

  final Node decltype() {
    position += 2;
    Node inner = expression();
    expect('E');
    return new TypeNodes.Around("decltype (", inner, ")");
  }

  private Node vector() {
    position += 2;
    Node size;
    if (consume("_")) {
      size = expression();
    } else {
      size = new Text(Integer.toString(number()));
    }
    expect('_');
    Out out = new Out(true);
    size.print(out);
    return new TypeNodes.Around("", type(), " __vector(" + out + ")");
  }

  /** name&lt;arguments&gt; where the arguments are not those that T_ refers to afterwards. */
  final Node template(Node name) {
    return new NameNodes.Template(name, templateArguments(false));
  }

  /** I arguments E. {@code outermost}: T_ in what follows refers to these. */
  final List<Node> templateArguments(boolean outermost) {
    enter();
    expect('I');
    List<Node> before = arguments;
    if (outermost) {
      arguments = new ArrayList<>();
    }
    List<Node> found = new ArrayList<>();
    while (!consume("E")) {
      Node argument = templateArgument();
      found.add(argument);
      if (outermost) {
        arguments.add(argument);
      }
    }
    if (!outermost) {
      arguments = before;
    }
    leave();
    return found;
  }

  private Node templateArgument() {
    switch (peek()) {
      case 'X' -> {
        next();
        Node result = expression();
        expect('E');
        return result;
      }
      case 'L' -> {
        return literal();
      }
      case 'J', 'I' -> {
        next();
        List<Node> elements = new ArrayList<>();
        while (!consume("E")) {
          elements.add(templateArgument());
        }
        return new Pack(elements);
      }
      default -> {
        return type();
      }
    }
  }
}
