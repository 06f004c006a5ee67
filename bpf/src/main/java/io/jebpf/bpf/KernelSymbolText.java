package io.jebpf.bpf;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The kernel's code symbols by a BPF iterator, in the form of {@code /proc/kallsyms}: for where
 * that file shows zeros in place of addresses, for want of CAP_SYSLOG or because of kptr_restrict.
 * The iterator needs the rights that the profiler needs anyhow, and Linux 6.0.
 *
 * <p>Loaded for one reading; only the file descriptor to read from is held until {@link #close}.
 * Owner: one thread. Measured on 6.18: 60,000 symbols, 2.7 MB.
 */
public final class KernelSymbolText extends InputStream {
  /** A kernel with all of its modules loaded has some 20 MB. */
  static final long BYTES_MAX = 64 << 20;

  /** Some tenths of a second are usual; between two reads of 32 KiB each. */
  static final long DEADLINE_NANOS = TimeUnit.SECONDS.toNanos(5);

  private static final String RESOURCE = "ksyms.bpf.o";
  private static final String NAME = "ksyms";
  private static final String PROGRAM = "on_symbol";
  private static final String WHAT = "reading the kernel's symbols by BPF iterator";
  private static final int BUFFER_BYTES = 32 * 1024; // what the kernel gives at most at a time
  private static final int EINTR = 4;
  private static final int EAGAIN = 11;

  private final KernelCalls kernel;
  private final LongSupplier nanoTime;
  private final NativeBuffer memory;
  private final ByteBuffer text;
  private final int fd;
  private final long started;
  private long bytes;
  private boolean closed;

  private KernelSymbolText(KernelCalls kernel, NativeBuffer memory, int fd, LongSupplier nanoTime) {
    this.kernel = kernel;
    this.memory = memory;
    this.text = memory.buffer().limit(0);
    this.fd = fd;
    this.nanoTime = nanoTime;
    this.started = nanoTime.getAsLong();
  }

  /** Loads the program and begins a run of it; some 50 ms, most of it libbpf's. */
  public static InputStream open(NativeRuntime runtime) throws KernelException {
    return open(runtime, KernelObject.resource(RESOURCE), System::nanoTime);
  }

  static InputStream open(NativeRuntime runtime, byte[] elf, LongSupplier nanoTime)
      throws KernelException {
    BpfCalls bpf = runtime.bpf();
    long object = KernelObject.parse(bpf, elf, NAME);
    NativeBuffer memory = NativeBuffer.allocate(BUFFER_BYTES); // freed by close, or below
    boolean done = false;
    try {
      KernelObject.load(bpf, object, NAME);
      int fd = run(runtime.kernel(), bpf, object);
      done = true;
      return new KernelSymbolText(runtime.kernel(), memory, fd, nanoTime);
    } finally {
      bpf.objectClose(object);
      if (!done) {
        memory.close();
      }
    }
  }

  private static int run(KernelCalls kernel, BpfCalls bpf, long object) throws KernelException {
    long program = bpf.findProgram(object, PROGRAM);
    int programFd = program < 0 ? (int) program : bpf.programFd(program);
    if (programFd < 0) {
      throw new KernelException("finding program " + PROGRAM, -programFd, "");
    }
    int link = bpf.linkIterator(programFd);
    if (link < 0) {
      throw new KernelException("bpf(BPF_LINK_CREATE, iter/ksym)", -link, Advice.forLoad(-link));
    }
    try {
      int fd = bpf.createIterator(link);
      if (fd < 0) {
        throw new KernelException("bpf(BPF_ITER_CREATE, iter/ksym)", -fd, Advice.forLoad(-fd));
      }
      return fd;
    } finally {
      kernel.close(link);
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] into, int from, int length) throws IOException {
    if (length == 0) {
      return 0;
    }
    if (!text.hasRemaining() && !fill()) {
      return -1;
    }
    int part = Math.min(length, text.remaining());
    text.get(into, from, part);
    return part;
  }

  /** False at the end. */
  private boolean fill() throws IOException {
    if (closed) {
      throw new IOException(WHAT + ": it is closed");
    }
    int got;
    do {
      if (nanoTime.getAsLong() - started > DEADLINE_NANOS) {
        throw new IOException(
            WHAT + " took longer than " + TimeUnit.NANOSECONDS.toSeconds(DEADLINE_NANOS) + " s");
      }
      got = kernel.read(fd, text);
    } while (got == -EAGAIN || got == -EINTR);
    if (got < 0) {
      throw new IOException(WHAT + " failed: " + Errno.text(-got));
    }
    bytes += got;
    if (bytes > BYTES_MAX) {
      throw new IOException(WHAT + " gave more than " + (BYTES_MAX >> 20) + " MB");
    }
    text.position(0).limit(got);
    return got > 0;
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      kernel.close(fd);
      memory.close();
    }
  }
}
