package io.jebpf.bpf;

/**
 * Something the kernel refused. The message is one line: what failed with its values, the error's
 * name and number, and what to do. The verifier's log, when there is one, is kept apart.
 */
public final class KernelException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String what;
  private final int errno;
  private final String advice;
  private final String log;

  KernelException(String what, int errno, String advice, String log) {
    super(message(what, errno, advice));
    this.what = what;
    this.errno = errno;
    this.advice = advice;
    this.log = log;
  }

  KernelException(String what, int errno, String advice) {
    this(what, errno, advice, "");
  }

  private static String message(String what, int errno, String advice) {
    String head = errno == 0 ? what : what + " failed: " + Errno.text(errno);
    return advice.isEmpty() ? head : head + "; " + advice;
  }

  /** The call that failed, with its values, like {@code perf_event_open(cpu=3)}. */
  public String what() {
    return what;
  }

  /** The kernel's error number; 0 when the cause is not a system call. */
  public int errno() {
    return errno;
  }

  /**
   * Whether rights would help. EACCES with a log is not that: so the verifier refuses a program.
   */
  public boolean missingRights() {
    return errno == Errno.EPERM || errno == Errno.EACCES && log.isEmpty();
  }

  /** What to do about it; may be empty. */
  public String advice() {
    return advice;
  }

  /** The end of what libbpf and the verifier said, several lines; empty when they said nothing. */
  public String log() {
    return log;
  }
}
