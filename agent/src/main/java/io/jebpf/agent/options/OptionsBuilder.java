package io.jebpf.agent.options;

import io.jebpf.agent.options.Options.LogLevel;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Puts {@link Options} together. What is not set is off or as in the option table's column of
 * defaults, so that who needs three options names three.
 */
public final class OptionsBuilder {
  private final String service;
  private Optional<Path> out = Optional.empty();
  private long diskBytes = 256L << 20;
  private long windowNanos = 10_000_000_000L;
  private int cpuHz = 99;
  private OffCpuOptions offCpu = OffCpuOptions.OFF;
  private HistoryOptions history = HistoryOptions.STANDARD;
  private Optional<HttpOptions> http = Optional.empty();
  private DumpOptions dumps = DumpOptions.OFF;
  private StackOptions stacks = StackOptions.STANDARD;
  private long budgetMillionths = 10_000;
  private UploadOptions uploads = UploadOptions.OFF;
  private Map<String, String> labels = Map.of();
  private ContextOptions context = ContextOptions.OFF;
  private LogLevel logLevel = LogLevel.WARN;
  private Optional<Path> logFile = Optional.empty();
  private Optional<Path> nativeDir = Optional.empty();

  public OptionsBuilder(String service) {
    this.service = service;
  }

  public OptionsBuilder out(Optional<Path> directory) {
    out = directory;
    return this;
  }

  public OptionsBuilder diskBytes(long bytes) {
    diskBytes = bytes;
    return this;
  }

  public OptionsBuilder windowNanos(long nanos) {
    windowNanos = nanos;
    return this;
  }

  public OptionsBuilder cpuHz(int hz) {
    cpuHz = hz;
    return this;
  }

  public OptionsBuilder offCpu(OffCpuOptions waits) {
    offCpu = waits;
    return this;
  }

  public OptionsBuilder history(HistoryOptions past) {
    history = past;
    return this;
  }

  public OptionsBuilder http(Optional<HttpOptions> endpoint) {
    http = endpoint;
    return this;
  }

  public OptionsBuilder dumps(DumpOptions when) {
    dumps = when;
    return this;
  }

  public OptionsBuilder stacks(StackOptions asked) {
    stacks = asked;
    return this;
  }

  public OptionsBuilder budgetMillionths(long millionths) {
    budgetMillionths = millionths;
    return this;
  }

  public OptionsBuilder uploads(UploadOptions value) {
    uploads = value;
    return this;
  }

  public OptionsBuilder labels(Map<String, String> texts) {
    labels = texts;
    return this;
  }

  public OptionsBuilder context(ContextOptions wanted) {
    context = wanted;
    return this;
  }

  public OptionsBuilder logLevel(LogLevel level) {
    logLevel = level;
    return this;
  }

  public OptionsBuilder logFile(Optional<Path> file) {
    logFile = file;
    return this;
  }

  public OptionsBuilder nativeDir(Optional<Path> directory) {
    nativeDir = directory;
    return this;
  }

  public Options build() {
    return new Options(
        service,
        out,
        diskBytes,
        windowNanos,
        cpuHz,
        offCpu,
        history,
        http,
        dumps,
        stacks,
        budgetMillionths,
        uploads,
        labels,
        context,
        logLevel,
        logFile,
        nativeDir);
  }
}
