package io.jebpf.agent.cli;

import io.jebpf.agent.options.OptionsPage;
import java.io.PrintStream;
import java.util.List;
import java.util.function.ToIntFunction;

/** The commands that exist, and the choice among them. */
public final class Commands {
  public static final int OK = 0;
  public static final int FAILED = 1;
  public static final int USAGE = 2;

  private final String version;
  private final List<Command> commands;

  /** {@code version} of the agent, for the command of that name. */
  public Commands(String version) {
    this.version = version;
    this.commands =
        List.of(
            new DoctorCommand(version),
            AttachCommand.attach(),
            AttachCommand.detach(),
            new TopCommand(),
            new HeatMapCommand(),
            new Summary(),
            new FlameGraphCommand(),
            new ConvertCommand(),
            new Printing("options", "lists the options of the agent", Commands::options),
            new Printing("version", "prints the version", this::version));
  }

  /** Runs one command; the result is the exit code of the process. */
  public int run(List<String> arguments, PrintStream out, PrintStream err) {
    if (arguments.isEmpty() || arguments.get(0).matches("-h|--help|help")) {
      out.print(usage());
      return OK;
    }
    for (Command command : commands) {
      if (command.name().equals(arguments.get(0))) {
        return command.run(arguments.subList(1, arguments.size()), out, err);
      }
    }
    err.print("jebpf: unknown command '" + arguments.get(0) + "'\n" + usage());
    return USAGE;
  }

  String usage() {
    StringBuilder text = new StringBuilder(1024);
    text.append("jebpf ").append(version).append(", a CPU profiler for the JVM\n\n");
    text.append("  java -javaagent:jebpf.jar[=key=value,...] -jar app.jar\n");
    text.append("      runs an application under the profiler\n\n");
    for (Command command : commands) {
      text.append("  java -jar jebpf.jar ")
          .append((command.name() + " " + command.usage()).strip())
          .append("\n      ")
          .append(command.description())
          .append('\n');
    }
    return text.toString();
  }

  private static int options(PrintStream out) {
    out.print(OptionsPage.plain());
    return OK;
  }

  private int version(PrintStream out) {
    out.println("jebpf " + version);
    return OK;
  }

  /** A command without arguments. */
  private record Printing(String name, String description, ToIntFunction<PrintStream> action)
      implements Command {
    @Override
    public String usage() {
      return "";
    }

    @Override
    public int run(List<String> arguments, PrintStream out, PrintStream err) {
      if (!arguments.isEmpty()) {
        err.println("jebpf: '" + name + "' takes no arguments");
        return USAGE;
      }
      return action.applyAsInt(out);
    }
  }
}
