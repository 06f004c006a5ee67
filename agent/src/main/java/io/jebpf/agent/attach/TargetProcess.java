package io.jebpf.agent.attach;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A process to attach to, as {@code /proc} shows it to us: whose it is, and whether it sees the
 * same files as we do. Read before anything is sent: the JDK's attach begins with a SIGQUIT, which
 * ends a process that is no JVM.
 *
 * @param pid as we number it
 * @param uid owner, as we number users
 * @param gid group
 * @param root its root directory as we reach it; {@code /} when it is ours
 */
public record TargetProcess(long pid, int uid, int gid, Path root) {
  private static final Path PROC = Path.of("/proc");
  private static final Path OWN_ROOT = Path.of("/");

  /**
   * Looks at a process.
   *
   * @throws AttachException when it cannot be attached to, with what to do
   */
  public static TargetProcess of(long pid) throws AttachException {
    Path process = PROC.resolve(Long.toString(pid));
    if (!Files.isDirectory(process)) {
      throw new AttachException(
          "there is no process " + pid, "Find the JVM with: jcmd -l, or pgrep -a java");
    }
    try {
      int uid = (int) Files.getAttribute(process, "unix:uid");
      int gid = (int) Files.getAttribute(process, "unix:gid");
      requireJvm(pid, process, uid);
      return new TargetProcess(pid, uid, gid, root(process));
    } catch (NoSuchFileException e) {
      throw new AttachException("process " + pid + " has ended", "");
    } catch (AccessDeniedException e) {
      throw otherUser(pid, owner(process));
    } catch (IOException e) {
      throw new AttachException("process " + pid + " cannot be looked at: " + e, "Mount /proc");
    }
  }

  /** Whether it may be another user's than ours. */
  public boolean isOwn() {
    return uid == ownUid();
  }

  public boolean isAlive() {
    return Files.isDirectory(PROC.resolve(Long.toString(pid)));
  }

  /** Whether paths mean the same files there and here. */
  public boolean sharesFiles() {
    return root.equals(OWN_ROOT);
  }

  private static void requireJvm(long pid, Path process, int uid)
      throws IOException, AttachException {
    try (Stream<String> lines = Files.lines(process.resolve("maps"))) {
      if (lines.noneMatch(line -> line.contains("libjvm.so"))) {
        throw new AttachException(
            "process " + pid + " is no HotSpot JVM (no libjvm.so is mapped)",
            "Find the JVM with: jcmd -l, or pgrep -a java");
      }
    } catch (java.io.UncheckedIOException e) {
      throw e.getCause();
    }
    int own = ownUid();
    if (uid != own && own != 0) {
      throw otherUser(pid, owner(process));
    }
  }

  private static AttachException otherUser(long pid, String owner) {
    if (ownUid() == 0) {
      return new AttachException(
          "process " + pid + " may not be looked into, not even by this root",
          "Grant CAP_SYS_PTRACE");
    }
    return new AttachException(
        "process "
            + pid
            + " belongs to "
            + owner
            + ", and a JVM lets in its own user and root only",
        "Run this command as root, or with: sudo -u " + owner);
  }

  private static String owner(Path process) {
    try {
      return Files.getOwner(process).getName();
    } catch (IOException e) {
      return "another user";
    }
  }

  /** Our own, when mounts and root directory are the same. */
  private static Path root(Path process) throws IOException {
    boolean sameMounts =
        Files.readSymbolicLink(process.resolve("ns/mnt"))
            .equals(Files.readSymbolicLink(PROC.resolve("self/ns/mnt")));
    Path root = Files.readSymbolicLink(process.resolve("root"));
    Path ownRoot = Files.readSymbolicLink(PROC.resolve("self/root"));
    return sameMounts && root.equals(ownRoot) ? OWN_ROOT : process.resolve("root");
  }

  private static int ownUid() {
    try {
      return (int) Files.getAttribute(PROC.resolve("self"), "unix:uid");
    } catch (IOException e) {
      return -1; // nobody's
    }
  }

  /**
   * The socket at which a JVM listens for the JDK's attach, named by the number that it has itself.
   */
  Path attachSocket() throws IOException {
    try (Stream<String> lines = Files.lines(PROC.resolve(pid + "/status"))) {
      String own =
          lines
              .filter(line -> line.startsWith("NSpid:"))
              .findFirst()
              .map(line -> line.replaceFirst(".*\\s", ""))
              .orElse(Long.toString(pid));
      return here(Path.of("/tmp/.java_pid" + own));
    }
  }

  /** Directories, as the process names them, in which a file for it may be put; best first. */
  List<Path> directories() {
    return Stream.of("/tmp", "/dev/shm", "/var/tmp", "/run").map(Path::of).toList();
  }

  /** A path of the process as we reach it. */
  Path here(Path there) {
    return sharesFiles() ? there : root.resolve(OWN_ROOT.relativize(there));
  }
}
