package io.jebpf.bpf;

/** Why the walk of a stack ended (enum jebpf_end). Everything but ROOT is a stack cut short. */
public enum WalkEnd {
  ROOT("the thread's first frame was reached"),
  DEPTH("so many frames that the walk was given up before the first one"),
  BAD_RETURN("no plausible return address in a HotSpot frame"),
  NO_BLOB("the pc is in a code heap but in no used blob"),
  NO_MAPPING("the pc is in no known executable mapping"),
  NO_RULE("the file has no unwind rule for the pc"),
  READ_FAULT("user memory could not be read without a page fault"),
  INTERPRETER("an interpreter frame has implausible contents"),
  DEOPT("deoptimisation was in progress, frames were half built"),
  CONTINUATION("the carrier of a virtual thread could not be found"),
  NO_PROGRESS("the stack pointer did not grow"),
  NO_USER("no user registers (io worker, exiting thread)"),
  SEGMAP("the code heap's segment map needs more steps than allowed"),
  CODELET("an interpreter entry or exit sequence that is not understood");

  private final String sentence;

  WalkEnd(String sentence) {
    this.sentence = sentence;
  }

  public String sentence() {
    return sentence;
  }

  /** The number in {@link SampleView#end()}: the ordinal, in the order of the C enum. */
  public int index() {
    return ordinal();
  }
}
