package io.jebpf.agent.jmx;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.ondemand.Answer;
import io.jebpf.agent.ondemand.Format;
import io.jebpf.agent.ondemand.Moment;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.ProfileFile;
import io.jebpf.agent.ondemand.Query;
import io.jebpf.agent.ondemand.RecordingInfo;
import io.jebpf.agent.ondemand.RecordingOptions;
import io.jebpf.agent.ondemand.Streams;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.TopFunctions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Answers the operations of {@link OnDemandOperations}. What goes wrong is told in exceptions of
 * the JDK, whose classes every console has. Thread-safe.
 */
abstract class OnDemandBean implements OnDemandOperations {
  private static final int TOP_MAX = 50;
  private static final int SECONDS_MAX = 3600;
  private static final Set<String> STREAM_OPTIONS =
      Set.of("kind", "format", "startTime", "endTime", "thread", "state", "blockSize");

  /** Empty while nothing is sampled. */
  abstract Optional<OnDemand> onDemand();

  private interface Work<T> {
    T with(OnDemand onDemand) throws OnDemandException;
  }

  private <T> T ask(Work<T> work) {
    OnDemand running =
        onDemand().orElseThrow(() -> new IllegalStateException("nothing is sampled in this JVM"));
    try {
      return work.with(running);
    } catch (OnDemandException e) {
      throw switch (e.reason()) {
        case REQUEST, MISSING -> new IllegalArgumentException(e.getMessage());
        case BUSY -> new IllegalStateException(e.getMessage());
      };
    }
  }

  @Override
  public List<RecordingView> getRecordings() {
    return onDemand()
        .map(on -> on.recordings().list().stream().map(OnDemandBean::view).toList())
        .orElse(List.of());
  }

  private static RecordingView view(RecordingInfo info) {
    return new RecordingView(
        info.id(),
        info.name(),
        info.state().name(),
        info.startMillis(),
        info.stopMillis(),
        info.durationMillis(),
        info.maxAgeMillis(),
        info.maxSize(),
        info.bytes(),
        info.droppedWindows());
  }

  @Override
  public long getHistoryBytes() {
    return onDemand().map(on -> on.history().bytes()).orElse(0L);
  }

  @Override
  public long getHistoryMillis() {
    long now = System.nanoTime();
    return onDemand().map(on -> (now - on.history().oldestNanos(now)) / 1_000_000).orElse(0L);
  }

  @Override
  public long getHistoryDropped() {
    return onDemand().map(on -> on.history().driven()).orElse(0L);
  }

  @Override
  public long newRecording() {
    return ask(on -> on.recordings().create(""));
  }

  @Override
  public void setRecordingOptions(long recordingId, Map<String, String> options) {
    ask(
        on -> {
          RecordingOptions.set(on.recordings(), recordingId, options);
          return true;
        });
  }

  @Override
  public void startRecording(long recordingId) {
    if (!ask(on -> on.recordings().start(recordingId))) {
      throw new IllegalStateException("recording " + recordingId + " was started before");
    }
  }

  @Override
  public boolean stopRecording(long recordingId) {
    return ask(on -> on.recordings().stop(recordingId));
  }

  @Override
  public void closeRecording(long recordingId) {
    ask(
        on -> {
          on.recordings().close(recordingId);
          return true;
        });
  }

  @Override
  public void copyTo(long recordingId, String outputFile) throws IOException {
    copyTo(recordingId, outputFile, "cpu", "pprof");
  }

  @Override
  public void copyTo(long recordingId, String outputFile, String kind, String format)
      throws IOException {
    Answer answer = ask(on -> read(on, recordingId, Map.of("kind", kind, "format", format)));
    ProfileFile.writeNew(Path.of(outputFile), answer.bytes());
  }

  @Override
  public long openStream(long recordingId, Map<String, String> options) {
    return ask(
        on -> on.streams().open(read(on, recordingId, options).bytes(), blockBytes(options)));
  }

  @Override
  public long openStream(long recordingId, String kind, String format) {
    return openStream(recordingId, Map.of("kind", kind, "format", format));
  }

  private static int blockBytes(Map<String, String> options) throws OnDemandException {
    String text = options.getOrDefault("blockSize", Integer.toString(Streams.BLOCK_BYTES));
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new OnDemandException(
          OnDemandException.Reason.REQUEST, "blockSize " + text + " is no number");
    }
  }

  private static Answer read(OnDemand on, long recordingId, Map<String, String> options)
      throws OnDemandException {
    for (String key : options.keySet()) {
      if (!STREAM_OPTIONS.contains(key)) {
        throw new OnDemandException(
            OnDemandException.Reason.REQUEST, "option " + key + ": there are " + STREAM_OPTIONS);
      }
    }
    String from = options.getOrDefault("startTime", "");
    String to = options.getOrDefault("endTime", "");
    return on.recordings()
        .read(
            recordingId,
            Query.kind(options.getOrDefault("kind", "cpu")),
            Format.named(options.getOrDefault("format", "pprof")),
            new Filter(options.getOrDefault("thread", ""), options.getOrDefault("state", "")),
            from.isEmpty() ? Long.MIN_VALUE : Moment.nanos(from),
            to.isEmpty() ? Long.MAX_VALUE : Moment.nanos(to));
  }

  private static Query query(String kind, String format, String from, String to)
      throws OnDemandException {
    ProfileKind wanted = Query.kind(kind);
    long end = Moment.nanos(to);
    return new Query(wanted, Format.named(format), Moment.nanos(from), end, Filter.NONE);
  }

  @Override
  public long openDump(String kind, String format, String from, String to) {
    return ask(
        on ->
            on.streams()
                .open(
                    on.profiles().answer(query(kind, format, from, to)).bytes(),
                    Streams.BLOCK_BYTES));
  }

  @Override
  public byte[] readStream(long streamId) {
    Optional<byte[]> block = ask(on -> on.streams().read(streamId));
    return block.orElse(null); // as FlightRecorderMXBean ends a stream
  }

  @Override
  public void closeStream(long streamId) {
    ask(
        on -> {
          on.streams().close(streamId);
          return true;
        });
  }

  @Override
  public void dump(String outputFile, String kind, String format, String from, String to)
      throws IOException {
    Answer answer = ask(on -> on.profiles().answer(query(kind, format, from, to)));
    ProfileFile.writeNew(Path.of(outputFile), answer.bytes());
  }

  @Override
  public Map<String, FunctionView> top(String kind, int seconds) {
    List<TopFunctions.Entry> entries =
        ask(on -> on.profiles().top(last(kind, Format.PPROF, seconds), TOP_MAX));
    Map<String, FunctionView> views = new LinkedHashMap<>();
    for (TopFunctions.Entry entry : entries) {
      views.putIfAbsent(
          entry.function(),
          new FunctionView(
              entry.selfNanos() / 1e6,
              Math.round(1000.0 * entry.selfNanos() / Math.max(1, entry.wholeNanos())) / 10.0,
              entry.totalNanos() / 1e6,
              entry.file()));
    }
    return views;
  }

  @Override
  public String flameGraph(String kind, int seconds) {
    Answer answer = ask(on -> on.profiles().answer(last(kind, Format.HTML, seconds)));
    return new String(answer.bytes(), java.nio.charset.StandardCharsets.UTF_8);
  }

  private static Query last(String kind, Format format, int seconds) throws OnDemandException {
    if (seconds < 1 || seconds > SECONDS_MAX) {
      throw new OnDemandException(
          OnDemandException.Reason.REQUEST, "seconds " + seconds + ": 1 to " + SECONDS_MAX);
    }
    long now = System.nanoTime();
    return new Query(Query.kind(kind), format, now - seconds * 1_000_000_000L, now, Filter.NONE);
  }
}
