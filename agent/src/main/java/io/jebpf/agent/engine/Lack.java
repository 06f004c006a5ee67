package io.jebpf.agent.engine;

/**
 * Something that a run has to do without.
 *
 * @param why for people
 */
public record Lack(Ability ability, String why) {
  /**
   * What the profiler can do where everything is allowed and understood. Names are for programs.
   */
  public enum Ability {
    /** Reading this process' memory with process_vm_readv. */
    PROCESS_MEMORY("memory of this process"),
    JAVA_FRAMES("Java frames"),
    KERNEL_SYMBOLS("kernel symbols"),
    /** Off-CPU time and its stacks. */
    WAITS("waits"),
    VIRTUAL_PARKS("parks of virtual threads"),
    /** Virtual threads at monitors and in Object.wait, where the JVM unmounts them. */
    VIRTUAL_MONITORS("virtual threads at monitors"),
    /** When a virtual thread was unparked: before it is parked, then it waits for a carrier. */
    VIRTUAL_QUEUES("virtual threads that wait for a carrier"),
    /** Labels {@code trace_id} and {@code span_id}. */
    TRACE_IDS("trace ids");

    private final String text;

    Ability(String text) {
      this.text = text;
    }
  }

  /** For people, as the start line has it. */
  @Override
  public String toString() {
    return why.isEmpty() ? ability.text : ability.text + " (" + why + ")";
  }
}
