package io.jebpf.agent.cli;

import io.jebpf.agent.attach.AttachException;
import io.jebpf.agent.attach.AttachReply;
import io.jebpf.agent.attach.AttachRequest.Kind;
import io.jebpf.agent.attach.Attacher;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Command {@code heatmap}: draws what the profiler in a JVM remembers of the last minutes. */
final class HeatMapCommand implements Command {
  private static final long ANSWER_MILLIS = 60_000;
  private static final String PAGE = "page.html";

  @Override
  public String name() {
    return "heatmap";
  }

  @Override
  public String usage() {
    return "PID [OUT.html]";
  }

  @Override
  public String description() {
    return "draws the last minutes of a JVM that has the profiler: which moment was bad, and its"
        + " flame graph";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    if (arguments.isEmpty() || arguments.size() > 2 || !arguments.get(0).matches("\\d{1,10}")) {
      err.println("jebpf: usage: java -jar jebpf.jar heatmap " + usage());
      return Commands.USAGE;
    }
    String pid = arguments.get(0);
    Path target = Path.of(arguments.size() == 2 ? arguments.get(1) : "heatmap-" + pid + ".html");
    AttachWork attach = new AttachWork(name(), err);
    return attach.run(Long.parseLong(pid), attacher -> draw(attacher, target, attach, out));
  }

  private static int draw(Attacher attacher, Path target, AttachWork attach, PrintStream out)
      throws AttachException, IOException, InterruptedException {
    attacher.send(Kind.HEATMAP, "");
    String answer = attacher.answer(ANSWER_MILLIS).orElse("the agent gave no answer");
    Optional<byte[]> page = attacher.file(PAGE);
    if (!answer.startsWith(AttachReply.OK) || page.isEmpty()) {
      return attach.refused(answer);
    }
    Files.write(target, page.get());
    out.println(target);
    return Commands.OK;
  }
}
