package io.jebpf.agent.attach;

import com.sun.tools.attach.AgentInitializationException;
import com.sun.tools.attach.AgentLoadException;
import com.sun.tools.attach.AttachNotSupportedException;
import com.sun.tools.attach.VirtualMachine;
import java.io.IOException;
import java.net.ConnectException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Optional;

/**
 * Sends one request to the agent in another JVM, by the JDK's attach API, and receives its answer.
 * Loaded by commands only: the agent itself never needs the module jdk.attach. Owner: one thread.
 */
public final class Attacher implements AutoCloseable {
  /** The foreign function API is final from here on. */
  private static final int JAVA_NEEDED = 22;

  private final TargetProcess target;
  private final Path ownJar;
  private final SharedDirectory directory;

  private Attacher(TargetProcess target, Path ownJar, SharedDirectory directory) {
    this.target = target;
    this.ownJar = ownJar;
    this.directory = directory;
  }

  /**
   * Prepares the way to a process and back.
   *
   * @param jar our own
   */
  public static Attacher to(long pid, Path jar) throws AttachException {
    TargetProcess target = TargetProcess.of(pid);
    return new Attacher(target, jar, SharedDirectory.in(target));
  }

  /** Sends the request; see {@link #answer}. */
  public void send(AttachRequest.Kind kind, String options) throws AttachException {
    String argument = AttachRequest.CHANNEL + "=" + directory.there();
    argument += kind.word().isEmpty() ? "" : "," + kind.word();
    argument += options.isEmpty() ? "" : "," + options;
    VirtualMachine machine = machine();
    try {
      requireVersion(machine);
      machine.loadAgent(jarForTarget().toString(), argument);
    } catch (AgentLoadException e) {
      throw new AttachException(
          "the JVM refuses agents: " + e.getMessage(),
          "It was started with -XX:-EnableDynamicAgentLoading; start it with"
              + " -javaagent:jebpf.jar instead");
    } catch (AgentInitializationException e) {
      throw new AttachException("the agent did not start in the JVM: " + e.getMessage(), "");
    } catch (IOException e) {
      throw new AttachException(
          "the JVM did not take the agent: " + e.getMessage(),
          target.sharesFiles() ? "" : "Does the container have a writable /tmp?");
    } finally {
      detach(machine);
    }
  }

  /** The agent's answer to the request; empty when there is none in time. */
  public Optional<String> answer(long millis) throws IOException, InterruptedException {
    return directory.await(AttachReply.ANSWER, millis);
  }

  /** Tells the agent that somebody is still there to read. */
  public void alive() throws IOException {
    Path file = directory.here(AttachReply.ALIVE);
    if (Files.exists(file)) {
      Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
    } else {
      Files.createFile(file);
    }
  }

  /** Content of a file that the agent has put; empty before the first. */
  public Optional<byte[]> file(String name) throws IOException {
    Path file = directory.here(name);
    return Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty();
  }

  /** Whether the JVM lives. */
  public boolean isTargetAlive() {
    return target.isAlive();
  }

  private VirtualMachine machine() throws AttachException {
    String pid = Long.toString(target.pid());
    try {
      try {
        return VirtualMachine.attach(pid);
      } catch (IOException e) {
        if (!removedStaleSocket()) {
          throw e;
        }
        return VirtualMachine.attach(pid);
      }
    } catch (AttachNotSupportedException e) {
      throw new AttachException(
          "the JVM " + target.pid() + " does not answer: " + e.getMessage(),
          "Is it stopped, or started with -XX:+DisableAttachMechanism? Then start it with"
              + " -javaagent:jebpf.jar");
    } catch (IOException e) {
      throw new AttachException(
          "the JVM " + target.pid() + " cannot be reached: " + e.getMessage(),
          target.isOwn() ? "" : "Run this command as the JVM's own user");
    }
  }

  /** Whether there was the socket of a JVM that had this number before and was killed. */
  private boolean removedStaleSocket() throws IOException {
    Path socket = target.attachSocket();
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      return false;
    } catch (ConnectException e) { // nobody listens
      return Files.deleteIfExists(socket);
    }
  }

  private static void requireVersion(VirtualMachine machine) throws IOException, AttachException {
    String version = machine.getSystemProperties().getProperty("java.specification.version", "0");
    String number = version.startsWith("1.") ? version.substring(2) : version;
    if (!number.matches("\\d{1,3}") || Integer.parseInt(number) < JAVA_NEEDED) {
      throw new AttachException(
          "this JVM is Java " + version + ", and the agent needs " + JAVA_NEEDED + " or newer", "");
    }
  }

  /**
   * Our own jar where the JVM can read it, else a copy that goes when we end: the JVM keeps the
   * file open that it has loaded classes from.
   */
  private Path jarForTarget() throws IOException {
    boolean readable = target.sharesFiles() && (target.isOwn() || isReadableForAll(ownJar));
    return readable ? ownJar : directory.copy(ownJar, "jebpf.jar");
  }

  private static boolean isReadableForAll(Path file) throws IOException {
    if ((mode(file) & 04) == 0) {
      return false;
    }
    for (Path at = file.getParent(); at != null; at = at.getParent()) {
      if ((mode(at) & 01) == 0) {
        return false;
      }
    }
    return true;
  }

  private static int mode(Path file) throws IOException {
    return (int) Files.getAttribute(file, "unix:mode");
  }

  private static void detach(VirtualMachine machine) {
    try {
      machine.detach();
    } catch (IOException e) {
      return; // it has ended
    }
  }

  @Override
  public void close() {
    directory.close();
  }
}
