package io.jebpf.agent.options;

import java.util.Map;
import java.util.Properties;

/**
 * Where options come from, as plain values, so that tests need no process of their own.
 *
 * @param agentArgument text after {@code -javaagent:jebpf.jar=}; empty when there is none
 * @param properties system properties, all of them; only {@code jebpf.*} is looked at
 * @param environment environment, all of it; only {@code JEBPF_*} is looked at
 * @param command what runs in this JVM (property {@code sun.java.command}); empty when unknown
 * @param temporaryDirectory property {@code java.io.tmpdir}
 * @param user property {@code user.name}
 * @param pid this process, as it numbers itself
 */
public record OptionSources(
    String agentArgument,
    Map<String, String> properties,
    Map<String, String> environment,
    String command,
    String temporaryDirectory,
    String user,
    long pid) {

  public OptionSources {
    properties = Map.copyOf(properties);
    environment = Map.copyOf(environment);
  }

  /** The sources of this JVM. System properties are read, never written. */
  public static OptionSources ofThisProcess(String agentArgument) {
    Properties all = System.getProperties();
    Map<String, String> ours = new java.util.HashMap<>();
    for (String name : all.stringPropertyNames()) {
      if (name.startsWith("jebpf.")) {
        ours.put(name, all.getProperty(name, ""));
      }
    }
    return new OptionSources(
        agentArgument,
        ours,
        System.getenv(),
        all.getProperty("sun.java.command", ""),
        all.getProperty("java.io.tmpdir", "/tmp"),
        all.getProperty("user.name", "user"),
        ProcessHandle.current().pid());
  }
}
