package io.jebpf.it.context;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What instrumentation adds to the start of a JVM: variants in turn, medians. Arguments: agent jar,
 * rounds, class path of {@link StartLoad}, when to begin the first span ({@code never,now,wait}),
 * and more jars to compare with.
 */
public final class StartBench {
  private StartBench() {}

  public static void main(String[] arguments) throws Exception {
    int rounds = Integer.parseInt(arguments[1]);
    Map<String, List<String>> variants = new LinkedHashMap<>();
    variants.put("without agent", List.of());
    variants.put("instrument=off", agent(arguments[0], ",instrument=off"));
    variants.put("instrumented", agent(arguments[0], ""));
    for (String jar : Arrays.copyOfRange(arguments, 4, arguments.length)) {
      variants.put(Path.of(jar).getFileName().toString(), agent(jar, ""));
    }
    for (String when : arguments[3].split(",")) {
      Map<String, Map<String, List<Long>>> times = new LinkedHashMap<>();
      for (int round = 0; round < rounds; round++) {
        for (Map.Entry<String, List<String>> variant : variants.entrySet()) {
          Map<String, List<Long>> seen =
              times.computeIfAbsent(variant.getKey(), any -> new LinkedHashMap<>());
          run(variant.getValue(), arguments[2], when)
              .forEach((name, micros) -> add(seen, name, micros));
        }
      }
      System.out.println("the first span " + when + ", medians of " + rounds + ", ms:");
      times.forEach((name, seen) -> System.out.println(row(name, seen)));
    }
  }

  private static List<String> agent(String jar, String options) {
    return List.of("-javaagent:" + jar + "=out=off" + options);
  }

  private static void add(Map<String, List<Long>> to, String name, long micros) {
    to.computeIfAbsent(name, any -> new ArrayList<>()).add(micros);
  }

  private static String row(String name, Map<String, List<Long>> seen) {
    StringBuilder row = new StringBuilder(String.format("  %-20s", name));
    seen.forEach(
        (what, micros) -> {
          List<Long> sorted = micros.stream().sorted().toList();
          row.append(
              String.format(
                  " %s %7.1f (%.1f to %.1f)",
                  what.substring(0, what.indexOf('.')),
                  sorted.get(sorted.size() / 2) / 1e3,
                  sorted.getFirst() / 1e3,
                  sorted.getLast() / 1e3));
        });
    return row.toString();
  }

  private static Map<String, Long> run(List<String> options, String classPath, String when)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx256m");
    command.addAll(options);
    command.addAll(List.of("-cp", classPath, StartLoad.class.getName()));
    command.addAll(List.of(Instant.now().toString(), when));
    Process process =
        new ProcessBuilder(command)
            .redirectError(ProcessBuilder.Redirect.to(new File("/dev/null")))
            .start();
    Map<String, Long> micros = new LinkedHashMap<>();
    for (String line :
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
      int equals = line.indexOf('=');
      if (equals > 0) {
        micros.put(line.substring(0, equals), Long.parseLong(line.substring(equals + 1)));
      }
    }
    if (process.waitFor() != 0 || !micros.containsKey("done.micros")) {
      throw new IllegalStateException(command + " failed");
    }
    return micros;
  }
}
