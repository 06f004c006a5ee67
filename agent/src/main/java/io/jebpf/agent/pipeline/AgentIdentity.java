package io.jebpf.agent.pipeline;

/**
 * Who takes the profiles: the same in each of them.
 *
 * @param agent name and version of the agent
 * @param jvm version and vendor of the JVM
 * @param pid of this process, as it numbers itself
 */
public record AgentIdentity(String agent, String jvm, long pid) {
  /** This process; system properties are read, never written. */
  public static AgentIdentity ofThisProcess(String version) {
    String jvm =
        System.getProperty("java.vm.version", "?")
            + " "
            + System.getProperty("java.vm.vendor", "")
            + " "
            + System.getProperty("java.vm.name", "");
    return new AgentIdentity("jebpf " + version, jvm, ProcessHandle.current().pid());
  }
}
