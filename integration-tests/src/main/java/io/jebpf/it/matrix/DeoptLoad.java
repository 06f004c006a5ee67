package io.jebpf.it.matrix;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.MutableCallSite;

/**
 * Compiled frames that are thrown away while they are on the stack: a call site's target changes
 * below a deep recursion, types and branches are seen that the compiler ruled out.
 */
final class DeoptLoad implements Workload {
  private static final MutableCallSite SITE =
      new MutableCallSite(MethodType.methodType(long.class, long.class));
  private static final MethodHandle CALL = SITE.dynamicInvoker();
  private static final MethodHandle[] TARGETS = targets();

  private final Shape[] shapes = {new Round(), new Flat(), new Tall(), new Empty()};
  private int turn;

  interface Shape {
    long size(long x);
  }

  static class Round implements Shape {
    @Override
    public long size(long x) {
      return MatrixLoad.burn(x, 20);
    }
  }

  static class Flat implements Shape {
    @Override
    public long size(long x) {
      return MatrixLoad.burn(x, 21) + 1;
    }
  }

  static class Tall implements Shape {
    @Override
    public long size(long x) {
      return MatrixLoad.burn(x, 22) + 2;
    }
  }

  static class Empty implements Shape {
    @Override
    public long size(long x) {
      return x;
    }
  }

  private static MethodHandle[] targets() {
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup();
      MethodType type = MethodType.methodType(long.class, long.class);
      return new MethodHandle[] {
        lookup.findStatic(DeoptLoad.class, "plus", type),
        lookup.findStatic(DeoptLoad.class, "times", type)
      };
    } catch (ReflectiveOperationException impossible) {
      throw new ExceptionInInitializerError(impossible);
    }
  }

  static long plus(long x) {
    return MatrixLoad.burn(x, 10) + 1;
  }

  static long times(long x) {
    return MatrixLoad.burn(x, 10) * 3;
  }

  @Override
  public void round() throws Throwable {
    SITE.setTarget(TARGETS[turn & 1]);
    for (int i = 0; i < 200; i++) {
      MatrixLoad.sink += down(40, i, -1);
    }
    MatrixLoad.sink += down(60, turn, 20);
    Shape shape = shapes[turn / 16 % shapes.length];
    for (int i = 0; i < 2000; i++) {
      MatrixLoad.sink += measure(shape, i);
    }
    MatrixLoad.sink += surprised(turn % 97 == 0 ? null : "text");
    turn++;
  }

  /** At depth `change` the call site changes: all compiled frames above must go. */
  private static long down(int depth, long x, int change) throws Throwable {
    if (depth == change) {
      SITE.setTarget(TARGETS[(int) (x + 1) & 1]);
    }
    long value = (long) CALL.invokeExact(x);
    return depth == 0 ? value : down(depth - 1, value, change) + 1;
  }

  private static long measure(Shape shape, long x) {
    return shape.size(x) + 1;
  }

  private static long surprised(String text) {
    long sum = 0;
    for (int i = 0; i < 3000; i++) {
      try {
        sum += text.length() + i % 7;
      } catch (NullPointerException expected) {
        sum++;
      }
    }
    return sum;
  }
}
