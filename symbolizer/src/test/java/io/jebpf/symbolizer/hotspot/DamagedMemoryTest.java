package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.ProcessMemory;
import io.jebpf.symbolizer.Resolution;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Memory that fails or lies at random: every outcome is a value, whatever it says, and comes in
 * bounded time.
 */
class DamagedMemoryTest {
  private static final int ROUNDS = 60;

  private record Damaged(ProcessMemory memory, Random random, int failOneIn, int lieOneIn)
      implements ProcessMemory {
    @Override
    public boolean read(long address, byte[] into, int offset, int length) {
      if (random.nextInt(failOneIn) == 0 || !memory.read(address, into, offset, length)) {
        return false;
      }
      if (random.nextInt(lieOneIn) == 0) {
        for (int i = 1 + random.nextInt(4); i > 0 && length > 0; i--) {
          into[offset + random.nextInt(length)] = (byte) random.nextInt();
        }
      }
      return true;
    }
  }

  @Test
  void openingADamagedJvm() throws Exception {
    long seed = System.nanoTime();
    long self = ProcessHandle.current().pid();
    TestLibjvm libjvm = new TestLibjvm(self, true);
    int opened = 0;
    try (ProcMemory memory = new ProcMemory(self)) {
      for (int round = 0; round < ROUNDS; round++) {
        Random random = new Random(seed + round);
        int rate = 1 << random.nextInt(4, 16);
        Damaged damaged = new Damaged(memory, random, rate, rate);
        if (HotspotVm.open(damaged, libjvm) instanceof HotspotVm.Opening.Opened(HotspotVm vm)) {
          opened++;
          Knobs.of(vm);
          JavaThreads threads = vm.threads();
          threads.each((tid, thread) -> threads.name(thread));
        }
      }
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
    assertTrue(opened > 0 && opened < ROUNDS, opened + " opened, seed " + seed);
  }

  @Test
  void framesOfDamagedCode() throws Exception {
    long seed = System.nanoTime();
    long self = ProcessHandle.current().pid();
    TestLibjvm libjvm = new TestLibjvm(self, true);
    int named = 0;
    int unknown = 0;
    try (ProcMemory memory = new ProcMemory(self)) {
      Random random = new Random(seed);
      Damaged damaged = new Damaged(memory, random, 40, 40);
      HotspotVm whole = Opened.vm(memory, libjvm);
      List<Long> blobs = new ArrayList<>();
      whole.heaps().each(blobs::add);
      HotspotFrames frames = whole.framesReading(damaged);
      for (int i = 0; i < 20_000; i++) {
        long blob = blobs.get(random.nextInt(blobs.size()));
        Resolution found =
            switch (random.nextInt(5)) {
              case 0 -> frames.compiled(blob, compileId(whole, memory, blob), random.nextInt(500));
              case 1 -> frames.stub(blob, blob + random.nextInt(2_000));
              case 2 -> frames.atPc(blob + random.nextInt(5_000));
              case 3 -> {
                TargetMemory target = new TargetMemory(memory);
                long method = target.value(blob, whole.layout().nmethod().method());
                long identity = new Methods(target, whole.layout().method()).identityOf(method);
                yield frames.interpreted(method, identity, random.nextInt(100));
              }
              default -> frames.interpreted(random.nextLong(), random.nextLong(), 0);
            };
        for (Frame frame : found.frames()) {
          named += frame.resolved() ? 1 : 0;
          unknown += frame.resolved() ? 0 : 1;
        }
      }
    } catch (RuntimeException e) {
      throw new AssertionError("seed " + seed, e);
    }
    assertTrue(named > 1_000 && unknown > 1_000, named + " named, " + unknown + " unknown");
  }

  private static int compileId(HotspotVm vm, ProcMemory memory, long blob) {
    return (int) new TargetMemory(memory).value(blob, vm.layout().nmethod().compileId());
  }
}
