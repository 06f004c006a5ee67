package io.jebpf.agent.cli;

import io.jebpf.agent.attach.AttachException;
import io.jebpf.agent.attach.AttachReply;
import io.jebpf.agent.attach.Attacher;
import java.io.IOException;
import java.io.PrintStream;

/** What the commands that attach to a JVM have in common: how they fail. */
final class AttachWork {
  private final String command;
  private final PrintStream err;

  /** The work itself; returns an exit code. */
  interface Work {
    int with(Attacher attacher) throws AttachException, IOException, InterruptedException;
  }

  AttachWork(String command, PrintStream err) {
    this.command = command;
    this.err = err;
  }

  /** Attaches, does the work, and turns every failure into one line. */
  int run(long pid, Work work) {
    try (Attacher attacher = Attacher.to(pid, OwnJar.path())) {
      return work.with(attacher);
    } catch (AttachException e) {
      return failed(e.getMessage(), e.advice());
    } catch (NoClassDefFoundError e) {
      return failed(
          "this Java has no module jdk.attach",
          "Run the command with the java of a JDK 22 or newer");
    } catch (IOException e) {
      return failed(e.toString(), "");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Commands.FAILED;
    }
  }

  /** The agent said no. */
  int refused(String answer) {
    return failed(answer.replaceFirst("^" + AttachReply.FAILED, ""), "");
  }

  int failed(String why, String advice) {
    err.println(
        "jebpf: "
            + command
            + " failed: "
            + why
            + (advice.isEmpty() ? "" : ". Hint: " + advice + "."));
    return Commands.FAILED;
  }
}
