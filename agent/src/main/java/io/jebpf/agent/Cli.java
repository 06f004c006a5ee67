package io.jebpf.agent;

import io.jebpf.agent.cli.Commands;
import java.util.List;

/** The command line: {@code java -jar jebpf.jar COMMAND}. Called by the entry class. */
public final class Cli {
  private Cli() {}

  /** Runs one command; standard output is ours here, unlike in the agent. */
  public static void main(String[] arguments) {
    int exit = new Commands(Version.get()).run(List.of(arguments), System.out, System.err);
    System.out.flush();
    if (exit != Commands.OK) {
      System.exit(exit);
    }
  }
}
