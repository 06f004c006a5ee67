package io.jebpf.agent.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What this process can read of the machine, its container and itself. Every answer is of the
 * moment; an unreadable file is an empty one.
 *
 * @param root the file system's root; another one in tests
 */
record Machine(Path root) {
  private static final int CAP_SYS_ADMIN = 21;
  private static final int CAP_SYSLOG = 34;
  private static final int CAP_PERFMON = 38;
  private static final int CAP_BPF = 39;

  /** PROC_PID_INIT_INO of the kernel, the same since 3.8. */
  private static final String INITIAL_PID_NAMESPACE = "pid:[4026531836]";

  static Machine ours() {
    return new Machine(Path.of("/"));
  }

  /** First line of a file, stripped; empty when there is none. */
  String line(String path) {
    try (Stream<String> lines = Files.lines(root.resolve(path))) {
      return lines.findFirst().orElse("").strip();
    } catch (IOException | java.io.UncheckedIOException e) {
      return "";
    }
  }

  String kernel() {
    return line("proc/sys/kernel/osrelease");
  }

  /** Version as one number, 6.18 as 6018; 0 when it is not understood. */
  int kernelVersion() {
    String[] parts = kernel().split("[^0-9]+");
    if (parts.length < 2 || parts[0].isEmpty() || parts[1].isEmpty()) {
      return 0;
    }
    return Integer.parseInt(parts[0]) * 1000 + Integer.parseInt(parts[1]);
  }

  String setting(String name) {
    String value = line("proc/sys/kernel/" + name);
    return "kernel." + name + "=" + (value.isEmpty() ? "?" : value);
  }

  /** A field of /proc/self/status; empty when it is not there. */
  String status(String field) {
    try (Stream<String> lines = Files.lines(root.resolve("proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith(field + ":"))
          .map(line -> line.substring(field.length() + 1).strip())
          .findFirst()
          .orElse("");
    } catch (IOException | java.io.UncheckedIOException e) {
      return "";
    }
  }

  private boolean has(int capability) {
    try {
      return (Long.parseUnsignedLong(status("CapEff"), 16) >>> capability & 1) != 0;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  boolean hasBpf() {
    return has(CAP_BPF) || has(CAP_SYS_ADMIN);
  }

  boolean hasPerfmon() {
    return has(CAP_PERFMON) || has(CAP_SYS_ADMIN);
  }

  boolean hasSyslog() {
    return has(CAP_SYSLOG);
  }

  /** The initial one maps all users to themselves; only there do capabilities count for BPF. */
  boolean isInitialUserNamespace() {
    String map = line("proc/self/uid_map");
    return map.isEmpty() || map.matches("0\\s+0\\s+4294967295");
  }

  /** Whether it numbers processes in its own way, as containers do. */
  boolean isPidNamespace() {
    try {
      String namespace = Files.readSymbolicLink(root.resolve("proc/self/ns/pid")).toString();
      return !namespace.equals(INITIAL_PID_NAMESPACE);
    } catch (IOException e) {
      return false; // nobody says so
    }
  }

  boolean isSeccomp() {
    String mode = status("Seccomp");
    return !mode.isEmpty() && !mode.equals("0");
  }

  int uid() {
    return number(status("Uid"));
  }

  int gid() {
    return number(status("Gid"));
  }

  private static int number(String ids) {
    String first = ids.split("\\s+")[0];
    return first.matches("\\d{1,9}") ? Integer.parseInt(first) : 0;
  }

  /** The mount whose place is this path or the nearest above: its type and options. */
  String mount(String path) {
    String best = "";
    String options = "";
    for (String line : mounts()) {
      String[] fields = line.split(" ");
      boolean holds =
          fields.length > 5
              && (path.equals(fields[4])
                  || fields[4].equals("/")
                  || path.startsWith(fields[4] + "/"));
      if (holds && fields[4].length() >= best.length()) {
        best = fields[4];
        options = fields[5];
      }
    }
    return best.isEmpty() ? "" : best + " mounted " + options;
  }

  /** Where something is mounted at or below a path; the last one hides the others. */
  Optional<String> mountBelow(String path) {
    Optional<String> found = Optional.empty();
    for (String line : mounts()) {
      String[] fields = line.split(" ");
      if (fields.length > 4 && (fields[4].equals(path) || fields[4].startsWith(path + "/"))) {
        found = Optional.of(fields[4]);
      }
    }
    return found;
  }

  private java.util.List<String> mounts() {
    try {
      return Files.readAllLines(root.resolve("proc/self/mountinfo"));
    } catch (IOException e) {
      return java.util.List.of();
    }
  }

  boolean exists(String path) {
    return Files.exists(root.resolve(path));
  }

  boolean isContainer() {
    return exists(".dockerenv")
        || exists("run/.containerenv")
        || System.getenv("KUBERNETES_SERVICE_HOST") != null;
  }
}
