package io.jebpf.bpf;

/**
 * Names of Linux error numbers (asm-generic/errno-base.h and errno.h, the same on x86-64 and
 * arm64).
 */
final class Errno {
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EIO = 5;
  static final int E2BIG = 7;
  static final int ENOMEM = 12;
  static final int EACCES = 13;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int EMFILE = 24;
  static final int ENOSPC = 28;
  static final int ENOSYS = 38;
  static final int EOPNOTSUPP = 95;

  private static final String[] BASE = {
    "0",
    "EPERM",
    "ENOENT",
    "ESRCH",
    "EINTR",
    "EIO",
    "ENXIO",
    "E2BIG",
    "ENOEXEC",
    "EBADF",
    "ECHILD",
    "EAGAIN",
    "ENOMEM",
    "EACCES",
    "EFAULT",
    "ENOTBLK",
    "EBUSY",
    "EEXIST",
    "EXDEV",
    "ENODEV",
    "ENOTDIR",
    "EISDIR",
    "EINVAL",
    "ENFILE",
    "EMFILE",
    "ENOTTY",
    "ETXTBSY",
    "EFBIG",
    "ENOSPC",
    "ESPIPE",
    "EROFS",
    "EMLINK",
    "EPIPE",
    "EDOM",
    "ERANGE",
    "EDEADLK",
    "ENAMETOOLONG",
    "ENOLCK",
    "ENOSYS",
    "ENOTEMPTY",
    "ELOOP",
  };

  private Errno() {}

  /** "EPERM (1)"; a number without a name here gives "errno 123". */
  static String text(int errno) {
    if (errno > 0 && errno < BASE.length) {
      return BASE[errno] + " (" + errno + ")";
    }
    return switch (errno) {
      case 61 -> "ENODATA (61)";
      case 75 -> "EOVERFLOW (75)";
      case 95 -> "EOPNOTSUPP (95)";
      case 105 -> "ENOBUFS (105)";
      case 110 -> "ETIMEDOUT (110)";
      case 524 -> "ENOTSUPP (524)";
      case 4003 -> "libbpf: object file is corrupt (4003)";
      default -> "errno " + errno;
    };
  }
}
