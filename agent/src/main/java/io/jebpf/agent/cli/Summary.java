package io.jebpf.agent.cli;

import io.jebpf.agent.pprof.ProfileSummary;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
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
    return "adds up profiles: samples, losses, the functions with most CPU time";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    if (arguments.isEmpty()) {
      err.println("jebpf: name the profiles: java -jar jebpf.jar summary " + usage());
      return Commands.USAGE;
    }
    ProfileSummary summary = new ProfileSummary();
    for (String argument : arguments) {
      try {
        for (Path file : files(Path.of(argument))) {
          summary.add(file);
        }
      } catch (IOException | InvalidPathException | IndexOutOfBoundsException e) {
        err.println("jebpf: " + argument + " is no readable profile: " + e);
        return Commands.FAILED;
      }
    }
    out.print(summary.text());
    return Commands.OK;
  }

  private static List<Path> files(Path path) throws IOException {
    if (!Files.isDirectory(path)) {
      return List.of(path);
    }
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(path, "cpu-*.pb.gz")) {
      found.forEach(files::add);
    }
    files.sort(null);
    return files;
  }
}
