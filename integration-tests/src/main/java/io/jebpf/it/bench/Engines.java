package io.jebpf.it.bench;

import io.jebpf.it.workload.AgentGate;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import one.profiler.AsyncProfiler;

/** The engines that are compared. */
final class Engines {
  private static final int HZ = 1_000;
  private static final long PERIOD_NANOS = 1_000_000_000L / HZ;

  private Engines() {}

  /** The agent under which this JVM was started, switched by its MBean. */
  static final class Jebpf implements Engine {
    /** The MBean's figures are published about once a second. */
    private static final int PUBLISHED_MILLIS = 1_200;

    private long samplesBefore;

    /** Stops the sampling with which the agent began. */
    Jebpf() throws InterruptedException {
      AgentGate.await();
      off();
    }

    @Override
    public String name() {
      return "jebpf";
    }

    @Override
    public void on() {
      AgentGate.cpuHz(HZ);
    }

    @Override
    public long off() throws InterruptedException {
      AgentGate.cpuHz(0);
      Thread.sleep(PUBLISHED_MILLIS);
      long samples = AgentGate.number("SamplesTaken");
      long taken = samples - samplesBefore;
      samplesBefore = samples;
      return taken;
    }
  }

  /** async-profiler in the same JVM. */
  static final class Async implements Engine {
    private final AsyncProfiler profiler = AsyncProfiler.getInstance();

    @Override
    public String name() {
      return "async-profiler";
    }

    @Override
    public void on() throws IOException {
      profiler.execute("start,event=cpu,interval=" + PERIOD_NANOS + ",cstack=vm,jstackdepth=1024");
    }

    @Override
    public long off() throws IOException {
      profiler.execute("stop");
      return profiler.getSamples();
    }

    String version() {
      return profiler.getVersion();
    }
  }

  /** An empty BPF program on the same event: src/main/native/empty.c. */
  static final class Empty implements Engine {
    private final Process process;
    private final BufferedReader answers;
    private final OutputStream commands;

    Empty(String tool) throws IOException {
      process =
          new ProcessBuilder(tool, Long.toString(PERIOD_NANOS))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      answers = process.inputReader(StandardCharsets.US_ASCII);
      commands = process.getOutputStream();
    }

    @Override
    public String name() {
      return "empty program";
    }

    @Override
    public void on() throws IOException {
      command("on\n");
    }

    @Override
    public long off() throws IOException {
      command("off\n");
      return -1;
    }

    private void command(String text) throws IOException {
      commands.write(text.getBytes(StandardCharsets.US_ASCII));
      commands.flush();
      if (!"ok".equals(answers.readLine())) {
        throw new IOException("the empty program's tool ended; see its line above");
      }
    }

    @Override
    public void close() throws IOException {
      commands.close();
      process.destroy();
    }
  }
}
