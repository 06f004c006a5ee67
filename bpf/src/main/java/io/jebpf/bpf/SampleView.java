package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;

/**
 * One sample, read where it lies in the ring ({@code struct jebpf_sample}). Valid inside {@link
 * SampleHandler#onSample} only; reused. Frames are leaf first.
 */
public final class SampleView {
  private final CommNames names = new CommNames();
  private final VirtualNames virtualNames = new VirtualNames();
  private ByteBuffer buffer = ByteBuffer.allocate(0);
  private LongBuffer longs = buffer.asLongBuffer(); // the same, while it stays the same
  private int base;
  private int kernelFrames;
  private int userFrames;
  private int userBase;
  private int contextBytes;

  /** Points the view at a record; false if it is not a whole sample. */
  boolean at(ByteBuffer in, int offset, int length) {
    if (length < Layout.SAMPLE_BYTES || in.getInt(offset + Layout.SAMPLE_SIZE) > length) {
      return false;
    }
    int kernel = Short.toUnsignedInt(in.getShort(offset + Layout.SAMPLE_KERNEL_FRAMES));
    int user = Short.toUnsignedInt(in.getShort(offset + Layout.SAMPLE_USER_FRAMES));
    int context = Short.toUnsignedInt(in.getShort(offset + Layout.SAMPLE_CONTEXT_BYTES));
    int needs = Layout.SAMPLE_BYTES + kernel * Long.BYTES + user * Layout.FRAME_BYTES + context;
    if (needs > in.getInt(offset + Layout.SAMPLE_SIZE)) {
      return false;
    }
    if (in != buffer) {
      buffer = in;
      longs = in.asLongBuffer();
    }
    base = offset;
    kernelFrames = kernel;
    userFrames = user;
    contextBytes = context;
    userBase = offset + Layout.SAMPLE_BYTES + kernel * Long.BYTES;
    return true;
  }

  /** Bytes of the record up to the end of its frames and context. */
  int frameEnd() {
    return userBase + userFrames * Layout.FRAME_BYTES + contextBytes - base;
  }

  /** When, on CLOCK_MONOTONIC (the clock of System.nanoTime). */
  public long timeNanos() {
    return buffer.getLong(base + Layout.SAMPLE_TIME);
  }

  /** Whether the thread waits, and still does; else it runs. */
  public boolean isWait() {
    return buffer.getInt(base + Layout.SAMPLE_TYPE) == Layout.RECORD_WAIT;
  }

  /**
   * Whether this is the stack of a thread that ends another's wait: frames, {@link #comm} and
   * {@link #javaThread} are the waker's; tid, thread start and wait start are the sleeper's.
   */
  public boolean isWaker() {
    return buffer.getInt(base + Layout.SAMPLE_TYPE) == Layout.RECORD_WAKER;
  }

  /** What the thread does. */
  public ThreadState state() {
    return ThreadState.of(buffer.get(base + Layout.SAMPLE_STATE));
  }

  /** Of a wait: when the thread left its CPU, on the clock of {@link #timeNanos}; else 0. */
  public long waitStartNanos() {
    return buffer.getLong(base + Layout.SAMPLE_WAIT_START);
  }

  /** CPU time the sample stands for; 0 of a wait. */
  public long weightNanos() {
    return buffer.getLong(base + Layout.SAMPLE_WEIGHT);
  }

  /** Start of the thread on the boot time clock: tells threads with a reused tid apart. */
  public long threadStartNanos() {
    return buffer.getLong(base + Layout.SAMPLE_THREAD_START);
  }

  /** Address of HotSpot's JavaThread, 0 when the walk did not learn it. */
  public long javaThread() {
    return buffer.getLong(base + Layout.SAMPLE_JAVA_THREAD);
  }

  /** {@code Thread.threadId()} of the mounted virtual thread; 0: none, or not known. */
  public long virtualThread() {
    return buffer.getLong(base + Layout.SAMPLE_VIRTUAL_THREAD);
  }

  /**
   * Name of the virtual thread when the sample was taken; empty: it has none. A long one is cut and
   * ends in an ellipsis.
   */
  public String virtualName() {
    return virtualNames.at(buffer, base);
  }

  /** Whether the virtual thread may have a name that could not be read this time. */
  public boolean virtualNameUnread() {
    return (buffer.get(base + Layout.SAMPLE_VIRTUAL_NAME_FLAGS) & Layout.NAME_UNREAD) != 0;
  }

  /** Thread id in the PID namespace of the process. */
  public int tid() {
    return buffer.getInt(base + Layout.SAMPLE_TID);
  }

  public int cpu() {
    return buffer.getInt(base + Layout.SAMPLE_CPU);
  }

  /** What taking the stack cost. */
  public int walkNanos() {
    return buffer.getInt(base + Layout.SAMPLE_WALK);
  }

  /** Why the walk ended: enum jebpf_end, 0 is the thread's root. */
  public int end() {
    return Byte.toUnsignedInt(buffer.get(base + Layout.SAMPLE_END));
  }

  /** The kernel's name of the thread, at most 15 bytes. */
  public String comm() {
    return names.at(buffer, base + Layout.SAMPLE_COMM);
  }

  public int kernelFrames() {
    return kernelFrames;
  }

  /** Address of kernel frame {@code i}: the pc for 0, return addresses above. */
  public long kernelAddress(int i) {
    checkIndex(i, kernelFrames);
    return buffer.getLong(base + Layout.SAMPLE_BYTES + i * Long.BYTES);
  }

  public int userFrames() {
    return userFrames;
  }

  /** Kind, flags and address of user frame {@code i}, see struct jebpf_frame. */
  public long head(int i) {
    checkIndex(i, userFrames);
    return buffer.getLong(userBase + i * Layout.FRAME_BYTES + Layout.FRAME_HEAD);
  }

  public long detail(int i) {
    checkIndex(i, userFrames);
    return buffer.getLong(userBase + i * Layout.FRAME_BYTES + Layout.FRAME_DETAIL);
  }

  /**
   * Copies the {@link #head} and {@link #detail} of every user frame, leaf first, two words a
   * frame.
   *
   * @param words room for {@code 2 * userFrames()} of them
   */
  public void frames(long[] words) {
    longs.get(userBase / Long.BYTES, words, 0, 2 * userFrames); // records are aligned to 8 bytes
  }

  /** Fills the view of the thread's context; false when it had none. */
  public boolean context(ContextView into) {
    return into.at(buffer, userBase + userFrames * Layout.FRAME_BYTES, contextBytes);
  }

  /** The buffer goes on behind this record, so its own check would not do. */
  private static void checkIndex(int i, int count) {
    if (i < 0 || i >= count) {
      throw new IndexOutOfBoundsException("frame " + i + " of " + count);
    }
  }
}
