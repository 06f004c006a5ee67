package io.jebpf.it.harness;

import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** What an ended child left: exit code, output and profiles. */
public record ChildResult(
    List<String> command,
    int exitCode,
    byte[] stdoutBytes,
    String stderr,
    List<Path> profileFiles) {

  static List<Path> profileFiles(Path directory) {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.toString().endsWith(".pb.gz")).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String stdout() {
    return new String(stdoutBytes, StandardCharsets.UTF_8);
  }

  /** The CPU profiles. */
  public List<Profile> profiles() {
    return profiles("cpu");
  }

  /** The profiles of one kind, as the files are named. */
  public List<Profile> profiles(String kind) {
    return profileFiles.stream()
        .filter(file -> file.getFileName().toString().startsWith(kind + "-"))
        .map(Profile::read)
        .toList();
  }

  public Picture picture() {
    return Picture.of(profiles());
  }

  /** The {@code key=value} lines of stdout. */
  public Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    stdout()
        .lines()
        .filter(line -> line.matches("[A-Za-z0-9_.-]+=.*"))
        .forEach(
            line ->
                values.put(
                    line.substring(0, line.indexOf('=')), line.substring(line.indexOf('=') + 1)));
    return values;
  }

  public long value(String key) {
    String value = values().get(key);
    if (value == null) {
      throw new IllegalStateException("no " + key + "= in the output: " + this);
    }
    return Long.parseLong(value);
  }

  @Override
  public String toString() {
    return "exit "
        + exitCode
        + "\n"
        + command
        + "\nstdout:\n"
        + stdout()
        + "\nstderr:\n"
        + stderr
        + "\n"
        + profileFiles;
  }
}
