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
import java.util.OptionalLong;
import java.util.Set;

/**
 * Puts {@code java.lang.JebpfParks} between virtual threads and their yield, and where the JVM
 * itself unmounts those that block on a monitor (JDK 24 and newer), between their carriers and
 * their run; and at the change of a thread's state. Three calls of {@code java.lang.VirtualThread}
 * are changed, once, by retransformation. Whatever does not look as expected leaves the class as it
 * is. Owner: thread "jebpf-reader".
 */
public final class ParkHook implements AutoCloseable {
  private static final String THREAD = "java.lang.VirtualThread";
  private static final String TARGET = "java.lang.JebpfParks";
  private static final String TARGET_BYTES = "JebpfParks.classdata";

  /**
   * Calls of the native function before any virtual thread makes one: enough for the JVM to link
   * and specialise the method handle (MethodHandle.CUSTOMIZE_THRESHOLD is 127), so that neither
   * happens inside a park.
   */
  private static final int WARM_CALLS = 500;

  /** The first JDK whose JVM unmounts virtual threads itself; before, they keep their carriers. */
  private static final int UNMOUNTING_SINCE = 24;

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
      Class<?> thread = Class.forName(THREAD, false, null);
      MethodHandles.Lookup target = target(instrumentation);
      prepare(target, parks);
      boolean unmounting = Runtime.version().feature() >= UNMOUNTING_SINCE;
      Redirection redirection =
          new Redirection(
              thread,
              target,
              prepareUnparks(target, parks),
              unmounting ? prepareMonitors(target, parks) : Optional.empty(),
              unmounting);
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
      if (hook.withoutUnparks().isPresent()) {
        parks.withoutUnparks();
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
      target = Class.forName(TARGET, true, null);
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
    MethodType shape =
        MethodType.methodType(void.class, long.class, long.class, long.class, long.class);
    MethodHandle met = target.findStatic(target.lookupClass(), "met", shape);
    try {
      for (int i = 0; i < WARM_CALLS; i++) {
        met.invokeExact(0L, 0L, 0L, 0L); // thread 0 is none: the function does nothing
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

  /** Makes ready for those who unpark threads; why not, if that cannot be. */
  private static Optional<String> prepareUnparks(MethodHandles.Lookup target, Parks parks) {
    try {
      target
          .findStatic(target.lookupClass(), "prepareUnparks", MethodType.methodType(void.class))
          .invokeExact();
      OptionalLong table = parks.unparkTable();
      if (table.isEmpty()) {
        return Optional.of("there is no memory for what they leave");
      }
      set(target, "unparks", long.class, table.getAsLong());
      set(target, "ticked", long.class, parks.tickedAddress());
      return Optional.empty();
    } catch (Throwable e) { // another JDK: parks are seen without
      return Optional.of(e.toString());
    }
  }

  /** Makes ready for threads that the JVM unmounts; why not, if that cannot be. */
  private static Optional<String> prepareMonitors(MethodHandles.Lookup target, Parks parks) {
    try {
      target
          .findStatic(target.lookupClass(), "prepareRun", MethodType.methodType(void.class))
          .invokeExact();
      OptionalLong table = parks.blockedTable();
      if (table.isEmpty()) {
        return Optional.of("there is no memory for the threads that wait");
      }
      set(target, "ids", long.class, table.getAsLong());
      set(target, "notes", long.class, table.getAsLong() + Parks.blockedNotesOffset());
      set(target, "groupMask", long.class, Parks.blockedMask());
      set(target, "blocked", long.class, parks.blockedAddress());
      set(target, "unnoted", long.class, parks.unnotedAddress());
      return Optional.empty();
    } catch (Throwable e) { // another JDK: parks are seen without
      return Optional.of(e.toString());
    }
  }

  private static void set(MethodHandles.Lookup target, String field, Class<?> type, Object value)
      throws ReflectiveOperationException {
    VarHandle handle = target.findStaticVarHandle(target.lookupClass(), field, type);
    handle.set(value);
  }

  /** Why virtual threads that the JVM unmounts are not seen; empty: they are, or there are none. */
  public Optional<String> withoutMonitors() {
    return redirection.withoutMonitors;
  }

  /** Why it is not known when a thread is unparked; empty: it is. */
  public Optional<String> withoutUnparks() {
    return redirection.withoutUnparks;
  }

  /** How often our code in a carrier failed, since the JVM started; the thread went on. */
  public long swallowed() {
    return (int) redirection.swallowed.get();
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
    private final MethodHandles.Lookup target;
    private final VarHandle swallowed;
    private final boolean monitors;
    private final boolean unparks;
    private volatile boolean done;
    private volatile Optional<String> withoutMonitors;
    private volatile Optional<String> withoutUnparks;
    private volatile String why = "java.lang.VirtualThread was not offered for change";

    /** The two reasons: why something could not be made ready, and so is left as it is. */
    Redirection(
        Class<?> thread,
        MethodHandles.Lookup target,
        Optional<String> withoutUnparks,
        Optional<String> withoutMonitors,
        boolean unmounting)
        throws ReflectiveOperationException {
      this.thread = thread;
      this.target = target;
      this.unparks = withoutUnparks.isEmpty();
      this.withoutUnparks = withoutUnparks;
      this.monitors = unmounting && withoutMonitors.isEmpty();
      this.withoutMonitors = withoutMonitors;
      this.swallowed = target.findStaticVarHandle(target.lookupClass(), "swallowed", int.class);
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
        Optional<ThreadChange> change = ThreadChange.of(bytes, unparks, monitors);
        done = change.isPresent();
        why = "java.lang.VirtualThread does not call Continuation.yield";
        return done ? apply(change.get()) : null;
      } catch (ReflectiveOperationException | RuntimeException | LinkageError e) {
        done = false;
        why = "java.lang.VirtualThread could not be read: " + e;
        return null;
      }
    }

    private byte[] apply(ThreadChange change) throws ReflectiveOperationException {
      for (Map.Entry<String, Integer> state : change.states().entrySet()) {
        set(target, state.getKey(), int.class, state.getValue());
      }
      if (monitors) {
        withoutMonitors = change.withoutMonitors();
      }
      if (unparks) {
        withoutUnparks = change.withoutUnparks();
      }
      return change.classFile();
    }
  }
}
