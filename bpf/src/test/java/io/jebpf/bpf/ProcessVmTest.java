package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ProcessVmTest {
  private final ProcessVm own = Kernel.runtime().processVm((int) ProcessHandle.current().pid());

  @Test
  void readsWhatIsThere() {
    byte[] expected = new byte[300_000]; // several chunks
    new Random(7).nextBytes(expected);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment there = arena.allocateFrom(ValueLayout.JAVA_BYTE, expected);
      byte[] got = new byte[expected.length + 5];
      assertTrue(own.read(there.address(), got, 3, expected.length));
      assertArrayEquals(expected, Arrays.copyOfRange(got, 3, 3 + expected.length));
      assertEquals(0, got[2]);
      assertEquals(0, got[got.length - 1]);
    }
  }

  @Test
  void whatIsNotThereIsFalseAndChangesNothing() throws KernelException {
    byte[] into = {1, 2, 3, 4};
    assertFalse(own.read(0, into, 0, 4));
    assertFalse(own.read(-4096, into, 0, 4));
    assertFalse(own.read(0xdead_beef_dead_beefL, into, 0, 4));
    assertArrayEquals(new byte[] {1, 2, 3, 4}, into);
    assertTrue(own.read(0, into, 4, 0), "nothing can always be read");
    assertThrows(IndexOutOfBoundsException.class, () -> own.read(0, into, 2, 3));
  }

  @Test
  void aRangeThatEndsInNothingIsFalse() {
    try (Arena arena = Arena.ofConfined()) {
      long page = Kernel.runtime().kernel().pageSize();
      MemorySegment two = arena.allocate(2 * page, page);
      // Beyond the allocation something else may be mapped: look for the next hole from here.
      long hole = two.address();
      byte[] one = new byte[1];
      while (own.read(hole, one, 0, 1)) {
        hole += page;
      }
      byte[] into = new byte[8];
      assertFalse(own.read(hole - 4, into, 0, 8));
      assertArrayEquals(new byte[8], into);
      assertTrue(own.read(hole - 8, into, 0, 8));
    }
  }

  @Test
  void aProcessThatIsGoneIsFalse() {
    assertFalse(Kernel.runtime().processVm(0x3fffff).read(4096, new byte[1], 0, 1));
  }

  @Test
  void readsAllocateNothing() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment there = arena.allocate(4096);
      byte[] into = new byte[4096];
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long self = Thread.currentThread().threadId();
      long allocated = 0;
      for (int round = 0; round < 3; round++) { // what the first rounds allocate is class loading
        long before = threads.getThreadAllocatedBytes(self);
        for (int i = 0; i < 20_000; i++) {
          assertTrue(own.read(there.address(), into, 0, 64));
        }
        allocated = threads.getThreadAllocatedBytes(self) - before;
      }
      assertTrue(allocated < 20_000, allocated + " bytes in 20,000 reads");
    }
  }
}
