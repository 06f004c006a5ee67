package io.jebpf.agent.pipeline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.jebpf.agent.engine.Engine;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** When the reader makes room for others, and when it needs its turn. Steps by hand. */
class CourtesyTest {
  private static final long MS = 1_000_000;

  private final List<Long> slices = new ArrayList<>();
  private final Courtesy courtesy =
      new Courtesy(
          new FakeEngine() {
            @Override
            public void slice(long nanos) {
              slices.add(nanos);
            }
          });
  private long now = 5_000 * MS;

  /** Begins that much after its time, and plans the next for 100 ms later. */
  private void step(long lateMillis, boolean busy) {
    now += lateMillis * MS;
    courtesy.begin(now, busy);
    courtesy.plan(now + 100 * MS);
    now += 100 * MS;
  }

  private void steps(int count) {
    for (int i = 0; i < count; i++) {
      step(1, false);
    }
  }

  @Test
  void makesRoomAsLongAsItComesInTime() {
    steps(200);
    assertEquals(List.of(Engine.COURTEOUS_NANOS), slices, "asked for once");
  }

  @Test
  void aLateStepMakesItAThreadLikeAnyOther() {
    steps(5);
    step(60, false);
    assertEquals(List.of(Engine.COURTEOUS_NANOS, 0L), slices);
    steps(80);
    step(60, false);
    steps(80);
    assertEquals(2, slices.size(), "it was late again meanwhile");
    steps(20);
    assertEquals(List.of(Engine.COURTEOUS_NANOS, 0L, Engine.COURTEOUS_NANOS), slices);
  }

  @Test
  void soDoesAFullRing() {
    step(0, true);
    assertEquals(List.of(), slices);
    steps(110);
    step(0, true);
    assertEquals(List.of(Engine.COURTEOUS_NANOS, 0L), slices);
  }

  @Test
  void beingCalledEarlyIsNothing() {
    steps(3);
    now -= 90 * MS;
    steps(3);
    assertEquals(1, slices.size());
  }
}
