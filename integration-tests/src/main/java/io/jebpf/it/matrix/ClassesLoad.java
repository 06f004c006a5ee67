package io.jebpf.it.matrix;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;

/**
 * Classes that are loaded, run until they are compiled, and unloaded. To be run with a small code
 * cache: code is freed and its memory used again while samples of it are on their way.
 */
final class ClassesLoad implements Workload {
  private final byte[] bytes;

  /** Loaded again and again under the same name, by loaders of its own. */
  public static final class Body {
    private Body() {}

    public static long run(long x) {
      long sum = 0;
      for (int i = 0; i < 300; i++) {
        sum += first(x + i);
      }
      return sum;
    }

    private static long first(long x) {
      return second(x) + second(x + 1);
    }

    private static long second(long x) {
      long y = x | 1;
      for (int i = 0; i < 20; i++) {
        y ^= y << 13;
        y ^= y >>> 7;
      }
      return y;
    }
  }

  ClassesLoad() throws IOException {
    try (InputStream stream = Body.class.getResourceAsStream("ClassesLoad$Body.class")) {
      bytes = stream.readAllBytes();
    }
  }

  private static final class Loader extends ClassLoader {
    Class<?> define(byte[] code) {
      return defineClass(Body.class.getName(), code, 0, code.length);
    }
  }

  @Override
  public void round() throws ReflectiveOperationException {
    Method method = new Loader().define(bytes).getMethod("run", long.class);
    for (int i = 0; i < 60; i++) {
      MatrixLoad.sink += (long) method.invoke(null, (long) i);
    }
  }
}
