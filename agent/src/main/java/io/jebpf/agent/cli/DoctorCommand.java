package io.jebpf.agent.cli;

import io.jebpf.agent.doctor.Doctor;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** Command {@code doctor}. Its exit codes are those of {@link Doctor}. */
record DoctorCommand(String version) implements Command {
  private static final String JSON = "--json";

  @Override
  public String name() {
    return "doctor";
  }

  @Override
  public String usage() {
    return "[--json] [key=value...]";
  }

  @Override
  public String description() {
    return "says what this machine, container and user allow, what is missing and how to get it;"
        + " exit code 0 for all, 3 for less, 1 for nothing";
  }

  @Override
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    List<String> options = new ArrayList<>(arguments);
    boolean json = options.remove(JSON);
    for (String option : options) {
      if (!option.contains("=")) {
        err.println("jebpf: usage: java -jar jebpf.jar doctor " + usage());
        return Commands.USAGE;
      }
    }
    return Doctor.run(version, String.join(",", options), json, out);
  }
}
