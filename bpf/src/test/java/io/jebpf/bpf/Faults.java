package io.jebpf.bpf;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The real native calls, of which the nth fails; and a ledger of everything acquired through them
 * that must be released again.
 */
final class Faults {
  static final int ERROR = Errno.EIO;

  /** These cannot fail, or have nobody who could do anything about it. */
  private static final Set<String> NEVER =
      Set.of("pageSize", "close", "unmap", "objectClose", "takeLog", "mapDelete");

  private final NativeRuntime real = Kernel.runtime();
  private final int failing;
  private int calls;
  private String failed = "";
  private final Map<String, String> held = new HashMap<>();

  /** Fails call number {@code failing}, counted from 1; 0 fails none. */
  Faults(int failing) {
    this.failing = failing;
  }

  NativeRuntime runtime() {
    KernelCalls kernel = proxy(KernelCalls.class, real.kernel());
    return new NativeRuntime(kernel, proxy(BpfCalls.class, real.bpf()), List.of());
  }

  /** Calls counted so far. */
  int calls() {
    return calls;
  }

  /** Name of the call that failed; empty when none did. */
  String failed() {
    return failed;
  }

  /** What is still held: kind and number, with the call it came from. */
  Map<String, String> held() {
    return held;
  }

  private <T> T proxy(Class<T> type, T target) {
    return type.cast(
        Proxy.newProxyInstance(
            Faults.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> call(target, method, arguments)));
  }

  private Object call(Object target, Method method, Object[] arguments) throws Throwable {
    String name = method.getName();
    if (!NEVER.contains(name) && ++calls == failing) {
      failed = name;
      return failure(method.getReturnType());
    }
    Object result;
    try {
      result = method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
    note(name, arguments, result);
    return result;
  }

  private static Object failure(Class<?> type) {
    if (type == int.class) {
      return -ERROR;
    }
    if (type == long.class) {
      return (long) -ERROR;
    }
    return type == byte[].class ? new byte[0] : ByteBuffer.allocate(0);
  }

  private void note(String name, Object[] arguments, Object result) {
    switch (name) {
      case "perfOpen", "mapCreate", "linkIterator", "createIterator", "alarmOpen", "alarmListen" ->
          hold("fd " + result, name, (int) result >= 0);
      case "map" -> hold("mapping " + result, name, (long) result >= 0);
      case "objectOpen" -> hold("object " + result, name, (long) result >= 0);
      case "close" -> release("fd " + arguments[0]);
      case "unmap" -> release("mapping " + arguments[0]);
      case "objectClose" -> release("object " + arguments[0]);
      default -> {}
    }
  }

  private void hold(String what, String from, boolean acquired) {
    if (acquired && held.put(what, from) != null) {
      throw new AssertionError(what + " was acquired twice");
    }
  }

  private void release(String what) {
    if (held.remove(what) == null) {
      throw new AssertionError(what + " was released and was not held");
    }
  }
}
