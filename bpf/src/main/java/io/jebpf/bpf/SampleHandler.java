package io.jebpf.bpf;

/** Gets each record of the ring in turn, on the thread that polls. */
@FunctionalInterface
public interface SampleHandler {
  /** The view is reused for the next sample: copy what you keep. */
  void onSample(SampleView sample);

  /** The end of a wait that came as a sample before. The view is reused. */
  default void onWaitEnd(WaitEndView end) {}

  /** A virtual thread that goes on after a park. The views are reused. */
  default void onPark(SampleView sample, ParkView park) {}
}
