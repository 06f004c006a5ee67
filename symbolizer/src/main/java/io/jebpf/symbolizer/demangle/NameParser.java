package io.jebpf.symbolizer.demangle;

import io.jebpf.symbolizer.demangle.NameNodes.Function;
import io.jebpf.symbolizer.demangle.NameNodes.Nested;
import io.jebpf.symbolizer.demangle.NameNodes.Prefixed;
import io.jebpf.symbolizer.demangle.NameNodes.Template;
import io.jebpf.symbolizer.demangle.NameNodes.Text;
import java.util.ArrayList;
import java.util.List;

/** Names and encodings: sections 5.1.2 to 5.1.4 of the Itanium C++ ABI. */
final class NameParser extends ExpressionParser {
  private static final Node NOTHING = new Text("");

  NameParser(String text) {
    super(text);
  }

  /** Whether everything was parsed but for what starts with this. */
  boolean isAtEnd() {
    return position == text.length();
  }

  @Override
  Node encoding(Place place) {
    enter();
    Node result = peek() == 'T' || peek() == 'G' ? specialName() : plainEncoding(place);
    leave();
    return result;
  }

  private Node plainEncoding(Place place) {
    List<Node> outer = arguments;
    arguments = new ArrayList<>();
    NameState state = new NameState(true);
    Node name = name(state);
    for (NameNodes.Parameter parameter : early) {
      parameter.resolve(arguments);
    }
    early.clear();
    Node result;
    if (endsHere()) {
      result = state.qualifiers.isEmpty() ? name : new TypeNodes.Qualified(name, state.qualifiers);
    } else {
      Node returned = state.endsWithArguments && !state.noResult ? type() : NOTHING;
      List<Node> parameters = new ArrayList<>();
      while (!endsHere()) {
        parameters.add(type());
      }
      result =
          new Function(
              place == Place.SCOPE ? NOTHING : returned,
              name,
              withoutVoid(parameters),
              state.qualifiers,
              arguments);
    }
    if (place != Place.TOP) {
      arguments = outer;
    }
    return result;
  }

  private boolean endsHere() {
    return peek() == 0 || peek() == 'E' || peek() == '.';
  }

  private Node specialName() {
    char family = next();
    char kind = next();
    if (family == 'T') {
      switch (kind) {
        case 'V' -> {
          return new Prefixed("vtable for ", type());
        }
        case 'T' -> {
          return new Prefixed("VTT for ", type());
        }
        case 'I' -> {
          return new Prefixed("typeinfo for ", type());
        }
        case 'S' -> {
          return new Prefixed("typeinfo name for ", type());
        }
        case 'F' -> {
          return new Prefixed("typeinfo fn for ", type());
        }
        case 'C' -> {
          Node derived = type();
          number();
          expect('_');
          Node base = type();
          return new NameNodes.Between("construction vtable for ", base, "-in-", derived);
        }
        case 'h' -> {
          position--;
          callOffset();
          return new Prefixed("non-virtual thunk to ", encoding(Place.INNER));
        }
        case 'v' -> {
          position--;
          callOffset();
          return new Prefixed("virtual thunk to ", encoding(Place.INNER));
        }
        case 'c' -> {
          callOffset();
          callOffset();
          return new Prefixed("covariant return thunk to ", encoding(Place.INNER));
        }
        case 'H' -> {
          return new Prefixed("TLS init function for ", name(new NameState(false)));
        }
        case 'W' -> {
          return new Prefixed("TLS wrapper function for ", name(new NameState(false)));
        }
        case 'A' -> {
          return new Prefixed("template parameter object for ", literalArgument());
        }
        default -> throw Malformed.INSTANCE;
      }
    }
    switch (kind) {
      case 'V' -> {
        return new Prefixed("guard variable for ", name(new NameState(false)));
      }
      case 'R' -> {
        Node name = name(new NameState(false));
        int number = peek() == 0 ? 0 : sequence(36);
        return new NameNodes.Between("reference temporary #" + number + " for ", name, "", NOTHING);
      }
      case 'A' -> {
        return new Prefixed("hidden alias for ", encoding(Place.INNER));
      }
      case 'T' -> {
        boolean entry = next() == 'n';
        String prefix = entry ? "non-transaction clone for " : "transaction clone for ";
        return new Prefixed(prefix, encoding(Place.INNER));
      }
      default -> throw Malformed.INSTANCE;
    }
  }

  private Node literalArgument() {
    if (peek() == 'L') {
      return literal();
    }
    return expression();
  }

  private void callOffset() {
    char kind = next();
    if (kind == 'h') {
      signed();
    } else if (kind == 'v') {
      signed();
      expect('_');
      signed();
    } else {
      throw Malformed.INSTANCE;
    }
    expect('_');
  }

  @Override
  Node name(NameState state) {
    enter();
    Node result = nameBody(state);
    leave();
    return result;
  }

  private Node nameBody(NameState state) {
    if (peek() == 'N') {
      return nestedName(state);
    }
    if (peek() == 'Z') {
      return localName(state);
    }
    if (peek() == 'S' && peek(1) != 't') {
      Node found = substitutionName();
      state.endsWithArguments = true;
      return new Template(found, templateArguments(state.outermost));
    }
    Node found;
    if (consume("St")) {
      found = new Nested(new Text("std"), unqualifiedName(state, NOTHING));
    } else {
      found = unqualifiedName(state, NOTHING);
    }
    if (peek() == 'I') {
      remember(found);
      state.endsWithArguments = true;
      return new Template(found, templateArguments(state.outermost));
    }
    return found;
  }

  private Node nestedName(NameState state) {
    expect('N');
    String qualifiers = qualifiers();
    if (consume("O")) {
      qualifiers += " &&";
    } else if (consume("R")) {
      qualifiers += " &";
    }
    Node so = NOTHING;
    boolean any = false;
    while (!consume("E")) {
      state.endsWithArguments = false;
      char c = peek();
      if (c == 'S' && peek(1) != 't') {
        if (any) {
          throw Malformed.INSTANCE;
        }
        so = substitutionName();
        any = true;
        if (peek() == 'E') {
          throw Malformed.INSTANCE;
        }
        continue;
      }
      if (c == 'S') {
        position += 2;
        so = new Nested(new Text("std"), unqualifiedName(state, NOTHING));
      } else if (c == 'T') {
        so = parameter();
      } else if (c == 'D' && (peek(1) == 't' || peek(1) == 'T')) {
        so = decltype();
      } else if (c == 'I') {
        if (!any) {
          throw Malformed.INSTANCE;
        }
        so = new Template(so, templateArguments(state.outermost));
        state.endsWithArguments = true;
      } else if (c == 'M') {
        next(); // a lambda in the initialiser of a member follows
        continue;
      } else {
        Node name = unqualifiedName(state, so);
        so = any ? new Nested(so, name) : name;
      }
      any = true;
      remember(so);
    }
    if (!any) {
      throw Malformed.INSTANCE;
    }
    forgetLast(); // the whole name is remembered by its user, if it is a type
    state.qualifiers = qualifiers;
    return so;
  }

  private Node localName(NameState state) {
    expect('Z');
    Node function = encoding(Place.SCOPE);
    expect('E');
    if (consume("s")) {
      discriminator();
      return new Nested(function, new Text("string literal"));
    }
    if (consume("d")) {
      String number = peek() == '_' ? "1" : Integer.toString(number() + 2);
      expect('_');
      Node entity = name(state);
      return new Nested(new Nested(function, new Text("{default arg#" + number + "}")), entity);
    }
    Node entity = name(state);
    discriminator();
    return new Nested(function, entity);
  }

  private void discriminator() {
    if (peek() != '_') {
      return;
    }
    if (peek(1) == '_') {
      position += 2;
      number();
      expect('_');
    } else if (peek(1) >= '0' && peek(1) <= '9') {
      position += 2;
    }
  }

  @Override
  Node unqualifiedName(NameState state, Node scope) {
    consume("L"); // internal linkage
    char c = peek();
    Node name;
    if (c >= '0' && c <= '9') {
      name = sourceName();
    } else if (c == 'U') {
      name = unnamedType();
    } else if (c == 'C' && (peek(1) >= '1' && peek(1) <= '5' || peek(1) == 'I')) {
      position++;
      boolean inherited = consume("I");
      position++;
      if (inherited) {
        type();
      }
      state.noResult = true;
      name = scope.constructorName();
    } else if (c == 'D' && peek(1) == 'C') {
      name = structuredBinding();
    } else if (c == 'D' && peek(1) >= '0' && peek(1) <= '5') {
      position += 2;
      state.noResult = true;
      name = new Prefixed("~", scope.constructorName());
    } else {
      name = operatorName(state);
    }
    return tagged(name);
  }

  private Node structuredBinding() {
    position += 2;
    List<Node> names = new ArrayList<>();
    while (!consume("E")) {
      names.add(sourceName());
    }
    Out out = new Out(true);
    out.list(names);
    return new Text("[" + out + "]");
  }

  private Node operatorName(NameState state) {
    if (consume("cv")) {
      conversionDepth++;
      Node type = type();
      conversionDepth--;
      state.noResult = true;
      return new Prefixed("operator ", type);
    }
    if (consume("li")) {
      return new Prefixed("operator\"\" ", sourceName());
    }
    if (peek() == 'v' && peek(1) >= '0' && peek(1) <= '9') {
      position += 2;
      return new Prefixed("operator ", sourceName());
    }
    String code = "" + peek() + peek(1);
    String symbol = Operators.find(code).symbol();
    position += 2;
    boolean word = symbol.charAt(0) >= 'a' && symbol.charAt(0) <= 'z';
    return new Text("operator" + (word ? " " : "") + symbol);
  }

  @Override
  Node sourceName() {
    int length = number();
    if (length == 0 || length > text.length() - position) {
      throw Malformed.INSTANCE;
    }
    String name = text.substring(position, position + length);
    position += length;
    // _GLOBAL_ [._$] N: what gcc and clang call an unnamed namespace
    boolean anonymous =
        length >= 10
            && name.startsWith("_GLOBAL_")
            && "._$".indexOf(name.charAt(8)) >= 0
            && name.charAt(9) == 'N';
    return new Text(anonymous ? "(anonymous namespace)" : name);
  }

  /** Ul parameters E number _ : a lambda; Ut number _ : another unnamed type. */
  private Node unnamedType() {
    position++;
    char kind = next();
    if (kind == 't') {
      String number = Integer.toString(sequence(10) + 1);
      return new Text("{unnamed type#" + number + "}");
    }
    if (kind != 'l') {
      throw Malformed.INSTANCE;
    }
    lambdaDepth++;
    List<Node> parameters = new ArrayList<>();
    while (!consume("E")) {
      parameters.add(type());
    }
    lambdaDepth--;
    int number = sequence(10) + 1;
    return new NameNodes.Lambda(withoutVoid(parameters), Integer.toString(number));
  }
}
