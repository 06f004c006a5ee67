package io.jebpf.it.matrix;

/**
 * Virtual and interface calls with too many receivers to inline, large frames, loops entered hot.
 */
final class DispatchLoad implements Workload {
  private final Base[] receivers = {new A(), new B(), new C(), new D(), new E()};

  interface Called {
    long called(long x);
  }

  abstract static class Base implements Called {
    abstract long virtual(long x);

    @Override
    public long called(long x) {
      return virtual(x) + 1;
    }
  }

  static class A extends Base {
    @Override
    long virtual(long x) {
      return x + 1;
    }
  }

  static class B extends A {
    @Override
    long virtual(long x) {
      return super.virtual(x) * 3;
    }
  }

  static class C extends Base {
    @Override
    long virtual(long x) {
      return x ^ 5;
    }

    @Override
    public long called(long x) {
      return x;
    }
  }

  static final class D extends C {
    @Override
    long virtual(long x) {
      return MatrixLoad.burn(x, 5);
    }
  }

  static final class E extends Base {
    @Override
    synchronized long virtual(long x) {
      return MatrixLoad.burn(x, 6);
    }
  }

  @Override
  public void round() {
    long x = 1;
    for (int i = 0; i < 3000; i++) {
      Base receiver = receivers[i % receivers.length];
      x += receiver.virtual(x);
      x += ((Called) receivers[(i + 1) % receivers.length]).called(x);
    }
    x += large(5, x);
    x += loop(200);
    MatrixLoad.sink += x;
  }

  /** More live values than registers: a frame of some hundred bytes, and recursion over it. */
  private static long large(int depth, long x) {
    long a = x + 1, b = a * 3, c = b ^ a, d = c + b, e = d * a, f = e ^ d, g = f + e, h = g * c;
    double i = a, j = b * 0.5, k = i * j, l = k - i, m = l / 3, n = m * m, o = n + j, p = o * k;
    long below = depth == 0 ? MatrixLoad.burn(x, 50) : large(depth - 1, x + 1);
    return a + b + c + d + e + f + g + h + below + (long) (i + j + k + l + m + n + o + p);
  }

  /** Compiled while it runs, and entered in the middle. */
  private static long loop(int rounds) {
    long x = 1;
    for (int i = 0; i < rounds; i++) {
      for (int k = 0; k < 100; k++) {
        x = x * 31 + k;
        if ((x & 0xfff) == 0) {
          x += large(1, x);
        }
      }
    }
    return x;
  }
}
