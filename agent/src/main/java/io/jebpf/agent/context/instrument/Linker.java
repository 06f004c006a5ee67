package io.jebpf.agent.context.instrument;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.function.BiFunction;
import java.util.function.Consumer;

/**
 * Links call sites of instrumented classes, at their first use and on the thread that uses them.
 * Stateless.
 */
final class Linker implements BiFunction<MethodHandles.Lookup, Object[], MethodHandle> {
  private final String hook;
  private final Consumer<Throwable> failed;

  Linker(String hook, Consumer<Throwable> failed) {
    this.hook = hook;
    this.failed = failed;
  }

  /**
   * The target of a call site; null when it cannot be made, and then the class does what it did.
   *
   * @param site name, type and prefix of the call site
   */
  @Override
  public MethodHandle apply(MethodHandles.Lookup lookup, Object[] site) {
    MethodType type = (MethodType) site[1];
    try {
      byte[] glue =
          Glue.make(
              (String) site[0],
              hook,
              lookup.lookupClass().getPackageName(),
              (String) site[2],
              type.toMethodDescriptorString());
      MethodHandles.Lookup inside = lookup.defineHiddenClass(glue, true);
      return inside.findStatic(inside.lookupClass(), Glue.METHOD, type);
    } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
      failed.accept(e);
      return null;
    }
  }
}
