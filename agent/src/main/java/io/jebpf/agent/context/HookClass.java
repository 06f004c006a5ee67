package io.jebpf.agent.context;

import io.jebpf.bpf.SharedContexts;
import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.LongConsumer;

/**
 * The one class of ours that instrumented classes see, {@code java.lang.JebpfContext}: defines it,
 * or finds the one that an earlier profiler of this JVM defined. Thread-safe.
 */
final class HookClass {
  /** Internal name of the class, as instrumented code calls it. */
  static final String NAME = "java/lang/JebpfContext";

  private static final String SOURCE = "io/jebpf/agent/context/hook/JebpfContext";
  private static final List<ClassRename> RENAMES =
      List.of(
          new ClassRename(SOURCE, NAME),
          new ClassRename("io/jebpf/agent/context/hook/Unsafe", "jdk/internal/misc/Unsafe"));

  private final Class<?> type;

  private HookClass(Class<?> type) {
    this.type = type;
  }

  static HookClass define(Instrumentation instrumentation) throws IOException {
    instrumentation.redefineModule(
        Object.class.getModule(),
        Set.of(),
        Map.of(),
        Map.of("java.lang", Set.of(HookClass.class.getModule())),
        Set.of(),
        Map.of());
    Class<?> present = present();
    return new HookClass(present == null ? defineNew() : present);
  }

  private static Class<?> present() {
    try {
      return Class.forName(NAME.replace('/', '.'), false, null);
    } catch (ClassNotFoundException e) {
      return null;
    }
  }

  private static synchronized Class<?> defineNew() throws IOException {
    try (InputStream in = HookClass.class.getResourceAsStream("hook/JebpfContext.class")) {
      if (in == null) {
        throw new IOException("the jar has no " + SOURCE);
      }
      byte[] bytes = ClassRename.in(in.readAllBytes(), RENAMES);
      return MethodHandles.privateLookupIn(Object.class, MethodHandles.lookup()).defineClass(bytes);
    } catch (IllegalAccessException e) {
      throw new IOException("java.lang is not open to the agent: " + e.getMessage(), e);
    }
  }

  /** Contexts are written to the table from now on; address 0 ends that. */
  void start(long address, int rootNamesMax) {
    call("start", MethodType.methodType(void.class, long.class, int.class), address, rootNamesMax);
  }

  /** Who gives call sites their targets; with null, nobody. */
  void linker(BiFunction<MethodHandles.Lookup, Object[], MethodHandle> linker) {
    call("linker", MethodType.methodType(void.class, BiFunction.class), linker);
  }

  /** Who makes an endpoint's name of a request's method and path. */
  void endpoints(BinaryOperator<String> names) {
    call("endpoints", MethodType.methodType(void.class, BinaryOperator.class), names);
  }

  /** Other profilers are to find contexts too, from the next {@link #start} on. */
  void share(SharedContexts with) {
    share(with.addresses(), with);
  }

  private void share(long[] addresses, LongConsumer own) {
    call(
        "share",
        MethodType.methodType(void.class, long[].class, LongConsumer.class),
        addresses,
        own);
  }

  private long[] shared() {
    return (long[]) call("shared", MethodType.methodType(long[].class));
  }

  /** By slot the virtual thread that took it last, see there. */
  Object[] holders() {
    return (Object[]) call("holders", MethodType.methodType(Object[].class));
  }

  /** Keys of attributes, by number. */
  String[] keys() {
    return (String[]) call("keys", MethodType.methodType(String[].class));
  }

  /** Names of root spans, by number minus 1. */
  String[] names() {
    return (String[]) call("names", MethodType.methodType(String[].class));
  }

  private long lastTable() {
    return (long) call("lastTable", MethodType.methodType(long.class));
  }

  /** Lets go of everything of this profiler's loader. */
  void forget(boolean shares) {
    linker(null);
    endpoints(null);
    if (shares) {
      share(shared(), null);
    }
  }

  /** What an earlier profiler of this JVM shared contexts with; empty: none did. */
  static long[] earlierShared() {
    Class<?> present = present();
    try {
      return present == null ? new long[0] : new HookClass(present).shared();
    } catch (LinkageError | IllegalStateException e) { // not initialised, or an older agent's
      return new long[0];
    }
  }

  /** Address of the table of an earlier profiler of this JVM; 0: there was none. */
  static long earlierTable() {
    Class<?> present = present();
    try {
      return present == null ? 0 : new HookClass(present).lastTable();
    } catch (LinkageError e) { // it could not be initialised: then it has no table
      return 0;
    }
  }

  private Object call(String name, MethodType signature, Object... arguments) {
    try {
      return MethodHandles.publicLookup()
          .findStatic(type, name, signature)
          .invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(name + " of " + type.getName() + ": " + e, e);
    }
  }
}
