package io.jebpf.it.matrix;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;

/** Ordinary Java of many kinds: recursion, sorting, maps, streams, strings, locks, zlib. */
final class MixedLoad implements Workload {
  private final Object lock = new Object();

  @Override
  public void round() throws Exception {
    MatrixLoad.sink += fibonacci(18);
    sort();
    map();
    stream();
    checksum();
    strings();
    locked(8);
    MatrixLoad.sink += new Object().hashCode() + System.nanoTime();
    MatrixLoad.sink += System.identityHashCode(new MixedLoad());
  }

  private static int fibonacci(int n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
  }

  private static void sort() {
    Integer[] values = new Integer[1000];
    Random random = new Random(1);
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextInt();
    }
    Arrays.sort(values, (a, b) -> Integer.compare(b, a));
    MatrixLoad.sink += values[0];
  }

  private static void map() {
    Map<String, Integer> map = new HashMap<>();
    for (int i = 0; i < 500; i++) {
      map.merge("k" + i % 100, 1, Integer::sum);
    }
    MatrixLoad.sink += map.size();
  }

  private static void stream() {
    MatrixLoad.sink +=
        IntStream.range(0, 1000).boxed().filter(i -> i % 3 == 0).mapToInt(i -> i).sum();
  }

  private static void checksum() throws Exception {
    CRC32 crc = new CRC32();
    crc.update(new byte[10_000]);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflater = new DeflaterOutputStream(bytes)) {
      deflater.write(new byte[5000]);
    }
    MatrixLoad.sink += crc.getValue() + bytes.size();
  }

  private static void strings() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 200; i++) {
      text.append(i).append(':').append(i * 0.5);
    }
    MatrixLoad.sink += text.toString().replace("1", "one").split(":").length;
    MatrixLoad.sink += "abc".repeat(100).contains("cab") ? 1 : 0;
  }

  private long locked(int depth) {
    synchronized (lock) {
      return depth == 0 ? MatrixLoad.burn(depth, 200) : locked(depth - 1) + 1;
    }
  }
}
