package io.jebpf.agent.cli;

import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.pprof.ProfileSummary;
import io.jebpf.agent.pprof.WaitSummary;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Command {@code summary}: adds profiles up and prints what they found. */
final class Summary implements Command {
  @Override
  public String name() {
    return "summary";
  }

  @Override
  public String usage() {
    return "FILE|DIRECTORY...";
  }

  @Override
  public String description() {
    return "adds up profiles: losses, where CPU time went, what threads waited for";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    if (arguments.isEmpty()) {
      err.println("jebpf: name the profiles: java -jar jebpf.jar summary " + usage());
      return Commands.USAGE;
    }
    ProfileSummary running = new ProfileSummary();
    WaitSummary waiting = new WaitSummary();
    for (String argument : arguments) {
      try {
        for (Path file : files(Path.of(argument))) {
          add(file, running, waiting);
        }
      } catch (IOException | IllegalArgumentException | IndexOutOfBoundsException e) {
        err.println("jebpf: " + argument + " is no readable profile: " + e);
        return Commands.FAILED;
      }
    }
    if (!running.isEmpty() || waiting.isEmpty()) {
      out.print(running.text());
    }
    if (!waiting.isEmpty()) {
      out.println();
      out.print(waiting.text());
    }
    return Commands.OK;
  }

  /** Profiles {@code wall} are left out: they say the same as the other two together. */
  private static void add(Path file, ProfileSummary running, WaitSummary waiting)
      throws IOException {
    String name = file.getFileName().toString();
    if (name.startsWith(ProfileKind.OFFCPU.fileName() + "-")) {
      waiting.add(file);
    } else if (!name.startsWith(ProfileKind.WALL.fileName() + "-")) {
      running.add(file);
    }
  }

  private static List<Path> files(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, "*-*.pb.gz")) {
      found.forEach(files::add);
    }
    files.sort(null);
    return files;
  }
}
