package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Caching and refreshing, over a JVM whose threads are in a map. */
class ThreadNamesTest {
  /** Addresses are tids times 1000. */
  private static final class FakeJvm implements ThreadNames.Source {
    final Map<Integer, String> names = new HashMap<>();
    Set<Integer> shown = Set.of();
    int listReads;
    int nameReads;

    @Override
    public boolean each(Visitor visitor) {
      listReads++;
      shown = Set.copyOf(names.keySet());
      names.keySet().forEach(tid -> visitor.thread(tid, tid * 1000L));
      return true;
    }

    @Override
    public boolean hasChanged() {
      return !shown.equals(names.keySet());
    }

    @Override
    public boolean isUnlisted(String comm) {
      return comm.startsWith("VM Periodic");
    }

    @Override
    public boolean isThread(long javaThread, int tid) {
      return javaThread == tid * 1000L && names.containsKey(tid);
    }

    @Override
    public String name(long javaThread) {
      nameReads++;
      return names.getOrDefault((int) (javaThread / 1000), "");
    }
  }

  private final FakeJvm jvm = new FakeJvm();
  private long now = 5_000_000_000L;
  private final ThreadNames threads = new ThreadNames(Optional.of(jvm), () -> now);

  @Test
  void readOnceInAWindow() {
    jvm.names.put(7, "seven");
    for (int i = 0; i < 100; i++) {
      assertEquals("seven", threads.name(7, 1, "comm"));
    }
    assertEquals(1, jvm.nameReads);
    assertEquals(1, jvm.listReads);
    jvm.names.put(7, "renamed");
    assertEquals("seven", threads.name(7, 1, "comm"));
    threads.beginWindow();
    assertEquals("renamed", threads.name(7, 1, "comm"));
    assertEquals(1, jvm.listReads);
  }

  @Test
  void theSamplesOwnPointerNeedsNoList() {
    jvm.names.put(7, "seven");
    assertEquals("seven", threads.name(7, 1, "comm", 7000));
    assertEquals(0, jvm.listReads);
  }

  @Test
  void aWrongPointerIsNotBelieved() {
    jvm.names.put(7, "seven");
    jvm.names.put(8, "eight");
    assertEquals("seven", threads.name(7, 1, "comm", 8000));
  }

  @Test
  void reusedTidsAreOtherThreads() {
    jvm.names.put(7, "first");
    assertEquals("first", threads.name(7, 1, "comm"));
    jvm.names.put(7, "second");
    assertEquals("second", threads.name(7, 2, "comm"));
    assertEquals("first", threads.name(7, 1, "comm"));
  }

  @Test
  void endedThreadsKeepTheirName() {
    jvm.names.put(7, "seven");
    assertEquals("seven", threads.name(7, 1, "comm"));
    jvm.names.clear();
    threads.beginWindow();
    now += 1_000_000_000L;
    assertEquals("seven", threads.name(7, 1, "comm"));
  }

  @Test
  void theListIsReadAtMostOnceInItsInterval() {
    for (int tid = 1; tid < 1000; tid++) {
      assertEquals("comm", threads.name(tid, 1, "comm"));
    }
    assertEquals(1, jvm.listReads);
    jvm.names.put(500, "late");
    now += 100_000_000;
    assertEquals("late", threads.name(500, 1, "comm"), "it was asked for too early, not refused");
    assertEquals(2, jvm.listReads);
  }

  @Test
  void nativeThreadsAreLookedForEverMoreSeldom() {
    for (int i = 0; i < 1000; i++) {
      assertEquals("GC Thread#0", threads.name(9, 1, "GC Thread#0"));
      now += 10_000_000_000L;
      threads.beginWindow();
    }
    assertTrue(jvm.listReads < 50, jvm.listReads + " reads of the list in 1000 windows");
    jvm.names.put(9, "attached now");
    for (int i = 0; i < 40; i++) {
      now += 10_000_000_000L;
      threads.beginWindow();
      threads.name(9, 1, "GC Thread#0");
    }
    assertEquals("attached now", threads.name(9, 1, "GC Thread#0"));
  }

  @Test
  void nativeThreadsAreNotLookedForInTheSameListAgain() {
    jvm.names.put(7, "seven");
    for (int i = 0; i < 100; i++) {
      for (int tid = 9; tid < 19; tid++) {
        assertEquals("GC Thread", threads.name(tid, 1, "GC Thread"));
        now += 1_000_000_000L;
      }
      threads.beginWindow();
    }
    assertEquals(10, jvm.listReads, "one for each that was new");
    jvm.names.put(9, "attached now");
    for (int i = 0; i < 40; i++) {
      threads.beginWindow();
      now += 1_000_000_000L;
      threads.name(9, 1, "GC Thread");
    }
    assertEquals("attached now", threads.name(9, 1, "GC Thread"));
  }

  /** Where there are many threads they are forgotten soon. */
  @Test
  void whoWasThereWhenTheListWasReadIsNotLookedForInItAgain() {
    assertEquals("VM Thread", threads.name(9, 5, "VM Thread"));
    now += 1_000_000_000L;
    assertEquals("GC Thread", threads.name(8, 4, "GC Thread"));
    assertEquals(1, jvm.listReads);
    assertEquals("younger", threads.name(10, 6, "younger"));
    assertEquals(2, jvm.listReads);
    jvm.names.put(7, "seven");
    now += 1_000_000_000L;
    assertEquals("seven", threads.name(7, 4, "comm"), "another list");
  }

  @Test
  void whoIsNeverListedIsNotLookedFor() {
    assertEquals("VM Periodic Tas", threads.name(9, 5, "VM Periodic Tas"));
    assertEquals(0, jvm.listReads);
    jvm.names.put(8, "VM Periodic Tasks of mine");
    assertEquals("VM Periodic Tasks of mine", threads.name(8, 5, "VM Periodic Tas", 8000));
  }

  @Test
  void attachedThreadsAreSeenAtOnceByTheirPointer() {
    assertEquals("comm", threads.name(9, 1, "comm"));
    jvm.names.put(9, "attached");
    assertEquals("attached", threads.name(9, 1, "comm", 9000));
  }

  @Test
  void unreadableNamesAreTriedAgainButNotForEver() {
    jvm.names.put(7, "");
    for (int i = 0; i < 1000; i++) {
      assertEquals("comm", threads.name(7, 1, "comm", 7000));
    }
    assertTrue(jvm.nameReads > 1 && jvm.nameReads < 20, jvm.nameReads + " reads");
    jvm.names.put(7, "seven");
    threads.beginWindow();
    assertEquals("seven", threads.name(7, 1, "comm", 7000));
  }

  @Test
  void withoutAJvmTheKernelsNameIsUsed() {
    assertEquals("comm", new ThreadNames(Optional.empty(), () -> now).name(7, 1, "comm", 7000));
  }
}
