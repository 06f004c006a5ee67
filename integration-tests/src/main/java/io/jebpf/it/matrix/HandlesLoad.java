package io.jebpf.it.matrix;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.function.Function;
import java.util.function.LongUnaryOperator;

/** Method handles, their adapters and combinators, reflection, proxies, var handles, lambdas. */
final class HandlesLoad implements Workload {
  private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

  private final MethodHandle direct = find("target");
  private final MethodHandle guarded = guarded();
  private final MethodHandle spread = spread();
  private final Method reflected;
  private final LongUnaryOperator proxy;
  private final VarHandle field;
  private long value;

  HandlesLoad() throws ReflectiveOperationException {
    reflected = HandlesLoad.class.getDeclaredMethod("target", long.class);
    field = LOOKUP.findVarHandle(HandlesLoad.class, "value", long.class);
    proxy =
        (LongUnaryOperator)
            Proxy.newProxyInstance(
                HandlesLoad.class.getClassLoader(),
                new Class<?>[] {LongUnaryOperator.class},
                (self, method, arguments) -> target((long) arguments[0]));
  }

  private static MethodHandle find(String name) {
    try {
      return LOOKUP.findStatic(
          HandlesLoad.class, name, MethodType.methodType(long.class, long.class));
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static MethodHandle guarded() {
    try {
      MethodHandle test =
          LOOKUP.findStatic(
              HandlesLoad.class, "even", MethodType.methodType(boolean.class, long.class));
      return MethodHandles.guardWithTest(test, find("target"), find("other"));
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static MethodHandle spread() {
    try {
      MethodHandle many =
          LOOKUP.findStatic(
              HandlesLoad.class,
              "many",
              MethodType.methodType(
                  long.class, long.class, double.class, Object.class, int.class, long.class));
      return MethodHandles.insertArguments(many, 1, 2.0, "x").asSpreader(Object[].class, 3);
    } catch (ReflectiveOperationException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static boolean even(long x) {
    return (x & 1) == 0;
  }

  static long target(long x) {
    return MatrixLoad.burn(x, 15);
  }

  static long other(long x) {
    return MatrixLoad.burn(x, 16) + 1;
  }

  static long many(long a, double b, Object c, int d, long e) {
    return MatrixLoad.burn(a + (long) b + c.hashCode() + d + e, 17);
  }

  @Override
  public void round() throws Throwable {
    for (int i = 0; i < 100; i++) {
      long x = i;
      x += (long) direct.invokeExact(x);
      x += (long) guarded.invokeExact(x);
      x += (long) guarded.invoke(i);
      x += (long) spread.invoke(new Object[] {x, i, 3L});
      x += (long) reflected.invoke(null, x);
      x += proxy.applyAsLong(x);
      field.setVolatile(this, x);
      x += (long) field.getAndAdd(this, 1L);
      x += composed(HandlesLoad::target).andThen(y -> other(y)).apply(x);
      MatrixLoad.sink += x;
    }
  }

  private static Function<Long, Long> composed(LongUnaryOperator operator) {
    return x -> operator.applyAsLong(x) + 1;
  }
}
