package io.jebpf.boot;

import java.lang.module.Configuration;
import java.lang.module.ModuleFinder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Defines the module layer of the agent: one module, one loader, beside the application's class
 * path and modules.
 */
final class AgentLayer {
  /**
   * Modules of the JDK that parts of the agent use. Each is optional: with --limit-modules, jlink
   * or a modular application, a module may be absent, and then the part that needs it finds its
   * module missing in the layer.
   *
   * <p>Not jdk.unsupported: protobuf-java would find sun.misc.Unsafe in it, use it, and JDK 24 and
   * newer would print four warning lines on the application's standard error.
   */
  static final List<String> WANTED =
      List.of(
          "java.instrument",
          "java.management",
          "java.net.http",
          "jdk.attach",
          "jdk.httpserver",
          "jdk.jfr",
          "jdk.management");

  private AgentLayer() {}

  static ModuleLayer.Controller define(AgentJar jar) {
    ModuleLayer parent = ModuleLayer.boot();
    Configuration configuration =
        parent.configuration().resolve(jar, ModuleFinder.of(), Set.of(AgentJar.MODULE));
    return ModuleLayer.defineModulesWithOneLoader(
        configuration, List.of(parent), ClassLoader.getPlatformClassLoader());
  }

  static List<String> resolvedOf(List<String> names) {
    List<String> resolved = new ArrayList<>();
    for (String name : names) {
      if (ModuleLayer.boot().findModule(name).isPresent()) {
        resolved.add(name);
      }
    }
    return resolved;
  }
}
