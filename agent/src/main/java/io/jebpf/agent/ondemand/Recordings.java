package io.jebpf.agent.ondemand;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.history.History;
import io.jebpf.agent.history.Segment;
import io.jebpf.agent.pprof.ProfileKind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * All recordings. To start one is to note the time; segments that it touches are kept until it is
 * closed, each once however many recordings share it. What nobody cares for ends by itself: a
 * recording stops after its duration, and is closed when it was stopped and nobody touched it for
 * {@link #FORGOTTEN_NANOS}. Thread-safe.
 */
public final class Recordings implements History.Listener {
  static final int RECORDINGS_MAX = 64;
  static final long FORGOTTEN_NANOS = 1_800_000_000_000L;
  static final long DURATION_NANOS = 3_600_000_000_000L;
  static final long DURATION_NANOS_MAX = 24 * 3_600_000_000_000L;
  static final long BYTES = 32L << 20;

  /** Of all recordings together. */
  static final long BYTES_MAX = 64L << 20;

  private final Profiles profiles;
  private final LongSupplier nanoClock;
  private final Map<Long, Recording> recordings = new TreeMap<>();
  private final Set<Recording> hidden = new HashSet<>();
  private long lastId;
  private long lastHiddenId;

  public Recordings(Profiles profiles, History history, LongSupplier nanoClock) {
    this.profiles = profiles;
    this.nanoClock = nanoClock;
    history.listener(this);
  }

  // ---- the life of a recording

  /** A recording that is not started yet. */
  public synchronized long create(String name) throws OnDemandException {
    long now = now();
    if (recordings.size() >= RECORDINGS_MAX) {
      throw OnDemandException.busy(
          "there are " + RECORDINGS_MAX + " recordings already: close some");
    }
    long id = ++lastId;
    Recording recording = new Recording(id, name.isEmpty() ? "recording-" + id : name, now);
    recording.durationNanos = DURATION_NANOS;
    recording.ageNanosMax = DURATION_NANOS_MAX;
    recording.bytesMax = BYTES;
    recordings.put(id, recording);
    return id;
  }

  /**
   * Changes what a recording keeps to: {@code name}, {@code duration}, {@code maxAge} (durations as
   * in options, such as {@code 5m}), {@code maxSize} (bytes).
   */
  public synchronized void limits(long id, long durationNanos, long ageNanosMax, long bytesMax)
      throws OnDemandException {
    if (durationNanos <= 0
        || durationNanos > DURATION_NANOS_MAX
        || ageNanosMax <= 0
        || bytesMax <= 0
        || bytesMax > BYTES_MAX) {
      throw OnDemandException.request(
          "limits of a recording: a duration of up to 24 h, an age above 0, and up to "
              + BYTES_MAX
              + " bytes");
    }
    Recording recording = get(id);
    recording.durationNanos = durationNanos;
    recording.ageNanosMax = Math.min(ageNanosMax, DURATION_NANOS_MAX);
    recording.bytesMax = bytesMax;
  }

  public synchronized void name(long id, String name) throws OnDemandException {
    get(id).name = name;
  }

  /** Starts it now; false when it was started before. */
  public synchronized boolean start(long id) throws OnDemandException {
    Recording recording = get(id);
    if (recording.isStarted()) {
      return false;
    }
    recording.startNanos = now();
    return true;
  }

  /** Ends it now; false when it does not run. */
  public synchronized boolean stop(long id) throws OnDemandException {
    Recording recording = get(id);
    if (!recording.isRunning()) {
      return false;
    }
    recording.stopNanos = Math.min(now(), recording.startNanos + recording.durationNanos);
    return true;
  }

  /** Lets go of what it keeps; a running one is stopped. */
  public synchronized void close(long id) throws OnDemandException {
    get(id);
    recordings.remove(id);
  }

  public synchronized List<RecordingInfo> list() {
    now();
    List<RecordingInfo> infos = new ArrayList<>();
    for (Recording recording : recordings.values()) {
      infos.add(info(recording));
    }
    return infos;
  }

  public synchronized RecordingInfo info(long id) throws OnDemandException {
    return info(get(id));
  }

  private RecordingInfo info(Recording recording) {
    return new RecordingInfo(
        recording.id,
        recording.name,
        recording.isStopped()
            ? RecordingState.STOPPED
            : recording.isStarted() ? RecordingState.RUNNING : RecordingState.NEW,
        recording.isStarted() ? Moment.wall(recording.startNanos).toEpochMilli() : 0,
        recording.isStopped() ? Moment.wall(recording.stopNanos).toEpochMilli() : 0,
        recording.durationNanos / 1_000_000,
        recording.ageNanosMax / 1_000_000,
        recording.bytesMax,
        recording.bytes(),
        recording.dropped);
  }

  private Recording get(long id) throws OnDemandException {
    long now = now();
    Recording recording = recordings.get(id);
    if (recording == null) {
      throw OnDemandException.missing("there is no recording " + id);
    }
    recording.touchedNanos = now;
    return recording;
  }

  /** Ends what is due, and what was forgotten. */
  synchronized void maintain() {
    now();
  }

  /** The time; what is due by then is done first. */
  private long now() {
    long now = nanoClock.getAsLong();
    expire(now);
    return now;
  }

  private void expire(long now) {
    for (Recording recording : recordings.values()) {
      if (recording.isRunning() && now - recording.startNanos >= recording.durationNanos) {
        recording.stopNanos = recording.startNanos + recording.durationNanos;
        recording.touchedNanos = now;
      }
    }
    recordings
        .values()
        .removeIf(
            recording -> !recording.isRunning() && now - recording.touchedNanos > FORGOTTEN_NANOS);
  }

  // ---- what it recorded

  /**
   * The profile of a recording, which may still run: then it is of the time until now.
   *
   * @param fromNanos leaves out what was before, on the clock of System.nanoTime
   * @param toNanos leaves out what is from then on
   */
  public Answer read(
      long id, ProfileKind kind, Format format, Filter filter, long fromNanos, long toNanos)
      throws OnDemandException {
    Recording recording;
    long from;
    long to;
    long known;
    synchronized (this) {
      recording = get(id);
      if (!recording.isStarted()) {
        throw OnDemandException.request("recording " + id + " has not been started");
      }
      long now = nanoClock.getAsLong();
      from = recording.fromNanos(now);
      to = Math.min(recording.stopNanos, now);
      known = recording.dropped == 0 ? from : recording.knownFromNanos();
    }
    from = Math.max(from, fromNanos);
    to = Math.min(to, toNanos);
    return profiles.answer(
        new Query(kind, format, from, to, filter), () -> segments(recording), known);
  }

  private synchronized List<Segment> segments(Recording recording) {
    return recording.segments();
  }

  /**
   * The profile of the next stretch of time, which begins now; comes when it is over. Not listed,
   * and not among those that are limited in number: who waits for it is.
   */
  public Answer next(ProfileKind kind, Format format, Filter filter, int seconds)
      throws OnDemandException {
    Recording recording;
    synchronized (this) {
      recording = new Recording(--lastHiddenId, "", now());
      recording.durationNanos = seconds * 1_000_000_000L;
      recording.ageNanosMax = DURATION_NANOS_MAX;
      recording.bytesMax = BYTES;
      recording.startNanos = nanoClock.getAsLong();
      hidden.add(recording);
    }
    long end = recording.startNanos + recording.durationNanos;
    try {
      for (long left = recording.durationNanos; left > 0; left = end - nanoClock.getAsLong()) {
        TimeUnit.NANOSECONDS.sleep(left);
      }
      Query query = new Query(kind, format, recording.startNanos, end, filter);
      return profiles.answer(query, () -> segments(recording), recording.startNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw OnDemandException.busy("interrupted");
    } finally {
      synchronized (this) {
        hidden.remove(recording);
      }
    }
  }

  // ---- segments

  @Override
  public synchronized void added(Segment segment) {
    long now = now();
    recordings.values().forEach(recording -> recording.offer(segment, now));
    hidden.forEach(recording -> recording.offer(segment, now));
    while (sharedBytes() > BYTES_MAX) {
      long oldest = Long.MAX_VALUE;
      for (Recording recording : recordings.values()) {
        oldest = Math.min(oldest, recording.oldestSerial());
      }
      for (Recording recording : recordings.values()) {
        if (recording.oldestSerial() == oldest) {
          recording.dropOldest();
        }
      }
    }
  }

  /** Memory of all segments that recordings keep, each counted once. */
  private long sharedBytes() {
    long sum = 0;
    for (Recording recording : recordings.values()) {
      sum += recording.bytes();
    }
    if (sum <= BYTES_MAX) {
      return sum; // shared or not, there is room
    }
    return bytes();
  }

  /** Memory of what recordings keep, each segment counted once. */
  public synchronized long bytes() {
    Map<Long, Integer> shared = new TreeMap<>();
    for (Recording recording : recordings.values()) {
      recording.segments().forEach(segment -> shared.put(segment.serial(), segment.bytes()));
    }
    return sum(shared.values());
  }

  private static long sum(Collection<Integer> values) {
    return values.stream().mapToLong(Integer::longValue).sum();
  }

  @Override
  public synchronized boolean isInterested() {
    return !recordings.isEmpty() || !hidden.isEmpty();
  }
}
