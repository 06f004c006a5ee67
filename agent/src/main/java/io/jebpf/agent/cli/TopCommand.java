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
    try (Attacher attacher = Attacher.to(Long.parseLong(left.get(0)), OwnJar.path())) {
      attacher.alive();
      attacher.send(Kind.TOP, OPTIONS);
      Optional<String> answer = Optional.empty();
      for (int i = 0; i < ANSWER_SECONDS && answer.isEmpty(); i++) {
        attacher.alive(); // also while the profiler starts, which may take a while under load
        answer = attacher.answer(1000);
      }
      if (answer.isEmpty() || !answer.get().startsWith(AttachReply.OK)) {
        return failed(
            err,
            answer.orElse("the agent gave no answer").replaceFirst("^" + AttachReply.FAILED, ""));
      }
      Top top = new Top(attacher, "process " + left.get(0));
      String ended = batch ? top.plain(out, seconds) : top.live();
      return ended.isEmpty() ? Commands.OK : failed(err, ended);
    } catch (AttachException e) {
      return failed(
          err, e.getMessage() + (e.advice().isEmpty() ? "" : ". Hint: " + e.advice() + "."));
    } catch (NoClassDefFoundError e) {
      return failed(err, "this Java has no module jdk.attach");
    } catch (IOException e) {
      return failed(err, e.toString());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Commands.FAILED;
    }
  }

  private static int failed(PrintStream err, String why) {
    err.println("jebpf: top failed: " + why);
    return Commands.FAILED;
  }
}
