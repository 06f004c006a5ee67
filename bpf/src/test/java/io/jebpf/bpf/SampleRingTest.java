package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The ring reader on memory of our own, written as the kernel writes it. */
class SampleRingTest {
  private static final int PAGE = 4096;
  private static final int BYTES = 4096;
  private static final int BUSY = 1 << 31;
  private static final int DISCARD = 1 << 30;

  private final ByteBuffer consumer = direct(PAGE);
  private final ByteBuffer producer = direct(PAGE + BYTES);
  private long written;

  private static ByteBuffer direct(int bytes) {
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes + 8);
    return buffer.alignedSlice(8).slice(0, bytes).order(ByteOrder.nativeOrder());
  }

  private SampleRing ring() {
    return new SampleRing(
        consumer, producer, PAGE, BYTES, ByteBuffer.allocateDirect(SampleRing.RECORD_BYTES_MAX));
  }

  private void put(long position, byte value) {
    producer.put(PAGE + (int) (position & BYTES - 1), value);
  }

  private void put(long position, ByteBuffer bytes) {
    for (int i = 0; i < bytes.capacity(); i++) {
      put(position + i, bytes.get(i));
    }
  }

  private long write(ByteBuffer payload, int flags) {
    long at = written;
    ByteBuffer header = ByteBuffer.allocate(8).order(ByteOrder.nativeOrder());
    header.putInt(0, payload.capacity() | flags);
    put(at, header);
    put(at + 8, payload);
    written += 8 + (payload.capacity() + 7 & ~7);
    producer.putLong(0, written);
    return at;
  }

  private static ByteBuffer sample(int tid, long[] kernel, long[][] user) {
    int bytes = Layout.SAMPLE_BYTES + 8 * kernel.length + 16 * user.length;
    ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
    out.putInt(Layout.SAMPLE_TYPE, 1).putInt(Layout.SAMPLE_SIZE, bytes);
    out.putLong(Layout.SAMPLE_TIME, 11).putLong(Layout.SAMPLE_WEIGHT, 12);
    out.putLong(Layout.SAMPLE_THREAD_START, 13).putLong(Layout.SAMPLE_JAVA_THREAD, -14);
    out.putInt(Layout.SAMPLE_TID, tid).putInt(Layout.SAMPLE_CPU, 15);
    out.putInt(Layout.SAMPLE_WALK, 16);
    out.putShort(Layout.SAMPLE_KERNEL_FRAMES, (short) kernel.length);
    out.putShort(Layout.SAMPLE_USER_FRAMES, (short) user.length);
    out.put(Layout.SAMPLE_END, (byte) 5);
    out.put(Layout.SAMPLE_COMM, "worker".getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < kernel.length; i++) {
      out.putLong(Layout.SAMPLE_BYTES + 8 * i, kernel[i]);
    }
    for (int i = 0; i < user.length; i++) {
      int at = Layout.SAMPLE_BYTES + 8 * kernel.length + 16 * i;
      out.putLong(at, user[i][0]).putLong(at + 8, user[i][1]);
    }
    return out;
  }

  private static ByteBuffer sample(int tid) {
    return sample(tid, new long[0], new long[0][]);
  }

  private static List<Integer> tids(SampleRing ring, int max) {
    List<Integer> tids = new ArrayList<>();
    int taken = ring.poll(s -> tids.add(s.tid()), max);
    assertEquals(taken, tids.size());
    return tids;
  }

  @Test
  void everyFieldArrives() {
    write(sample(10, new long[] {-1, -2}, new long[][] {{3, 4}, {5, 6}, {7, 8}}), 0);
    int taken =
        ring()
            .poll(
                s -> {
                  assertEquals(11, s.timeNanos());
                  assertEquals(12, s.weightNanos());
                  assertEquals(13, s.threadStartNanos());
                  assertEquals(-14, s.javaThread());
                  assertEquals(10, s.tid());
                  assertEquals(15, s.cpu());
                  assertEquals(16, s.walkNanos());
                  assertEquals(5, s.end());
                  assertEquals("worker", s.comm());
                  assertSame(s.comm(), s.comm());
                  assertEquals(2, s.kernelFrames());
                  assertEquals(-2, s.kernelAddress(1));
                  assertThrows(IndexOutOfBoundsException.class, () -> s.kernelAddress(2));
                  assertEquals(3, s.userFrames());
                  assertEquals(7, s.head(2));
                  assertEquals(8, s.detail(2));
                  assertThrows(IndexOutOfBoundsException.class, () -> s.head(3));
                  assertThrows(IndexOutOfBoundsException.class, () -> s.detail(-1));
                },
                10);
    assertEquals(1, taken);
  }

  @Test
  void emptyRingGivesNothing() {
    assertEquals(0, ring().poll(s -> {}, 10));
    assertEquals(0, ring().backlogBytes());
  }

  @Test
  void theLimitHolds() {
    for (int i = 0; i < 5; i++) {
      write(sample(i), 0);
    }
    SampleRing ring = ring();
    assertEquals(List.of(0, 1), tids(ring, 2));
    assertEquals(3 * (8 + Layout.SAMPLE_BYTES), ring.backlogBytes());
    assertEquals(List.of(2, 3, 4), tids(ring, 10));
    assertEquals(written, consumer.getLong(0), "space is given back");
  }

  @Test
  void busyRecordHoldsBackTheOnesBehind() {
    write(sample(1), 0);
    long busy = write(sample(2), BUSY);
    write(sample(3), 0);
    SampleRing ring = ring();
    assertEquals(List.of(1), tids(ring, 10));
    assertEquals(List.of(), tids(ring, 10));
    producer.putInt(PAGE + (int) busy, sample(2).capacity());
    assertEquals(List.of(2, 3), tids(ring, 10));
  }

  @Test
  void discardedRecordIsSkippedAndCounted() {
    write(sample(1), DISCARD);
    write(sample(2), 0);
    List<Integer> tids = new ArrayList<>();
    assertEquals(2, ring().poll(s -> tids.add(s.tid()), 10));
    assertEquals(List.of(2), tids);
  }

  @Test
  void whatIsNoSampleIsCountedNotShown() {
    ByteBuffer other = sample(1);
    other.putInt(Layout.SAMPLE_TYPE, 99);
    write(other, 0);
    ByteBuffer tooManyFrames = sample(2);
    tooManyFrames.putShort(Layout.SAMPLE_USER_FRAMES, (short) 1);
    write(tooManyFrames, 0);
    ByteBuffer longer = sample(3);
    longer.putInt(Layout.SAMPLE_SIZE, longer.capacity() + 8);
    write(longer, 0);
    write(ByteBuffer.allocate(8), 0);
    write(sample(4), 0);
    SampleRing ring = ring();
    List<Integer> tids = new ArrayList<>();
    assertEquals(5, ring.poll(s -> tids.add(s.tid()), 10));
    assertEquals(List.of(4), tids);
    assertEquals(4, ring.malformedRecords());
  }

  @Test
  void aThrowingHandlerConsumesItsRecord() {
    write(sample(1), 0);
    write(sample(2), 0);
    SampleRing ring = ring();
    assertThrows(
        ArithmeticException.class,
        () ->
            ring.poll(
                s -> {
                  throw new ArithmeticException();
                },
                10));
    assertEquals(List.of(2), tids(ring, 10));
  }

  @Test
  void recordsWrapAroundTheEndForever() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    SampleRing ring = ring();
    int next = 0;
    int seen = 0;
    while (written < 50L * BYTES) {
      int users = random.nextInt(20);
      long[][] frames = new long[users][];
      for (int i = 0; i < users; i++) {
        frames[i] = new long[] {next, i};
      }
      int needs = 8 + Layout.SAMPLE_BYTES + 16 * users;
      if (written - consumer.getLong(0) + needs > BYTES) {
        int expected = seen;
        int[] got = {0};
        ring.poll(
            s -> {
              assertEquals(expected + got[0], s.tid(), "seed " + seed);
              for (int i = 0; i < s.userFrames(); i++) {
                assertEquals(s.tid(), s.head(i), "seed " + seed);
                assertEquals(i, s.detail(i), "seed " + seed);
              }
              got[0]++;
            },
            1 + random.nextInt(50));
        seen += got[0];
      } else {
        write(sample(next, new long[0], frames), 0);
        next++;
      }
    }
    assertEquals(0, ring.malformedRecords(), "seed " + seed);
  }

  @Test
  void itGoesOnWhereTheConsumerPositionStands() {
    write(sample(1), 0);
    write(sample(2), 0);
    assertEquals(List.of(1), tids(ring(), 1));
    assertEquals(List.of(2), tids(ring(), 10));
  }
}
