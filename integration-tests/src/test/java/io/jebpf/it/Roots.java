package io.jebpf.it;

import java.util.regex.Pattern;

/** Functions in which threads begin: the outermost frame of a whole stack is one of these. */
final class Roots {
  // The kernel's frames alone are a whole stack for a thread that is just being made or has just
  // left user space.
  private static final Pattern FIRST =
      Pattern.compile(
          "_*(clone3?|start_thread|_start|libc_start_main.*|libc_start_call_main|ret_from_fork.*|entry_SYSCALL_64.*)(@.*)?");

  private Roots() {}

  static boolean isRoot(String function) {
    return FIRST.matcher(function).matches();
  }
}
