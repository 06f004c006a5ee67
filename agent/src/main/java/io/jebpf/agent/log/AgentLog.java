package io.jebpf.agent.log;

import io.jebpf.agent.options.Options.LogLevel;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * The agent's log: lines on standard error or in a bounded file. Never standard output, and never
 * {@code System.err}, which the application may have replaced by code of its own.
 *
 * <p>Every trouble is followed by a hint. One trouble is shown at most once in {@link
 * #REPEAT_NANOS}; the next line of its kind, or the end of the log, says how many were withheld.
 * Thread-safe; each call writes at most one line, and never throws.
 */
public final class AgentLog implements AutoCloseable {
  static final long REPEAT_NANOS = 60_000_000_000L;
  static final long FILE_BYTES_MAX = 1 << 20;
  private static final int LINE_CHARS_MAX = 2000;

  private final LogLevel level;
  private final LongSupplier nanoClock;
  private final boolean stamped;
  private final Map<Trouble, Repeats> repeats = new EnumMap<>(Trouble.class);
  private Sink sink;

  /** Where lines go. Owner: the log, under its lock. */
  private interface Sink {
    void write(byte[] line) throws IOException;

    void close() throws IOException;
  }

  private static final class Repeats {
    private final LogLevel level;
    private long shownNanos;
    private long withheld;
    private long total;

    Repeats(LogLevel level) {
      this.level = level;
    }
  }

  private AgentLog(LogLevel level, Sink sink, boolean stamped, LongSupplier nanoClock) {
    this.level = level;
    this.sink = sink;
    this.stamped = stamped;
    this.nanoClock = nanoClock;
  }

  /** Lines go to the process's file descriptor 2. */
  public static AgentLog toStandardError(LogLevel level) {
    return to(new FileOutputStream(FileDescriptor.err), level, System::nanoTime);
  }

  /** Lines go to a stream, which is never closed. */
  static AgentLog to(OutputStream stream, LogLevel level, LongSupplier nanoClock) {
    return new AgentLog(level, new StreamSink(stream), false, nanoClock);
  }

  /** Lines are appended to a file. Falls back to standard error, with one line, when it cannot. */
  public static AgentLog toFile(Path file, LogLevel level) {
    try {
      return new AgentLog(level, new FileSink(file), true, System::nanoTime);
    } catch (IOException e) {
      AgentLog log = toStandardError(level);
      log.warn(Trouble.LOG_FILE, file + ": " + reason(e));
      return log;
    }
  }

  /** A line of the normal run: the start and the stop. Shown unless only errors are wanted. */
  public void notice(String text) {
    emit(LogLevel.WARN, text);
  }

  public void info(String text) {
    emit(LogLevel.INFO, text);
  }

  public void debug(String text) {
    emit(LogLevel.DEBUG, text);
  }

  public boolean isDebug() {
    return level == LogLevel.DEBUG;
  }

  public void error(Trouble trouble, String why) {
    trouble(LogLevel.ERROR, trouble, why, trouble.hint());
  }

  /** With advice that fits better than the trouble's own hint. */
  public void error(Trouble trouble, String why, String advice) {
    trouble(LogLevel.ERROR, trouble, why, advice.isEmpty() ? trouble.hint() : advice);
  }

  public void warn(Trouble trouble, String why) {
    trouble(LogLevel.WARN, trouble, why, trouble.hint());
  }

  public void warn(Trouble trouble, String why, String advice) {
    trouble(LogLevel.WARN, trouble, why, advice.isEmpty() ? trouble.hint() : advice);
  }

  /** What the profiler was built to cope with, and users need not be told unless they ask. */
  public void info(Trouble trouble, String why) {
    trouble(LogLevel.INFO, trouble, why, trouble.hint());
  }

  /** How often a trouble was reported so far, shown or withheld. */
  public synchronized long count(Trouble trouble) {
    Repeats seen = repeats.get(trouble);
    return seen == null ? 0 : seen.total;
  }

  private synchronized void trouble(LogLevel at, Trouble trouble, String why, String hint) {
    long now = nanoClock.getAsLong();
    Repeats seen = repeats.get(trouble);
    if (seen == null) {
      seen = new Repeats(at);
      repeats.put(trouble, seen);
    } else if (now - seen.shownNanos < REPEAT_NANOS) {
      seen.withheld++;
      seen.total++;
      return;
    }
    String withheld = seen.withheld == 0 ? "" : " (" + seen.withheld + " more like it withheld)";
    seen.shownNanos = now;
    seen.withheld = 0;
    seen.total++;
    emit(at, at + ": " + trouble.title() + ": " + why + withheld + ". Hint: " + hint + ".");
  }

  /** Says what was withheld, then lets go of the file. */
  @Override
  public synchronized void close() {
    for (Map.Entry<Trouble, Repeats> entry : repeats.entrySet()) {
      Repeats seen = entry.getValue();
      if (seen.withheld > 0) {
        emit(
            seen.level,
            entry.getKey().title() + ": " + seen.withheld + " more like it were withheld");
        seen.withheld = 0;
      }
    }
    try {
      sink.close();
    } catch (IOException e) {
      // Nothing can be told about a log that cannot be closed, and nobody is left to be told.
      sink = new StreamSink(OutputStream.nullOutputStream());
    }
  }

  private synchronized void emit(LogLevel at, String text) {
    if (at.compareTo(level) > 0) {
      return;
    }
    String line = "jebpf: " + oneLine(text) + "\n";
    if (stamped) {
      line = Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + line;
    }
    try {
      sink.write(line.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      fallBack(e);
    }
  }

  /** A log file that fails once is given up for good: standard error is all that is left. */
  private void fallBack(IOException cause) {
    if (sink instanceof FileSink file) {
      sink = new StreamSink(new FileOutputStream(FileDescriptor.err));
      warn(Trouble.LOG_FILE, file.file + ": " + reason(cause));
    }
  }

  private static String oneLine(String text) {
    String line = text.replace('\n', ' ').replace('\r', ' ');
    return line.length() <= LINE_CHARS_MAX ? line : line.substring(0, LINE_CHARS_MAX) + " ...";
  }

  private static String reason(IOException e) {
    return e.getClass().getSimpleName() + " " + e.getMessage();
  }

  private record StreamSink(OutputStream stream) implements Sink {
    @Override
    public void write(byte[] line) throws IOException {
      stream.write(line);
      stream.flush();
    }

    @Override
    public void close() {}
  }

  private static final class FileSink implements Sink {
    private final Path file;
    private OutputStream stream;
    private long bytes;

    FileSink(Path file) throws IOException {
      this.file = file;
      open();
    }

    private void open() throws IOException {
      stream = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      bytes = Files.size(file);
    }

    @Override
    public void write(byte[] line) throws IOException {
      if (bytes + line.length > FILE_BYTES_MAX) {
        stream.close();
        Files.move(file, Path.of(file + ".1"), StandardCopyOption.REPLACE_EXISTING);
        open();
      }
      stream.write(line);
      bytes += line.length;
    }

    @Override
    public void close() throws IOException {
      stream.close();
    }
  }
}
