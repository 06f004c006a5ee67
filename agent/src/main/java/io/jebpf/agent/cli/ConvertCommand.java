package io.jebpf.agent.cli;

import io.jebpf.agent.convert.JfrProfile;
import io.jebpf.agent.pprof.ProfileDataWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Command {@code convert}: makes a pprof, as Parca and Pyroscope take it, of a flight recording.
 */
final class ConvertCommand implements Command {
  private static final String KIND = "--kind=";

  @Override
  public String name() {
    return "convert";
  }

  @Override
  public String usage() {
    return "[--kind=cpu|alloc|lock] REC.jfr OUT.pb.gz";
  }

  @Override
  public String description() {
    return "makes a pprof of a flight recording of the JDK or of async-profiler";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    JfrProfile.Kind kind = JfrProfile.Kind.CPU;
    List<Path> files = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.matches(KIND + "(cpu|alloc|lock)")) {
        String name = argument.substring(KIND.length());
        kind = JfrProfile.Kind.valueOf(name.toUpperCase(Locale.ROOT));
      } else if (!argument.startsWith("-")) {
        files.add(Path.of(argument));
      } else {
        files.clear();
        break;
      }
    }
    if (files.size() != 2) {
      err.println("jebpf: usage: java -jar jebpf.jar convert " + usage());
      return Commands.USAGE;
    }
    try {
      JfrProfile profile = JfrProfile.read(files.get(0), kind);
      try (OutputStream file = Files.newOutputStream(files.get(1))) {
        ProfileDataWriter.write(profile.data(), profile.periodType(), profile.period(), file);
      }
      out.println(files.get(1) + ": " + profile.data().samples().size() + " samples");
      return Commands.OK;
    } catch (IOException e) {
      err.println("jebpf: not converted: " + e.getMessage());
      return Commands.FAILED;
    }
  }
}
