package io.jebpf.agent.engine;

import io.jebpf.agent.offcpu.WaitRecorder;
import io.jebpf.bpf.SampleView;
import io.jebpf.bpf.WaitEndView;

/** Hands the ring's records of waits to the recorder. Owner: thread "jebpf-reader". */
final class WaitFeeder {
  private final WaitRecorder recorder;
  private final SampleFeeder names;
  private long walkNanos;

  WaitFeeder(WaitRecorder recorder, SampleFeeder names) {
    this.recorder = recorder;
    this.names = names;
  }

  WaitRecorder recorder() {
    return recorder;
  }

  /** Time that the walks of the stacks which arrived took. */
  long walkNanos() {
    return walkNanos;
  }

  void wait(SampleView sample) {
    WaitRecorder into = recorder;
    into.beginStack();
    for (int i = sample.userFrames() - 1; i >= 0; i--) {
      into.frame(sample.head(i), sample.detail(i));
    }
    for (int i = sample.kernelFrames() - 1; i > 0; i--) {
      into.frame(SampleFeeder.KERNEL_RETURN, sample.kernelAddress(i));
    }
    if (sample.kernelFrames() > 0) {
      into.frame(SampleFeeder.KERNEL_EXACT, sample.kernelAddress(0));
    }
    into.open(
        sample.tid(),
        sample.threadStartNanos(),
        sample.waitStartNanos(),
        sample.timeNanos(),
        sample.walkNanos(),
        sample.state(),
        names.labels(sample));
    walkNanos += sample.walkNanos();
  }

  /** The stack of the thread that ends a wait. */
  void waker(SampleView sample) {
    WaitRecorder into = recorder;
    if (!into.beginWakerStack(sample.tid(), sample.threadStartNanos(), sample.waitStartNanos())) {
      return; // the wait's own stack was lost
    }
    for (int i = 0; i < sample.kernelFrames(); i++) {
      into.frame(SampleFeeder.KERNEL_RETURN, sample.kernelAddress(i));
    }
    for (int i = 0; i < sample.userFrames(); i++) {
      into.frame(sample.head(i), sample.detail(i));
    }
    into.endWakerStack();
  }

  void end(WaitEndView end) {
    recorder.end(
        end.tid(),
        end.threadStartNanos(),
        end.waitStartNanos(),
        end.wokenNanos(),
        end.endNanos(),
        end.tickNanos(),
        end.wakerTid(),
        end.wakerSlot(),
        end.wakerComm());
  }
}
