package io.jebpf.agent.jmx;

import io.jebpf.agent.engine.Lack;
import java.util.Map;

/**
 * The profiler as a JMX console sees it: {@code io.jebpf:type=Profiler}. Totals grow from the
 * agent's start and are brought up to date about once a second.
 */
@Described("CPU and off-CPU profiler of this JVM, from the kernel")
public interface ProfilerMXBean extends OnDemandOperations {
  @Described("STARTING, RUNNING, PAUSED, STOPPED, or OFF with the reason")
  String getState();

  @Described("Version of the agent")
  String getVersion();

  @Described("Options in use, as key=value,key=value")
  String getOptions();

  @Described(
      "What this run has to do without, and why: PROCESS_MEMORY, JAVA_FRAMES, KERNEL_SYMBOLS,"
          + " WAITS, VIRTUAL_PARKS, VIRTUAL_MONITORS, VIRTUAL_QUEUES, TRACE_IDS")
  Map<Lack.Ability, String> getMissing();

  @Described("Dumps of the last seconds that triggers have written")
  long getDumpsWritten();

  @Described("Dumps that were not written: one was under way, or there were enough for an hour")
  long getDumpsSkipped();

  @Described("Address of the HTTP endpoint; empty when there is none")
  String getHttpAddress();

  @Described("Share of a second's samples whose loss sends a notification, 0 to 1. Can be set")
  double getLossThreshold();

  void setLossThreshold(double share);

  @Described(
      "Samples per second and CPU that are asked for. Can be set; 0 pauses sampling, which then"
          + " costs nothing")
  int getCpuHz();

  void setCpuHz(int hz);

  @Described("Rate in use: below CpuHz while the budget makes it so")
  int getCpuHzNow();

  @Described("Times the budget or a request changed the rate")
  long getRateChanges();

  @Described("Samples that arrived")
  long getSamplesTaken();

  @Described("Samples that were lost, by reason")
  Map<String, Long> getSamplesLost();

  @Described(
      "OutOfMemoryErrors in the agent's own threads. Each costs what was sampled since the last"
          + " window's end, or one window's profiles; sampling goes on")
  long getAgentMemoryErrors();

  @Described("Samples that arrived and lost their stack, because a window was full")
  long getSamplesWithoutStack();

  @Described(
      "Walked stacks: whole ones, then all by the reason they ended, and those with a gap by"
          + " reason")
  Map<String, Long> getWalksByEnd();

  @Described("The same of the stacks of waits")
  Map<String, Long> getWaitWalksByEnd();

  @Described("Kernel stacks that could not be read")
  long getKernelStacksMissing();

  @Described("Frames of code in all samples")
  long getFrames();

  @Described("Frames among them that have no name")
  long getFramesUnresolved();

  @Described("CPU time that the samples stand for, lost ones included, in nanoseconds")
  long getSampledNanos();

  @Described("CPU time of the kernel programs, in nanoseconds")
  long getKernelNanos();

  @Described("CPU time of the agent's own threads, in nanoseconds")
  long getAgentCpuNanos();

  @Described("Profiles written")
  long getFilesWritten();

  @Described("Bytes of the profiles written")
  long getBytesWritten();

  @Described("Profiles removed to stay within the option disk")
  long getFilesRotated();

  @Described(
      "Samples of waits in these that went into others like them, because too many had ids of"
          + " spans; times and stacks stay exact")
  long getSpanSamplesMerged();

  @Described("Profiles that could not be written")
  long getFilesFailed();

  @Described(
      "Profiles sent to servers, waiting, and dropped by reason, each with the server's name in"
          + " front; bytes that wait on disk")
  Map<String, Long> getUploads();

  @Described("Windows that were longer than asked for, because the writer was busy")
  long getWindowsExtended();

  @Described(
      "Interval in milliseconds at which stacks of waiting threads are taken. Can be set where the"
          + " option offcpu is not 0; 0 takes none")
  double getOffCpuTickMillis();

  void setOffCpuTickMillis(double millis);

  @Described("Interval in use: above OffCpuTickMillis while the budget makes it so; 0 for none")
  double getOffCpuTickMillisNow();

  @Described("Waits whose stack was taken")
  long getWaitsMet();

  @Described("Waits whose stack was taken and that go on")
  long getWaitsOpen();

  @Described("Waits or ends of waits that were lost")
  long getWaitsLost();

  @Described("Times a thread left its CPU, as of the last window's end")
  long getContextSwitches();

  @Described("Exact time of all threads by state in nanoseconds, as of the last window's end")
  Map<String, Long> getExactNanos();

  @Described("Estimated time off CPU by state in nanoseconds, and of it that of idle threads")
  Map<String, Long> getEstimatedNanos();

  @Described("State of the JVM flag DebugNonSafepoints, which makes inlined frames exact")
  String getDebugNonSafepoints();
}
