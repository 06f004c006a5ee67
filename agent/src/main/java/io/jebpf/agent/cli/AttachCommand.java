package io.jebpf.agent.cli;

import io.jebpf.agent.attach.AttachReply;
import io.jebpf.agent.attach.AttachRequest.Kind;
import io.jebpf.agent.attach.Attacher;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;

/**
 * Commands {@code attach} and {@code detach}: start, change or stop the profiler in a running JVM.
 */
record AttachCommand(String name, String usage, String description, Kind kind) implements Command {
  /** A little more than the agent itself takes for the slowest start or stop. */
  private static final long ANSWER_MILLIS = 75_000;

  static AttachCommand attach() {
    return new AttachCommand(
        "attach",
        "PID [key=value...]",
        "starts the profiler in a running JVM, or changes the options of one that has it",
        Kind.CHANGE);
  }

  static AttachCommand detach() {
    return new AttachCommand(
        "detach", "PID", "stops the profiler in a JVM and leaves nothing of it", Kind.DETACH);
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    boolean optionsAllowed = kind == Kind.CHANGE;
    if (arguments.isEmpty()
        || !arguments.get(0).matches("\\d{1,10}")
        || arguments.size() > 1 && !optionsAllowed) {
      err.println("jebpf: usage: java -jar jebpf.jar " + name + " " + usage);
      return Commands.USAGE;
    }
    long pid = Long.parseLong(arguments.get(0));
    String options = String.join(",", arguments.subList(1, arguments.size()));
    AttachWork attach = new AttachWork(name, err);
    return attach.run(
        pid,
        attacher -> {
          attacher.send(kind, options);
          return answer(attacher, attach, out);
        });
  }

  private static int answer(Attacher attacher, AttachWork attach, PrintStream out)
      throws IOException, InterruptedException {
    Optional<String> line = attacher.answer(ANSWER_MILLIS);
    if (line.isEmpty()) {
      return attach.failed("the agent gave no answer", "See the standard error of the JVM");
    }
    if (line.get().startsWith(AttachReply.OK)) {
      out.println("jebpf: " + line.get().substring(AttachReply.OK.length()));
      return Commands.OK;
    }
    return attach.refused(line.get());
  }
}
