package io.jebpf.it.matrix.check;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * Which caller → callee pairs a program can produce, from the class files of the program and of the
 * JDK that runs it: a method calls what its instructions name, dispatched to any class that fits.
 * What the JVM itself calls, and what is linked at run time, stands in a few rules below. Nothing
 * here was taken from what a profiler saw.
 */
final class CallRules {
  /** Verdict on a pair. */
  enum Verdict {
    POSSIBLE,
    IMPOSSIBLE,
    /** A class file is missing. */
    UNKNOWN
  }

  private static final String APPLICATION = "io.jebpf.it.";

  /** Classes that are made at run time, or with the JDK in place of such. */
  private static final Pattern GENERATED =
      Pattern.compile(
          ".*(\\$\\$Lambda|\\$Proxy\\d*|\\$\\$StringConcat|\\$\\$TypeSwitch)"
              + "|java\\.lang\\.invoke\\.(LambdaForm\\$.*|.*\\$Holder|.*Species_.*)"
              + "|jdk\\.internal\\.reflect\\.Generated.*"
              + "|java\\.lang\\.invoke\\.VarHandleGuards");

  /** Methods that jump: their frame stands between a caller and whatever a handle is for. */
  private static final Pattern JUMPS =
      Pattern.compile(
          "java\\.lang\\.invoke\\.MethodHandle\\.(invokeBasic|linkTo\\w+|invoke|invokeExact)");

  /** What the JVM calls on its own, out of native code or of the middle of a bytecode. */
  private static final Pattern CALLED_BY_JVM =
      Pattern.compile(
          ".*\\.(<clinit>|<init>)" // initialisation; exceptions that the JVM throws
              + "|java\\.lang\\.ClassLoader\\..*|.*ClassLoader\\.(loadClass|checkPackageAccess).*"
              + "|jdk\\.internal\\.loader\\..*"
              + "|java\\.lang\\.invoke\\.(MethodHandleNatives|MethodType)\\..*"
              + "|java\\.lang\\.Thread\\.(run|exit|dispatchUncaughtException)"
              + "|java\\.lang\\.ThreadGroup\\..*"
              + "|java\\.lang\\.ref\\..*|java\\.lang\\.Shutdown\\..*|java\\.lang\\.System\\..*"
              + "|java\\.lang\\.VirtualThread\\..*|java\\.lang\\.Module\\..*"
              + "|sun\\.launcher\\..*|sun\\.instrument\\..*");

  /** Methods of the loads that are found by reflection, or called by native code, by their name. */
  private static final Set<String> BY_NAME =
      Set.of(
          "io.jebpf.it.matrix.HandlesLoad.target",
          "io.jebpf.it.matrix.HandlesLoad.other",
          "io.jebpf.it.matrix.HandlesLoad.even",
          "io.jebpf.it.matrix.HandlesLoad.many",
          "io.jebpf.it.matrix.DeoptLoad.plus",
          "io.jebpf.it.matrix.DeoptLoad.times",
          "io.jebpf.it.matrix.UpcallsLoad.compare",
          "io.jebpf.it.matrix.JniLoad.back",
          "io.jebpf.it.matrix.ClassesLoad$Body.run",
          "io.jebpf.it.matrix.MatrixLoad.main");

  /** Made by reflection. */
  private static final Pattern LOAD_MADE =
      Pattern.compile("io\\.jebpf\\.it\\.matrix\\.[A-Z]\\w+Load\\.<init>");

  // cells are checked at a time
  private final Map<String, Optional<ClassScan>> scans = new ConcurrentHashMap<>();
  private final Map<String, Optional<Class<?>>> classes = new ConcurrentHashMap<>();
  private final Map<String, Verdict> known = new ConcurrentHashMap<>();
  private final Set<ClassScan.Call> handles = new HashSet<>();

  /**
   * @param applicationClasses names of the program's classes: method handles in them say what may
   *     be called through generated code
   */
  CallRules(Iterable<String> applicationClasses) {
    for (String name : applicationClasses) {
      scan(name).ifPresent(scan -> handles.addAll(scan.handles()));
    }
  }

  /** A pair of neighbours: nothing stands between them. Names as in profiles, without suffix. */
  Verdict direct(String caller, String callee) {
    return known.computeIfAbsent(caller + " " + callee, key -> judge(caller, callee));
  }

  /** A pair with native frames between: the caller entered native code, which called back. */
  Verdict throughNative(String caller, String callee) {
    boolean possible =
        BY_NAME.contains(callee)
            ? !callee.endsWith("JniLoad.back") || caller.endsWith("JniLoad.nested")
            : CALLED_BY_JVM.matcher(callee).matches()
                || isGenerated(classOf(callee)) && isGenerated(classOf(caller)) // an upcall
                || callee.startsWith("java.lang.invoke.") && isGenerated(classOf(caller));
    return possible ? Verdict.POSSIBLE : Verdict.IMPOSSIBLE;
  }

  private Verdict judge(String caller, String callee) {
    String callerClass = classOf(caller);
    String calleeClass = classOf(callee);
    if (JUMPS.matcher(caller).matches()) {
      return ofHandle(callee);
    }
    if (caller.equals("jdk.internal.vm.Continuation.enterSpecial")) {
      return callee.matches("jdk\\.internal\\.vm\\.Continuation\\.(enter|doYield)")
          ? Verdict.POSSIBLE
          : Verdict.IMPOSSIBLE;
    }
    if (caller.equals("jdk.internal.vm.Continuation.run")
        && callee.equals("jdk.internal.vm.Continuation.doYield")) {
      return Verdict.POSSIBLE; // it leaves with the stack pointer at the frame of enterSpecial
    }
    if (isGenerated(callerClass)) {
      return fromGenerated(callerClass, callee);
    }
    Optional<ClassScan> scan = scan(callerClass);
    if (scan.isEmpty()) {
      return Verdict.UNKNOWN;
    }
    String method = methodOf(caller);
    boolean links = scan.get().isDynamic(method) || callsHandles(scan.get().calls(method));
    if (links && (calleeClass.startsWith("java.lang.invoke.") || isGenerated(calleeClass))) {
      return Verdict.POSSIBLE;
    }
    if (links && scan.get().isDynamic(method) && isHandleTarget(callee)) {
      return Verdict.POSSIBLE; // hidden frames between, if a profile leaves them out
    }
    for (ClassScan.Call call : scan.get().calls(method)) {
      if (call.name().equals(methodOf(callee)) && fits(call.owner(), calleeClass)) {
        return Verdict.POSSIBLE;
      }
    }
    return scan.get().declares(method) ? Verdict.IMPOSSIBLE : Verdict.UNKNOWN;
  }

  private Verdict fromGenerated(String callerClass, String callee) {
    int lambda = callerClass.indexOf("$$Lambda");
    if (lambda > 0 && callee.startsWith(APPLICATION)) {
      Optional<ClassScan> host = scan(callerClass.substring(0, lambda));
      return host.isPresent()
              && host.get().handles().stream().anyMatch(call -> isTarget(call, callee))
          ? Verdict.POSSIBLE
          : Verdict.IMPOSSIBLE;
    }
    return ofHandle(callee);
  }

  /** What a method handle can lead to: all of the JDK, but only some of the program. */
  private Verdict ofHandle(String callee) {
    return !callee.startsWith(APPLICATION)
            || LOAD_MADE.matcher(callee).matches()
            || isGenerated(classOf(callee))
            || BY_NAME.contains(callee)
            || isHandleTarget(callee)
        ? Verdict.POSSIBLE
        : Verdict.IMPOSSIBLE;
  }

  private boolean isHandleTarget(String callee) {
    return handles.stream().anyMatch(call -> isTarget(call, callee));
  }

  private boolean isTarget(ClassScan.Call call, String callee) {
    return call.name().equals(methodOf(callee)) && fits(call.owner(), classOf(callee));
  }

  private static boolean callsHandles(Set<ClassScan.Call> calls) {
    return calls.stream()
        .anyMatch(
            call ->
                call.owner().equals("java.lang.invoke.MethodHandle")
                    || call.owner().equals("java.lang.invoke.VarHandle"));
  }

  /**
   * Whether a call on {@code owner} can arrive at a method that {@code declaring} declares: it is
   * the owner, overrides it, is inherited by it, or (for an interface) by a class that implements
   * it.
   */
  private boolean fits(String owner, String declaring) {
    if (owner.equals(declaring)) {
      return true;
    }
    if (owner.startsWith("[")) {
      return declaring.equals("java.lang.Object");
    }
    int lambda = declaring.indexOf("$$Lambda");
    if (lambda >= 0 || declaring.contains("$Proxy")) {
      return true; // implements some interface; its method has the name
    }
    Optional<Class<?>> from = load(owner);
    Optional<Class<?>> to = load(declaring);
    if (from.isEmpty() || to.isEmpty()) {
      return true; // a class that only the other JVM has (the agent's): its name alone can be
      // judged
    }
    return (from.get().isAssignableFrom(to.get())
        || to.get().isAssignableFrom(from.get())
        || from.get().isInterface() && !to.get().isInterface());
  }

  private static boolean isGenerated(String className) {
    return GENERATED.matcher(className).matches();
  }

  private Optional<Class<?>> load(String name) {
    return classes.computeIfAbsent(
        name,
        key -> {
          try {
            return Optional.of(Class.forName(key, false, ClassLoader.getSystemClassLoader()));
          } catch (ClassNotFoundException | LinkageError e) {
            return Optional.empty();
          }
        });
  }

  private Optional<ClassScan> scan(String name) {
    return scans.computeIfAbsent(
        name,
        key -> {
          String file = key.replace('.', '/') + ".class";
          try (InputStream in = ClassLoader.getSystemResourceAsStream(file)) {
            return in == null ? Optional.empty() : Optional.of(new ClassScan(in.readAllBytes()));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  static String classOf(String function) {
    return function.substring(0, Math.max(0, function.lastIndexOf('.')));
  }

  private static String methodOf(String function) {
    return function.substring(function.lastIndexOf('.') + 1);
  }
}
