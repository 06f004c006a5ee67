package io.jebpf.agent.cli;

import io.jebpf.agent.attach.AttachException;
import io.jebpf.agent.attach.AttachReply;
import io.jebpf.agent.attach.AttachRequest.Kind;
import io.jebpf.agent.attach.Attacher;
import io.jebpf.agent.top.Top;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Command {@code top}: methods and threads of a JVM, second by second. Attaches the profiler for as
 * long as it looks, unless the JVM has it already.
 */
final class TopCommand implements Command {
  private static final int ANSWER_SECONDS = 75;

  /** Instead of a number of seconds: on the terminal, until its user leaves. */
  private static final int LIVE = -1;

  /** For one who only looks: nothing on disk, and a rate that shows something each second. */
  private static final String OPTIONS = "out=off,cpu=199,log=error";

  @Override
  public String name() {
    return "top";
  }

  @Override
  public String usage() {
    return "PID [-b] [-n SECONDS]";
  }

  @Override
  public String description() {
    return "shows hot methods, hot threads and what threads wait for, each second; -b: as plain"
        + " text";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    List<String> left = new ArrayList<>(arguments);
    boolean batch = left.remove("-b") || !Top.hasTerminal();
    int seconds = 0;
    int at = left.indexOf("-n");
    if (at >= 0 && at + 1 < left.size() && left.get(at + 1).matches("\\d{1,6}")) {
      seconds = Integer.parseInt(left.remove(at + 1));
      left.remove(at);
    }
    if (left.size() != 1 || !left.get(0).matches("\\d{1,10}")) {
      err.println("jebpf: usage: java -jar jebpf.jar top " + usage());
      return Commands.USAGE;
    }
    long pid = Long.parseLong(left.get(0));
    int lines = seconds;
    AttachWork attach = new AttachWork(name(), err);
    return attach.run(pid, attacher -> look(attacher, pid, batch ? lines : LIVE, attach, out));
  }

  private static int look(
      Attacher attacher, long pid, int seconds, AttachWork attach, PrintStream out)
      throws AttachException, IOException, InterruptedException {
    attacher.alive();
    attacher.send(Kind.TOP, OPTIONS);
    Optional<String> answer = Optional.empty();
    for (int i = 0; i < ANSWER_SECONDS && answer.isEmpty(); i++) {
      attacher.alive(); // also while the profiler starts, which may take a while under load
      answer = attacher.answer(1000);
    }
    if (answer.isEmpty() || !answer.get().startsWith(AttachReply.OK)) {
      return attach.refused(answer.orElse("the agent gave no answer"));
    }
    Top top = new Top(attacher, "process " + pid);
    String ended = seconds == LIVE ? top.live() : top.plain(out, seconds);
    return ended.isEmpty() ? Commands.OK : attach.failed(ended, "");
  }
}
