package io.jebpf.it;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The command line: {@code java -jar jebpf.jar}, with C1 alone, as {@link
 * io.jebpf.it.harness.ChildJvm#QUICK}: its JVM lives for a second.
 */
final class Jebpf {
  private Jebpf() {}

  static List<String> command(Object... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin/java").toString());
    command.addAll(ChildJvm.QUICK);
    command.add("-jar");
    command.add(Locations.agentJar().toString());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  static Tools.Outcome run(Path directory, Object... arguments) throws Exception {
    return Tools.run(directory, command(arguments).toArray(String[]::new));
  }
}
