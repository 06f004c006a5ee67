package io.jebpf.agent.vthread;

import io.jebpf.bpf.Parks;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.security.ProtectionDomain;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Puts {@code java.lang.JebpfParks} between virtual threads and their yield: one reference in the
 * constant pool of {@code java.lang.VirtualThread} is changed, once, by retransformation. Whatever
 * does not look as expected leaves the class as it is. Owner: thread "jebpf-reader".
 */
public final class ParkHook implements AutoCloseable {
  private static final String THREAD = "java/lang/VirtualThread";
  private static final String CONTINUATION = "jdk/internal/vm/Continuation";
  private static final String METHOD = "yield";
  private static final String DESCRIPTOR = "(Ljdk/internal/vm/ContinuationScope;)Z";
  private static final String TARGET = "java/lang/JebpfParks";
  private static final String TARGET_BYTES = "JebpfParks.classdata";

  /**
   * Calls of the native function before any virtual thread makes one: enough for the JVM to link
   * and specialise the method handle (MethodHandle.CUSTOMIZE_THRESHOLD is 127), so that neither
   * happens inside a park.
   */
  private static final int WARM_CALLS = 500;

  private final Instrumentation instrumentation;
  private final Redirection redirection;

  private ParkHook(Instrumentation instrumentation, Redirection redirection) {
    this.instrumentation = instrumentation;
    this.redirection = redirection;
  }

  /**
   * Installs the hook. Nothing is changed when this throws.
   *
   * @throws HookException with the reason, for the user
   */
  public static ParkHook install(Instrumentation instrumentation, Parks parks)
      throws HookException {
    if (!instrumentation.isRetransformClassesSupported()) {
      throw new HookException("this JVM does not retransform classes");
    }
    try {
      Class<?> thread = Class.forName(THREAD.replace('/', '.'), false, null);
      prepare(target(instrumentation), parks);
      Redirection redirection = new Redirection(thread);
      instrumentation.addTransformer(redirection, true);
      ParkHook hook = new ParkHook(instrumentation, redirection);
      try {
        instrumentation.retransformClasses(thread);
      } catch (UnmodifiableClassException | RuntimeException | LinkageError e) {
        instrumentation.removeTransformer(redirection);
        throw e;
      }
      if (!redirection.done) {
        hook.close();
        throw new HookException(redirection.why);
      }
      return hook;
    } catch (HookException e) {
      throw e;
    } catch (Exception | LinkageError e) {
      throw new HookException(e.toString(), e);
    }
  }

  /** The class in java.lang, defined if it is not there from an earlier start. */
  private static MethodHandles.Lookup target(Instrumentation instrumentation)
      throws ReflectiveOperationException, IOException {
    Module own = ParkHook.class.getModule();
    Module base = Object.class.getModule();
    instrumentation.redefineModule(
        base, Set.of(), Map.of(), Map.of("java.lang", Set.of(own)), Set.of(), Map.of());
    MethodHandles.Lookup lookup =
        MethodHandles.privateLookupIn(Thread.class, MethodHandles.lookup());
    Class<?> target;
    try {
      target = Class.forName(TARGET.replace('/', '.'), true, null);
    } catch (ClassNotFoundException e) {
      target = lookup.defineClass(targetBytes());
    }
    return MethodHandles.privateLookupIn(target, MethodHandles.lookup());
  }

  private static byte[] targetBytes() throws IOException {
    try (InputStream in = ParkHook.class.getResourceAsStream(TARGET_BYTES)) {
      if (in == null) {
        throw new IOException("this jar has no " + TARGET_BYTES);
      }
      return in.readAllBytes();
    }
  }

  private static void prepare(MethodHandles.Lookup target, Parks parks)
      throws ReflectiveOperationException {
    set(target, "page", long.class, parks.address());
    set(target, "failures", long.class, parks.failuresAddress());
    set(target, "function", MethodHandle.class, parks.function());
    MethodType shape = MethodType.methodType(void.class, long.class, long.class, long.class);
    MethodHandle met = target.findStatic(target.lookupClass(), "met", shape);
    try {
      for (int i = 0; i < WARM_CALLS; i++) {
        met.invokeExact(0L, 0L, 0L); // thread 0 is none: the function does nothing
      }
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // met() declares no exception
    }
    if (parks.failed() != 0) {
      throw new IllegalStateException("the native function cannot be called");
    }
  }

  private static void set(MethodHandles.Lookup target, String field, Class<?> type, Object value)
      throws ReflectiveOperationException {
    VarHandle handle = target.findStaticVarHandle(target.lookupClass(), field, type);
    handle.set(value);
  }

  /** Gives the JDK its class back. The class in java.lang stays, as classes do. */
  @Override
  public void close() {
    instrumentation.removeTransformer(redirection);
    try {
      instrumentation.retransformClasses(redirection.thread);
    } catch (UnmodifiableClassException | RuntimeException | LinkageError e) {
      return; // the hook stays, and finds that nobody ticks
    }
  }

  /** Changes the one class, whenever it is retransformed by whomever. Never throws. */
  private static final class Redirection implements ClassFileTransformer {
    private final Class<?> thread;
    private volatile boolean done;
    private volatile String why = "java.lang.VirtualThread was not offered for change";

    Redirection(Class<?> thread) {
      this.thread = thread;
    }

    @Override
    public byte[] transform(
        Module module,
        ClassLoader loader,
        String name,
        Class<?> redefined,
        ProtectionDomain domain,
        byte[] bytes) {
      if (redefined != thread) {
        return null; // the interface's way to say: unchanged
      }
      try {
        Optional<byte[]> changed =
            YieldCall.redirect(bytes, CONTINUATION, METHOD, DESCRIPTOR, TARGET);
        done = changed.isPresent();
        why = "java.lang.VirtualThread does not call Continuation.yield";
        return changed.orElse(null);
      } catch (RuntimeException e) {
        why = "java.lang.VirtualThread could not be read: " + e;
        return null;
      }
    }
  }
}
