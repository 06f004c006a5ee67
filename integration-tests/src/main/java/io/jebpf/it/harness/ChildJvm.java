package io.jebpf.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The command line of a JVM to be started, with or without the agent. stdout and stderr go to files
 * in the working directory, so that a child never blocks on a pipe and its output can be compared
 * byte for byte.
 */
public final class ChildJvm {
  /**
   * For JVMs of tests that ask nothing about compiled code, collectors or time: C1 alone, and the
   * collector that has no threads. A start under the agent then takes 2.0 s of CPU instead of 2.5.
   */
  public static final List<String> QUICK = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

  private final Path directory;
  private final List<String> prefix = new ArrayList<>();
  private final List<String> jvmFlags = new ArrayList<>();
  private final List<String> program = new ArrayList<>();
  private final Map<String, String> environment = new HashMap<>();
  private Path home = Path.of(System.getProperty("java.home"));
  private Path agentJar = Locations.agentJar();
  private String classPath = Locations.classes().toString();
  private String agentOptions = "";
  private boolean withAgent;
  private boolean defaultOut = true;

  private ChildJvm(Path directory) {
    this.directory = directory;
  }

  /** A child whose files live in a directory of its own, which must exist. */
  public static ChildJvm in(Path directory) {
    return new ChildJvm(directory);
  }

  public ChildJvm javaHome(Path javaHome) {
    home = javaHome;
    return this;
  }

  /** Runs with the agent; {@code out} is added to the options unless they have it. */
  public ChildJvm agent(String options) {
    withAgent = true;
    agentOptions = options;
    return this;
  }

  /** The agent's jar at another path, for example one that a user without rights can read. */
  public ChildJvm agentJar(Path jar) {
    agentJar = jar;
    return this;
  }

  /** Does not add {@code out} to the agent's options. */
  public ChildJvm withoutOut() {
    defaultOut = false;
    return this;
  }

  /** Puts a command in front of {@code java}; the last call stands outermost. */
  public ChildJvm prefix(String... command) {
    prefix.addAll(0, List.of(command));
    return this;
  }

  /** Takes {@link #QUICK}. */
  public ChildJvm quick() {
    return jvm(QUICK);
  }

  public ChildJvm jvm(String... flags) {
    jvmFlags.addAll(List.of(flags));
    return this;
  }

  public ChildJvm jvm(List<String> flags) {
    jvmFlags.addAll(flags);
    return this;
  }

  public ChildJvm classPath(String path) {
    classPath = path;
    return this;
  }

  public ChildJvm environment(String name, String value) {
    environment.put(name, value);
    return this;
  }

  public ChildJvm main(Class<?> main, Object... arguments) {
    return program(main.getName(), arguments);
  }

  public ChildJvm program(String main, Object... arguments) {
    program.clear();
    program.add(main);
    for (Object argument : arguments) {
      program.add(argument.toString());
    }
    return this;
  }

  public Path profiles() {
    return directory.resolve("profiles");
  }

  private List<String> command() {
    List<String> command = new ArrayList<>(prefix);
    command.add(home.resolve("bin/java").toString());
    if (withAgent) {
      String options = agentOptions;
      if (defaultOut && !options.contains("out=")) {
        options += (options.isEmpty() ? "" : ",") + "out=" + profiles();
      }
      command.add("-javaagent:" + agentJar + (options.isEmpty() ? "" : "=" + options));
    }
    command.addAll(jvmFlags);
    command.add("-cp");
    command.add(classPath);
    command.addAll(program);
    return command;
  }

  public RunningJvm start() {
    ProcessBuilder builder = new ProcessBuilder(command());
    builder.directory(directory.toFile());
    builder.environment().putAll(environment);
    Path stdout = directory.resolve("stdout");
    Path stderr = directory.resolve("stderr");
    builder.redirectOutput(stdout.toFile());
    builder.redirectError(stderr.toFile());
    try {
      Files.createDirectories(directory);
      Process process = builder.start();
      process.getOutputStream().close();
      return new RunningJvm(process, command(), stdout, stderr, profiles());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + command(), e);
    }
  }

  /**
   * Starts it and waits for its end; ended by force, and an exception, when the deadline passes.
   */
  public ChildResult run(int deadlineSeconds) {
    try (RunningJvm running = start()) {
      return running.await(deadlineSeconds);
    }
  }
}
