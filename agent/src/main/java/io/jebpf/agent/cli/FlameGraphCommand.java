package io.jebpf.agent.cli;

import io.jebpf.agent.picture.FlameGraphs;
import io.jebpf.agent.pprof.ProfileData;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Command {@code flamegraph}: draws profiles, or what changed between two, as an HTML page. */
final class FlameGraphCommand implements Command {
  private static final String OUT = "--out=";
  private static final String DIFF = "--diff=";

  @Override
  public String name() {
    return "flamegraph";
  }

  @Override
  public String usage() {
    return "[--diff=BEFORE.pb.gz] [--out=PAGE.html] FILE.pb.gz...";
  }

  @Override
  public String description() {
    return "draws a profile, or several of one kind added up, as an HTML page; with --diff what"
        + " changed since another one";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    List<Path> files = new ArrayList<>();
    Optional<Path> before = Optional.empty();
    Optional<Path> page = Optional.empty();
    for (String argument : arguments) {
      if (argument.startsWith(OUT)) {
        page = Optional.of(Path.of(argument.substring(OUT.length())));
      } else if (argument.startsWith(DIFF)) {
        before = Optional.of(Path.of(argument.substring(DIFF.length())));
      } else if (argument.startsWith("-")) {
        files.clear();
        break;
      } else {
        files.add(Path.of(argument));
      }
    }
    if (files.isEmpty()) {
      err.println("jebpf: name the profile: java -jar jebpf.jar flamegraph " + usage());
      return Commands.USAGE;
    }
    try {
      Path target = page.orElseGet(() -> Path.of(files.get(0) + ".html"));
      Files.writeString(target, draw(files, before));
      out.println(target);
      return Commands.OK;
    } catch (IOException | IllegalArgumentException e) {
      err.println("jebpf: no flame graph: " + e.getMessage());
      return Commands.FAILED;
    }
  }

  private static String draw(List<Path> files, Optional<Path> before) throws IOException {
    ProfileData profile = read(files.get(0));
    for (Path more : files.subList(1, files.size())) {
      profile = profile.plus(read(more));
    }
    String name = files.get(0).getFileName() + (files.size() > 1 ? " and more" : "");
    return before.isEmpty()
        ? FlameGraphs.html(profile, name)
        : FlameGraphs.difference(
            read(before.get()), profile, before.get().getFileName() + " → " + name);
  }

  private static ProfileData read(Path file) throws IOException {
    try {
      return ProfileData.read(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new IOException(file + ": " + e.getMessage(), e);
    }
  }
}
