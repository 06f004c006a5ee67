package io.jebpf.bpf;

/** Gets each sample of the ring in turn, on the thread that polls. */
@FunctionalInterface
public interface SampleHandler {
  /** The view is reused for the next sample: copy what you keep. */
  void onSample(SampleView sample);
}
