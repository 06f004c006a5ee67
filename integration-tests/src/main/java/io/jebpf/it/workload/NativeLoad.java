package io.jebpf.it.workload;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * CPU in native code and in the kernel: zlib, CRC stubs, array copies, file reads, a JNI library of
 * our own that calls back into Java. Arguments: milliseconds of CPU per kind, path of the JNI
 * library or "none".
 */
public final class NativeLoad {
  private NativeLoad() {}

  public static void main(String[] args) throws Exception {
    long millis = Long.parseLong(args[0]);
    AgentGate.await();
    if (!args[1].equals("none")) {
      // Loaded while the agent samples, but well before it is used: the agent looks for new files
      // ten times a second.
      System.load(args[1]);
    }
    timed("deflate", millis, NativeLoad::deflate);
    timed("crc", millis, NativeLoad::crc);
    timed("copy", millis, NativeLoad::copy);
    Path file = Files.createTempFile("jebpf-it", ".bin");
    try (RandomAccessFile data = new RandomAccessFile(file.toFile(), "rw")) {
      data.write(new byte[1 << 20]);
      timed("read", millis, () -> readAll(data));
    } finally {
      Files.delete(file);
    }
    if (!args[1].equals("none")) {
      timed("jni", millis, () -> Burn.sink = nativeWork(200_000));
      timed("upcall", millis, () -> Burn.sink = nativeUpcall(100));
    }
  }

  private static void timed(String name, long millis, Runnable work) {
    long before = Burn.cpuNanos();
    long end = before + millis * 1_000_000;
    while (Burn.cpuNanos() < end) {
      work.run();
    }
    System.out.println(name + "=" + (Burn.cpuNanos() - before));
  }

  static void deflate() {
    byte[] input = new byte[64 << 10];
    for (int i = 0; i < input.length; i++) {
      input[i] = (byte) (i * 31 ^ i >> 5);
    }
    Deflater deflater = new Deflater(9);
    deflater.setInput(input);
    deflater.finish();
    byte[] output = new byte[input.length * 2];
    Burn.sink = deflater.deflate(output);
    deflater.end();
  }

  static void crc() {
    CRC32 crc = new CRC32();
    byte[] data = new byte[1 << 20];
    for (int i = 0; i < 20; i++) {
      crc.update(data);
    }
    Burn.sink = crc.getValue();
  }

  static void copy() {
    int[] from = new int[1 << 18];
    int[] to = new int[1 << 18];
    for (int i = 0; i < 20; i++) {
      System.arraycopy(from, 0, to, i, from.length - i);
    }
    Burn.sink = to[1];
  }

  static void readAll(RandomAccessFile data) {
    try {
      byte[] block = new byte[16 << 10];
      data.seek(0);
      while (data.read(block) > 0) {
        Burn.sink += block[0];
      }
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Burns in C: {@code jebpf_it_outer} → {@code jebpf_it_middle} → {@code jebpf_it_inner}. */
  static native long nativeWork(int steps);

  /** Calls {@link #fromNative} from C, so that Java frames stand above and below native ones. */
  static native long nativeUpcall(int calls);

  static long fromNative(long value) {
    return Burn.spin(5_000, value);
  }
}
