package io.jebpf.agent.ondemand;

import io.jebpf.agent.history.History;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.HistoryOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.pipeline.AgentIdentity;
import io.jebpf.agent.pipeline.FakeEngine;
import io.jebpf.agent.pipeline.SampleReader;
import io.jebpf.agent.pipeline.WindowWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;

/** Reader and writer on threads of their own, over an engine that the test feeds. */
final class RunningStream implements AutoCloseable {
  /** When the clock of recordings was last asked on this thread, and what it said. */
  static final ThreadLocal<Long> ASKED = ThreadLocal.withInitial(() -> 0L);

  final FakeEngine engine = new FakeEngine();
  final History history;
  final Profiles profiles;
  final Recordings recordings;
  final SampleReader reader;
  private final WindowWriter writer;
  private final Thread readerThread;
  private final Thread writerThread;
  private final CountDownLatch started = new CountDownLatch(1);
  private volatile boolean stopping;

  RunningStream(Path directory, HistoryOptions past, long windowNanos) {
    Options options =
        new OptionsBuilder("shop")
            .out(Optional.of(directory.resolve("out")))
            .windowNanos(windowNanos)
            .history(past)
            .build();
    AgentLog log = AgentLog.toFile(directory.resolve("log"), LogLevel.WARN);
    history = new History(past.nanos(), past.bytes());
    writer = new WindowWriter(options, log, history, Optional.empty());
    AgentIdentity identity = new AgentIdentity("jebpf 1", "25", 7);
    reader = new SampleReader(engine, options, writer, identity, log, System::nanoTime);
    profiles =
        new Profiles(reader, history, options, FakeEngine.FACTS.mainBinary(), System::nanoTime);
    recordings = new Recordings(profiles, history, RunningStream::ask);
    readerThread = new Thread(this::read, "test-reader");
    writerThread = new Thread(this::write, "test-writer");
    readerThread.start();
    writerThread.start();
    try {
      started.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static long ask() {
    long now = System.nanoTime();
    ASKED.set(now);
    return now;
  }

  private void read() {
    try {
      reader.start();
      started.countDown();
      while (!stopping) {
        LockSupport.parkNanos(reader.step());
      }
      reader.finish();
    } catch (Exception e) {
      throw new AssertionError(e);
    } finally {
      writer.end();
    }
  }

  private void write() {
    try {
      writer.run();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** Ends both threads; what is left is written. */
  @Override
  public void close() {
    stopping = true;
    LockSupport.unpark(readerThread);
    try {
      readerThread.join(30_000);
      writerThread.join(30_000);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (readerThread.isAlive() || writerThread.isAlive()) {
      throw new AssertionError("still running");
    }
  }
}
