package io.jebpf.agent.offcpu;

import io.jebpf.agent.window.Labels;
import io.jebpf.bpf.ThreadState;

/** A stretch of a wait whose stack was taken; reused. Owner: thread "jebpf-reader". */
final class MetWait {
  int account; // in the settlement's books
  int leaf;
  int wakerLeaf;
  ThreadState state = ThreadState.BLOCKED;
  Labels own = Labels.NONE;
  long from;
  long turn; // when its wait for a CPU began
  long end;
  double weight; // how many waits it stands for
  boolean isIdle;
  boolean isCounted; // false: it goes on with a wait that was counted before
  String waker = "";

  boolean isPreempted() {
    return state == ThreadState.RUNNABLE;
  }

  /** Its owner may be the last holder. */
  void clear() {
    own = Labels.NONE;
    waker = "";
  }
}
