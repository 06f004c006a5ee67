package io.jebpf.agent.cli;

import java.io.PrintStream;
import java.util.List;

/** One command of {@code java -jar jebpf.jar}. */
interface Command {
  String name();

  /** What follows the name, for the usage text; empty when nothing does. */
  String usage();

  String description();

  /** Runs it; the result is the exit code of the process. */
  int run(List<String> arguments, PrintStream out, PrintStream err);
}
