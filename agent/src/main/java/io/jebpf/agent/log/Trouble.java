package io.jebpf.agent.log;

/**
 * Every kind of failure a user can be told about. The title is the start of the log line and a
 * heading of docs/troubleshooting.md (a test checks that); the hint is the least the user is told
 * to do, used where the failure itself brings no better advice.
 */
public enum Trouble {
  OPTION("the profiler stays off because of an option", "See docs/options.md"),
  NATIVE_LIBRARIES(
      "the native libraries could not be loaded",
      "Name a directory with 2 MB of free space and without noexec in the option native.dir"),
  NO_BTF(
      "this kernel has no BTF type information",
      "Use a kernel with CONFIG_DEBUG_INFO_BTF=y (Linux 6.1 or newer of any large distribution)"),
  RIGHTS(
      "this process may not load programs into the kernel",
      "Grant CAP_BPF and CAP_PERFMON, or run as root; in a container also allow the calls bpf and"
          + " perf_event_open in its seccomp profile"),
  KERNEL_REFUSED(
      "the kernel refused the profiler's programs",
      "Run 'java -jar jebpf.jar doctor' on this machine; it says what the kernel lacks"),
  PERF_EVENTS(
      "the CPU clock events could not be opened",
      "Grant CAP_PERFMON, or allow perf_event_open in the seccomp profile of the container"),
  PROCESS_MEMORY(
      "this process's own memory could not be read",
      "Allow process_vm_readv in the seccomp profile of the container"),
  JVM_STRUCTURES(
      "the JVM's structures are not understood",
      "Java frames have no names in the profiles; use a HotSpot JVM of version 22 or newer"),
  NATIVE_TABLES(
      "native stacks of some files cannot be walked",
      "Stacks through them end in a marker frame; the files need .eh_frame"),
  KERNEL_SYMBOLS(
      "kernel functions have no names", "Set kernel.kptr_restrict to 0 or 1 and grant CAP_SYSLOG"),
  OUT_DIRECTORY(
      "the directory for profiles cannot be used", "Name a writable directory in the option out"),
  PROFILE_WRITE(
      "a profile could not be written",
      "Free some space or name another directory in the option out; the next window is tried"
          + " again"),
  DUMP_TRIGGER(
      "a trigger of dumps does not work in this JVM",
      "The other triggers do; the count of OutOfMemoryErrors needs a libjvm.so with symbols, as"
          + " most vendors' JDKs have it"),
  SPOOL(
      "the spool of profiles for the servers cannot be written",
      "Profiles wait in memory, 4 MB at most; free some space or name another directory in the"
          + " option spool"),
  UPLOAD(
      "profiles cannot be sent", "They wait in the spool and are sent when the server takes them"),
  UPLOAD_DENIED(
      "the server does not let us in",
      "Profiles wait in the spool; check the server's URL and the options for user, password, token"
          + " and certificates"),
  UPLOAD_REFUSED(
      "the server refused a profile",
      "It is not sent again; the server's words say why, and its limits may be set higher"),
  UPLOAD_POISON(
      "a profile was set aside because the server fails on it",
      "Please report this with the file; other profiles are sent"),
  UPLOAD_TOO_OLD(
      "profiles waited too long for the server to take them",
      "They are still in the directory out; set the server's reject-older-than and the option"
          + " pyroscope.age higher"),
  SENDER("the sender of profiles failed", "Please report this with the log; it is tried again"),
  LOG_FILE("the log file cannot be written", "Name a writable file in the option log.file"),
  SAMPLES_LOST(
      "samples were lost",
      "Lower the option cpu or raise the option offcpu; the profiles say how many were lost and"
          + " why"),
  BUDGET(
      "the sampling rate was lowered to stay in the budget",
      "Lower the option cpu, or raise the option budget"),
  FRAME_NAME(
      "a frame could not be named because of an error in the profiler",
      "It is in the profile as an unknown frame; please report this with the log"),
  OFF_CPU(
      "waits are not accounted for",
      "CPU profiles are not affected; waits need Linux 6.2 and BTF, see 'java -jar jebpf.jar"
          + " doctor'"),
  PARKS(
      "parks of virtual threads are not seen",
      "Everything else is; set offcpu.vthreads=false to leave them out without this line"),
  MONITORS(
      "virtual threads at monitors are not seen",
      "Parks of virtual threads and everything else are; please report this line with the version"
          + " of the JVM"),
  UNPARKS(
      "virtual threads that wait for a carrier are not told from parked ones",
      "Parks of virtual threads and everything else are seen; please report this line with the"
          + " version of the JVM"),
  OFF_CPU_BUDGET(
      "the off-CPU interval was raised to stay in the budget",
      "Raise the option offcpu or the option budget"),
  SWITCHES(
      "context switches alone take more than the budget",
      "Raise the option budget, or set offcpu=0"),
  INSTRUMENTATION(
      "a class could not be instrumented",
      "Samples of its threads carry no trace ids or endpoints; everything else works. Set"
          + " instrument=off to leave all classes alone"),
  CONTEXT_SHARE(
      "contexts cannot be shared with other profilers",
      "Our own profiles have them all the same; set context.share=false to do without"),
  READER("the sample reader failed and was stopped", "Please report this with the log"),
  READER_MEMORY(
      "the heap had no room for the profiler",
      "The application's heap is full; sampling goes on, MBean and /metrics count what was lost"),
  WRITER("the profile writer failed", "Please report this with the log; the next window is tried"),
  STOP_DEADLINE(
      "the last profile may be incomplete",
      "The JVM ended before the writer did; is the directory on a slow disk?"),
  HTTP(
      "the HTTP endpoint could not be opened",
      "Name another port in the option http; everything else goes on without it"),
  MBEAN("the MBean could not be registered", "Profiles are written all the same");

  private final String title;
  private final String hint;

  Trouble(String title, String hint) {
    this.title = title;
    this.hint = hint;
  }

  public String title() {
    return title;
  }

  public String hint() {
    return hint;
  }
}
