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
    try (Attacher attacher = Attacher.to(Long.parseLong(pid), OwnJar.path())) {
      attacher.send(Kind.HEATMAP, "");
      String answer = attacher.answer(ANSWER_MILLIS).orElse("the agent gave no answer");
      Optional<byte[]> page = attacher.file(PAGE);
      if (!answer.startsWith(AttachReply.OK) || page.isEmpty()) {
        return failed(err, answer.replaceFirst("^" + AttachReply.FAILED, ""));
      }
      Files.write(target, page.get());
      out.println(target);
      return Commands.OK;
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
    err.println("jebpf: heatmap failed: " + why);
    return Commands.FAILED;
  }
}
