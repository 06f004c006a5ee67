package io.jebpf.agent.options;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the user asked for, checked and complete.
 *
 * @param service name of the service, never empty
 * @param out directory of the profiles; empty for none
 * @param diskBytes most that the profiles in {@code out} may take
 * @param windowNanos length of one profile
 * @param cpuHz samples per second and CPU; 0 for none
 * @param offCpu what is asked for about waits
 * @param history what is kept of the past
 * @param http empty for no endpoint
 * @param dumps when the last seconds are written by themselves
 * @param stacks what is asked for about stacks
 * @param budgetMillionths most CPU of the kernel programs, in millionths of one core
 * @param uploads where profiles are sent to
 * @param labels on every sample, in the order given
 * @param context what is asked for about traces, endpoints and labels of the application
 * @param logLevel what is logged
 * @param logFile empty: standard error
 * @param nativeDir empty: the JVM's temporary directory
 */
public record Options(
    String service,
    Optional<Path> out,
    long diskBytes,
    long windowNanos,
    int cpuHz,
    OffCpuOptions offCpu,
    HistoryOptions history,
    Optional<HttpOptions> http,
    DumpOptions dumps,
    StackOptions stacks,
    long budgetMillionths,
    UploadOptions uploads,
    Map<String, String> labels,
    ContextOptions context,
    LogLevel logLevel,
    Optional<Path> logFile,
    Optional<Path> nativeDir) {

  /** Highest rate that can be asked for. */
  public static final int CPU_HZ_MAX = 10_000;

  private static final Set<String> RATES = Set.of("cpuHz", "offCpu");

  /** How much is logged; each level includes those before it. */
  public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG
  }

  public Options {
    if (service.isEmpty()
        || diskBytes <= 0
        || windowNanos <= 0
        || cpuHz < 0
        || budgetMillionths <= 0) {
      throw new IllegalArgumentException("options out of range: " + service + " " + cpuHz);
    }
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels)); // keeps the order given
  }

  /**
   * Whether nothing but sampling rates is different, so that a running profiler can take the other
   * ones over without a break. The off-CPU side cannot be loaded later: it has to be on in both.
   */
  public boolean differsOnlyInRates(Options other) {
    if (offCpu.isOn() != other.offCpu.isOn()
        || offCpu.idle() != other.offCpu.idle()
        || offCpu.wakerNanos() != other.offCpu.wakerNanos()) {
      return false;
    }
    try {
      // By reflection, so that no option that comes later is forgotten here.
      for (RecordComponent component : Options.class.getRecordComponents()) {
        Method value = component.getAccessor();
        if (!RATES.contains(component.getName())
            && !value.invoke(this).equals(value.invoke(other))) {
          return false;
        }
      }
      return true;
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record's own accessor cannot be called", e);
    }
  }

  /** One line with every value, for the MBean and the log. */
  public String describe() {
    return "service="
        + service
        + ",out="
        + out.map(Path::toString).orElse("off")
        + ",disk="
        + OptionType.SIZE.format(diskBytes)
        + ",window="
        + OptionType.DURATION.format(windowNanos)
        + ",cpu="
        + cpuHz
        + ",offcpu="
        + OptionType.DURATION.format(offCpu.tickNanos())
        + (offCpu.isOn() ? offCpuDetails() : "")
        + ",history="
        + OptionType.DURATION.format(history.nanos())
        + ",history.size="
        + OptionType.SIZE.format(history.bytes())
        + http.map(endpoint -> ",http=" + endpoint).orElse("")
        + ",depth="
        + stacks.depth()
        + (stacks.virtualThreads() ? "" : ",vthread=false")
        + (stacks.carrier() ? ",carrier=true" : "")
        + (stacks.hidden() ? ",hidden=true" : "")
        + (stacks.tiers() ? ",tiers=true" : "")
        + ",budget="
        + OptionType.PERCENT.format(budgetMillionths)
        + ",instrument="
        + (context.instrument() ? "on" : "off")
        + ",rootspans="
        + context.rootSpans()
        + ",endpoints="
        + context.endpoints()
        + (context.share() ? ",context.share=true" : "")
        + uploads.describe()
        + ",log="
        + logLevel.name().toLowerCase(Locale.ROOT)
        + logFile.map(file -> ",log.file=" + file).orElse("")
        + nativeDir.map(dir -> ",native.dir=" + dir).orElse("");
  }

  private String offCpuDetails() {
    return ",offcpu.idle="
        + offCpu.idle()
        + ",offcpu.waker="
        + OptionType.DURATION.format(offCpu.wakerNanos())
        + (offCpu.wakerStack() ? ",offcpu.waker.stack=true" : "")
        + (offCpu.virtualThreads() ? "" : ",offcpu.vthreads=false");
  }
}
