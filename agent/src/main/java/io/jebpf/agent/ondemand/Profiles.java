package io.jebpf.agent.ondemand;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.history.History;
import io.jebpf.agent.history.Interval;
import io.jebpf.agent.history.Mark;
import io.jebpf.agent.history.Segment;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.picture.FlameGraphs;
import io.jebpf.agent.pprof.Collapsed;
import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.QualityComments;
import io.jebpf.agent.pprof.TopFunctions;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Answers queries from the segments of the past and a picture of the open window. All work is done
 * on the thread of who asks; the reader of samples only takes the picture, one for all who wait for
 * it. Thread-safe.
 */
public final class Profiles {
  /** Each takes a few megabytes and a CPU for some 10 ms; who comes later waits. */
  private static final int AT_ONCE_MAX = 2;

  /** For the picture, and for the writer. */
  private static final long PATIENCE_NANOS = 10_000_000_000L;

  /** Hundreds may come at once. */
  private static final long TURN_NANOS = 60_000_000_000L;

  /**
   * By then the kernel has handed over what it took before a moment: the programs take less than a
   * millisecond and cannot be held up.
   */
  private static final long ARRIVAL_NANOS = 5_000_000L;

  private final Stream stream;
  private final History history;
  private final Options options;
  private final Mapping mainBinary;
  private final LongSupplier nanoClock;
  private final Semaphore turns = new Semaphore(AT_ONCE_MAX, true);

  /** The running profiler. Thread-safe. */
  public interface Stream {
    /**
     * Asks for a picture of the open window, with all that happened before a moment; it comes
     * within the next step of the reader after it. Throws IllegalStateException when too many wait
     * for one already, or sampling has ended.
     */
    CompletableFuture<Segment> askOpen(long notBeforeNanos);

    /** Whether sampling has ended: then all that was is in the history. */
    boolean isOver();

    /** The quality of a profile of some stretch of time between two marks. */
    QualityComments quality(ProfileKind kind, long samples, long cpuNanos, Mark begin, Mark end);
  }

  /** The segments of a query, and the stretch of time that they are known of. */
  private record Found(
      List<Segment> segments, long fromNanos, Mark begin, Mark end, boolean open) {}

  /**
   * @param nanoClock System.nanoTime
   */
  public Profiles(
      Stream stream, History history, Options options, Mapping mainBinary, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.stream = stream;
    this.history = history;
    this.options = options;
    this.mainBinary = mainBinary;
  }

  /** The profile in the format asked for. */
  public Answer answer(Query query) throws OnDemandException {
    return answer(query, List::of, Long.MAX_VALUE);
  }

  /**
   * As {@link #answer(Query)}.
   *
   * @param kept segments that may be in the history no more; asked when all are there
   * @param knownFromNanos from then on nothing happened but what is in segments
   */
  Answer answer(Query query, Supplier<List<Segment>> kept, long knownFromNanos)
      throws OnDemandException {
    Found found = find(query, kept, knownFromNanos);
    takeTurn();
    try {
      Window window = merge(query, found);
      byte[] bytes =
          switch (query.format()) {
            case PPROF -> pprof(query, found, window);
            case COLLAPSED -> collapsed(query.kind(), window);
            case HTML -> html(query, found, pprof(query, found, window));
          };
      return new Answer(bytes, query.format(), window.taken(), found.fromNanos(), query.toNanos());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of an array in memory
    } finally {
      turns.release();
    }
  }

  /** The functions with most time of their own. */
  public List<TopFunctions.Entry> top(Query query, int limit) throws OnDemandException {
    Found found = find(query, List::of, Long.MAX_VALUE);
    takeTurn();
    try {
      return TopFunctions.of(merge(query, found), query.kind(), limit);
    } finally {
      turns.release();
    }
  }

  /** Time of a group of threads, idle waits left out. */
  public record Times(double cpuNanos, double offCpuNanos) {}

  /**
   * How long threads ran, and waited.
   *
   * @param threads names, {@code *} for any text
   */
  public Times times(long fromNanos, long toNanos, String threads) throws OnDemandException {
    Filter filter = new Filter(threads, "");
    Query query = new Query(ProfileKind.WALL, Format.PPROF, fromNanos, toNanos, filter);
    Found found = find(query, List::of, Long.MAX_VALUE);
    takeTurn();
    try {
      Window window = merge(query, found);
      double waited = 0;
      for (int row = 0; row < window.waitRows(); row++) {
        boolean idle = window.waitLabelsOf(row).get(LabelKey.IDLE).equals(LabelKey.TRUE);
        waited += idle ? 0 : window.waitBlocked(row) + window.waitRunnable(row);
      }
      return new Times(window.weightNanos(), waited);
    } finally {
      turns.release();
    }
  }

  private void takeTurn() throws OnDemandException {
    try {
      if (!turns.tryAcquire(TURN_NANOS, TimeUnit.NANOSECONDS)) {
        throw OnDemandException.busy("too many profiles are asked for at once");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw OnDemandException.busy("interrupted");
    }
  }

  private Window merge(Query query, Found found) {
    Interval interval =
        new Interval(
            query.fromNanos(), query.toNanos(), query.filter(), parts(query.kind()), mainBinary);
    interval.add(found.segments());
    return interval.window();
  }

  private static Interval.Parts parts(ProfileKind kind) {
    return switch (kind) {
      case CPU -> Interval.Parts.SAMPLES;
      case OFFCPU -> Interval.Parts.WAITS;
      case WALL -> Interval.Parts.BOTH;
    };
  }

  // ---- segments

  private Found find(Query query, Supplier<List<Segment>> kept, long knownFromNanos)
      throws OnDemandException {
    if (query.toNanos() <= query.fromNanos()) {
      throw OnDemandException.request("the time asked for is empty: it ends before it begins");
    }
    if (query.toNanos() - nanoClock.getAsLong() > 0) {
      throw OnDemandException.request("the time asked for is not over yet");
    }
    SortedMap<Long, Segment> bySerial = new TreeMap<>();
    List<Segment> past = history.segments();
    boolean open =
        !stream.isOver() && (past.isEmpty() || past.getLast().begin().nanos() < query.toNanos());
    if (open) {
      Segment picture = picture(query.toNanos() + settleNanos(query.kind()));
      kept.get().forEach(segment -> bySerial.put(segment.serial(), segment));
      history.segments().forEach(segment -> bySerial.put(segment.serial(), segment));
      bySerial.tailMap(picture.serial()).clear(); // ended since
      bySerial.put(picture.serial(), picture);
    } else {
      kept.get().forEach(segment -> bySerial.put(segment.serial(), segment));
      past.forEach(segment -> bySerial.put(segment.serial(), segment));
    }
    if (bySerial.isEmpty()) {
      throw OnDemandException.missing("nothing is kept of that time; see the option history");
    }
    return found(query, List.copyOf(bySerial.values()), knownFromNanos, open);
  }

  /** Waits of two periods are certain: by then it is known which of them began before. */
  private long settleNanos(ProfileKind kind) {
    return ARRIVAL_NANOS + (kind == ProfileKind.CPU ? 0 : 2 * options.offCpu().tickNanos());
  }

  private Segment picture(long notBeforeNanos) throws OnDemandException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    try {
      Segment picture = stream.askOpen(notBeforeNanos).get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
      history.await(picture.serial() - 1, deadline);
      return picture;
    } catch (IllegalStateException e) {
      throw OnDemandException.busy(e.getMessage());
    } catch (ExecutionException e) {
      throw OnDemandException.busy(e.getCause().getMessage());
    } catch (TimeoutException e) {
      throw OnDemandException.busy("the profiler did not answer in time");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw OnDemandException.busy("interrupted");
    }
  }

  /** Between two segments that are kept, nothing happened: a window without events has none. */
  private static Found found(Query query, List<Segment> all, long knownFromNanos, boolean open)
      throws OnDemandException {
    List<Segment> wanted = new ArrayList<>();
    Mark begin = all.getFirst().begin();
    Mark end = all.getLast().end();
    long known = Math.min(knownFromNanos, begin.nanos());
    if (query.toNanos() <= known) {
      throw OnDemandException.missing("nothing is kept of that time; see the option history");
    }
    for (Segment segment : all) {
      if (segment.touches(query.fromNanos(), query.toNanos())) {
        wanted.add(segment);
      }
      for (Mark mark : List.of(segment.begin(), segment.end())) {
        begin = mark.nanos() <= query.fromNanos() ? mark : begin;
        end = mark.nanos() >= query.toNanos() && mark.nanos() < end.nanos() ? mark : end;
      }
    }
    return new Found(
        List.copyOf(wanted),
        Math.max(query.fromNanos(), known),
        begin,
        end,
        open && end == all.getLast().end());
  }

  // ---- formats

  private byte[] pprof(Query query, Found found, Window window) throws IOException {
    Instant start = Moment.wall(found.fromNanos());
    Mark end = found.end();
    long period =
        query.kind() == ProfileKind.CPU
            ? 1_000_000_000L / Math.max(1, end.rateHz())
            : end.askedTickNanos();
    ProfileHeader header =
        new ProfileHeader(
            start.getEpochSecond() * 1_000_000_000L + start.getNano(),
            query.toNanos() - found.fromNanos(),
            Math.max(1, period),
            comments(query, found, window),
            options.labels());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ProfileEncoder.encode(window, query.kind(), header, out);
    return out.toByteArray();
  }

  private List<String> comments(Query query, Found found, Window window) {
    long untimed = 0;
    for (Segment segment : found.segments()) {
      untimed += segment.dropped();
    }
    QualityComments comments =
        stream
            .quality(query.kind(), window.taken(), window.weightNanos(), found.begin(), found.end())
            .fact(QualityComments.INTERVAL, period(found.fromNanos(), query.toNanos()))
            .fact(
                QualityComments.QUALITY_INTERVAL,
                period(found.begin().nanos(), found.end().nanos()));
    if (found.open()) {
      comments.withoutEstimates();
    }
    if (found.fromNanos() > query.fromNanos()) {
      comments.fact(
          QualityComments.INTERVAL_CUT,
          (found.fromNanos() - query.fromNanos()) / 1_000_000
              + " ms at the beginning are not kept");
    }
    return comments.sumUnlessZero(QualityComments.EVENTS_UNTIMED, untimed).list();
  }

  private static String period(long fromNanos, long toNanos) {
    return Moment.wall(fromNanos) + " to " + Moment.wall(toNanos);
  }

  private static byte[] collapsed(ProfileKind kind, Window window) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Collapsed.write(window, kind, out);
    return out.toByteArray();
  }

  private byte[] html(Query query, Found found, byte[] pprof) throws IOException {
    String title =
        options.service()
            + ": "
            + query.kind().fileName()
            + ", "
            + period(found.fromNanos(), query.toNanos());
    return FlameGraphs.html(pprof, title).getBytes(StandardCharsets.UTF_8);
  }
}
