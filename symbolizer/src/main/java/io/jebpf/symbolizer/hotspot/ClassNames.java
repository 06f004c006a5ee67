package io.jebpf.symbolizer.hotspot;

/** Class names as they appear in profiles. */
final class ClassNames {
  private static final String LAMBDA = "$$Lambda";

  private ClassNames() {}

  /**
   * {@code java/util/HashMap} to {@code java.util.HashMap}. Hidden classes lose what differs from
   * run to run: {@code Foo$$Lambda+0x00007f…} (21+: the name; 17: {@code Foo$$Lambda$14+0x…}) is
   * {@code Foo$$Lambda}.
   */
  static String display(String internal) {
    String name = withoutAddress(internal);
    int lambda = name.lastIndexOf(LAMBDA);
    int counter = lambda + LAMBDA.length();
    if (lambda > 0
        && counter + 1 < name.length()
        && name.charAt(counter) == '$'
        && isDigits(name, counter + 1)) {
      name = name.substring(0, counter);
    }
    return name.replace('/', '.');
  }

  /** Directory of the package with its closing slash; empty for the unnamed package. */
  static String directory(String internal) {
    return internal.substring(0, withoutAddress(internal).lastIndexOf('/') + 1);
  }

  private static String withoutAddress(String internal) {
    int mark = internal.lastIndexOf("0x");
    if (mark > 1 && isHex(internal, mark + 2)) {
      char before = internal.charAt(mark - 1);
      if (before == '+' || before == '/') {
        return internal.substring(0, mark - 1);
      }
    }
    return internal;
  }

  private static boolean isHex(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (Character.digit(text.charAt(i), 16) < 0) {
        return false;
      }
    }
    return from < text.length();
  }

  private static boolean isDigits(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      if (text.charAt(i) < '0' || text.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }
}
