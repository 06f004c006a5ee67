package io.jebpf.agent.ondemand;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Profiles that a remote console fetches in blocks. Thread-safe. */
public final class Streams {
  public static final int BLOCK_BYTES = 50_000;
  static final int BLOCK_BYTES_MAX = 4 << 20;
  static final int STREAMS_MAX = 32;
  static final long IDLE_NANOS = 120_000_000_000L;

  private final LongSupplier nanoClock;
  private final Map<Long, Open> open = new HashMap<>();
  private long lastId;

  private static final class Open {
    private final byte[] bytes;
    private final int blockBytes;
    private int position;
    private long touchedNanos;

    Open(byte[] bytes, int blockBytes, long nowNanos) {
      this.bytes = bytes;
      this.blockBytes = blockBytes;
      this.touchedNanos = nowNanos;
    }
  }

  public Streams(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  public synchronized long open(byte[] bytes, int blockBytes) throws OnDemandException {
    if (blockBytes <= 0 || blockBytes > BLOCK_BYTES_MAX) {
      throw OnDemandException.request("blockSize: 1 to " + BLOCK_BYTES_MAX);
    }
    maintain();
    if (open.size() >= STREAMS_MAX) {
      throw OnDemandException.busy("there are " + STREAMS_MAX + " streams already: close some");
    }
    open.put(++lastId, new Open(bytes, blockBytes, nanoClock.getAsLong()));
    return lastId;
  }

  /** The next block; empty at the end. */
  public synchronized Optional<byte[]> read(long id) throws OnDemandException {
    Open stream = get(id);
    if (stream.position == stream.bytes.length) {
      return Optional.empty();
    }
    int end = Math.min(stream.bytes.length, stream.position + stream.blockBytes);
    byte[] block = Arrays.copyOfRange(stream.bytes, stream.position, end);
    stream.position = end;
    return Optional.of(block);
  }

  public synchronized void close(long id) throws OnDemandException {
    get(id);
    open.remove(id);
  }

  private Open get(long id) throws OnDemandException {
    maintain();
    Open stream = open.get(id);
    if (stream == null) {
      throw OnDemandException.missing("there is no stream " + id);
    }
    stream.touchedNanos = nanoClock.getAsLong();
    return stream;
  }

  /** Closes what nobody reads. */
  synchronized void maintain() {
    long now = nanoClock.getAsLong();
    open.values().removeIf(stream -> now - stream.touchedNanos > IDLE_NANOS);
  }
}
