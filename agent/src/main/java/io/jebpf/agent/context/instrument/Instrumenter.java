package io.jebpf.agent.context.instrument;

import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.security.ProtectionDomain;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/**
 * Changes the classes of {@link Target}, in every class loader, as they are loaded or where they
 * are; and changes them back. The only package that knows Byte Buddy, which is loaded with the
 * first class that is changed. Transformation runs on whatever thread loads a class, and lets
 * nothing out.
 */
public final class Instrumenter implements AutoCloseable {
  /** What is to be instrumented. */
  public record Choice(boolean endpoints, boolean rootSpans) {}

  /** The world outside. */
  public interface Listener {
    /** Before the first class is changed: the hook has to be there when its code runs. */
    void prepare() throws Exception;

    /** Something was not instrumented, because of that. */
    void failed(String what, Throwable cause);
  }

  private final Instrumentation instrumentation;
  private final Choice choice;
  private final String hook;
  private final Listener listener;
  private final Transformer transformer = new Transformer();
  private final AtomicLong changed = new AtomicLong();
  private final AtomicLong failures = new AtomicLong();
  private volatile boolean prepared;
  private volatile boolean off;

  /**
   * Makes one that changes nothing yet.
   *
   * @param hook internal name of the class that instrumented code calls
   */
  public Instrumenter(
      Instrumentation instrumentation, Choice choice, String hook, Listener listener) {
    this.instrumentation = instrumentation;
    this.choice = choice;
    this.hook = hook;
    this.listener = listener;
  }

  /** Who gives call sites their targets. */
  public BiFunction<MethodHandles.Lookup, Object[], MethodHandle> linker() {
    return new Linker(hook, e -> failed("a call site", e));
  }

  /** From now on; what is loaded already is changed before this returns. */
  public void install() {
    instrumentation.addTransformer(transformer, true);
    retransform();
  }

  /** Classes changed so far. */
  public long changed() {
    return changed.get();
  }

  /** Classes and call sites that could not be changed. */
  public long failures() {
    return failures.get();
  }

  /** Gives every class its own code back. */
  @Override
  public void close() {
    off = true;
    if (instrumentation.removeTransformer(transformer)) {
      retransform();
    }
  }

  private void retransform() {
    List<Class<?>> loaded = new ArrayList<>();
    for (Class<?> type : instrumentation.getAllLoadedClasses()) {
      if (target(type.getName().replace('.', '/')).isPresent()
          && instrumentation.isModifiableClass(type)) {
        loaded.add(type);
      }
    }
    for (Class<?> type : loaded) { // one by one: a failure is one class's
      try {
        instrumentation.retransformClasses(type);
      } catch (Exception | LinkageError e) {
        failed(type.getName(), e);
      }
    }
  }

  private Optional<Target> target(String internalName) {
    return Target.of(internalName).filter(this::isWanted);
  }

  private boolean isWanted(Target target) {
    return (choice.endpoints() || !target.isRequest())
        && (choice.rootSpans() || target != Target.OTEL_SPAN);
  }

  private void failed(String what, Throwable cause) {
    failures.incrementAndGet();
    listener.failed(what, cause);
  }

  private byte[] change(Target target, String name, byte[] classFile) throws Exception {
    if (!prepared) {
      try {
        listener.prepare();
      } catch (Throwable e) {
        off = true; // without the hook no class may call it
        throw e;
      }
      prepared = true;
    }
    Rewriter.Result result = Rewriter.rewrite(classFile, name, target, target.prefix(name), hook);
    if (result.changes() == 0) {
      return null; // a class of that name with nothing in it that we know
    }
    changed.incrementAndGet();
    return result.classFile();
  }

  /**
   * Asked about every class that is loaded: what it does for nearly all of them is next to none.
   */
  private final class Transformer implements ClassFileTransformer {
    private final boolean[] failed = new boolean[Target.values().length];

    @Override
    public byte[] transform(
        Module module,
        ClassLoader loader,
        String name,
        Class<?> redefined,
        ProtectionDomain domain,
        byte[] classFile) {
      if (name == null || off) {
        return null;
      }
      Optional<Target> target = target(name);
      if (target.isEmpty() || failed[target.get().ordinal()]) {
        return null;
      }
      try {
        return change(target.get(), name, classFile);
      } catch (Throwable e) { // the edge: the class is loaded as it is
        failed[target.get().ordinal()] = true;
        Instrumenter.this.failed(name, e);
        return null;
      }
    }
  }

  @Override
  public String toString() {
    return "instruments " + Arrays.toString(Target.values());
  }
}
