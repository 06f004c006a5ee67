package io.jebpf.boot;

import java.io.File;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;

/**
 * Makes the agent jar one named module in a layer and loader of its own, gives that module native
 * access, and starts the profiler in it. Called by {@code io.jebpf.Agent}, for one request at a
 * time; the layer is made by the first.
 *
 * <p>Why a named module: native access without a warning on the host's standard error can be given
 * to a module, not to a class loader (see docs/adr/0001).
 */
public final class Boot {
  private static final String AGENT_PACKAGE = "io.jebpf.agent";

  /** The profiler's class in the layer that serves this JVM; null before the first request. */
  private static Class<?> agentMain;

  private Boot() {}

  /** Starts the profiler in this JVM. Throws what keeps it from starting; the caller reports it. */
  public static void agent(File jar, String arguments, Instrumentation instrumentation)
      throws Throwable {
    request("start", jar, arguments, instrumentation);
  }

  /** Starts the profiler in a JVM that runs already, or asks the one that is there for a change. */
  public static void attached(File jar, String arguments, Instrumentation instrumentation)
      throws Throwable {
    request("attached", jar, arguments, instrumentation);
  }

  private static void request(
      String method, File jar, String arguments, Instrumentation instrumentation) throws Throwable {
    if (agentMain == null) {
      openJavaLang(instrumentation);
      agentMain = entry(jar, "AgentMain");
    }
    Thread.currentThread().setContextClassLoader(agentMain.getClassLoader());
    invoke(
        agentMain.getMethod(method, String.class, Instrumentation.class),
        arguments,
        instrumentation);
  }

  /**
   * Runs one command of {@code java -jar jebpf.jar}, where the JVM obeys the manifest's Add-Opens.
   */
  public static void commandLine(File jar, String[] arguments) throws Throwable {
    if (!Object.class.getModule().isOpen("java.lang", Boot.class.getModule())) {
      throw new IllegalStateException("start it with: java -jar " + jar.getName());
    }
    Class<?> entry = entry(jar, "Cli");
    invoke(entry.getMethod("main", String[].class), (Object) arguments);
  }

  private static Class<?> entry(File jar, String simpleName) throws IOException {
    ModuleLayer.Controller controller = AgentLayer.define(AgentJar.open(jar));
    Module module = controller.layer().findModule(AgentJar.MODULE).orElseThrow();
    enableNativeAccess(module);
    controller.addExports(module, AGENT_PACKAGE, Boot.class.getModule());
    ClassLoader loader = module.getClassLoader();
    Thread.currentThread().setContextClassLoader(loader);
    Class<?> entry = Class.forName(module, AGENT_PACKAGE + "." + simpleName);
    if (entry == null) {
      throw new IllegalStateException(
          "class " + AGENT_PACKAGE + "." + simpleName + " is not in " + jar);
    }
    return entry;
  }

  /** Opens java.lang to this loader's unnamed module, which holds nothing but io.jebpf.boot. */
  private static void openJavaLang(Instrumentation instrumentation) {
    instrumentation.redefineModule(
        Object.class.getModule(),
        Set.of(),
        Map.of(),
        Map.of("java.lang", Set.of(Boot.class.getModule())),
        Set.of(),
        Map.of());
  }

  /**
   * The launcher does the same for modules named with --enable-native-access (jdk-25+36,
   * ModuleBootstrap). There is no public way for a module that the launcher does not know.
   */
  private static void enableNativeAccess(Module module) {
    try {
      Method method = Module.class.getDeclaredMethod("implAddEnableNativeAccess");
      method.setAccessible(true);
      method.invoke(module);
    } catch (ReflectiveOperationException | RuntimeException e) {
      throw new IllegalStateException(
          "this JVM ("
              + System.getProperty("java.vm.version")
              + ") gives the agent no native access: "
              + e,
          e);
    }
  }

  private static void invoke(Method method, Object... arguments) throws Throwable {
    try {
      method.invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
