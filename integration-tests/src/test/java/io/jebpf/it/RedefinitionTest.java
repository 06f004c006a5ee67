package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.RedefineLoad;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A class is redefined hundreds of times, and its old versions are freed, while it is profiled.
 * Every frame of it is a method that its thread runs, at a line of some version of that method, or
 * is said to be unknown.
 */
@Beside
@KernelTest
class RedefinitionTest {
  private static final String NAME = "Redefined";
  private static final int VERSIONS = 8;
  private static final int CPU_MILLIS = 700; // of each of the four threads
  private static final double NAMED_MIN = 0.6; // of all frames, on a machine that does much beside

  // Lines of a way in a version: from 1000 * (version + 1) + 100 * place.
  private static final int ENTER = 10;
  private static final int OUTER = 20;
  private static final int INNER = 30;
  private static final int CALL = 2;
  private static final int METHOD_LINES = 10;

  @TempDir Path directory;

  /** The ways change places from version to version, so that equal lines are of other ways. */
  private static int place(int way, int version) {
    return (way + version) % RedefineLoad.WAYS;
  }

  private static int line(int way, int version) {
    return 1000 * (version + 1) + 100 * place(way, version);
  }

  private static String source(int version) {
    String[] lines = new String[line(RedefineLoad.WAYS, version) + 1000];
    Arrays.fill(lines, "");
    lines[1] = "public final class " + NAME + " implements " + RedefineLoad.class.getName();
    lines[1] += ".Work {";
    lines[2] = "  public long enter(int way, int rounds, long x) {";
    lines[3] = "    switch (way) {";
    for (int way = 0; way < RedefineLoad.WAYS; way++) {
      lines[4] += " case " + way + ": return enter" + way + "(rounds, x);";
      int start = line(way, version);
      method(lines, start + ENTER, version, "enter" + way, "outer" + way + "(rounds, x)");
      method(lines, start + OUTER, version, "outer" + way, "inner" + way + "(rounds, x)");
      method(lines, start + INNER, version, "inner" + way, "x * 31 + i");
    }
    lines[5] = "    default: return x; } }";
    lines[lines.length - 1] = "}";
    return String.join("\n", Arrays.asList(lines).subList(1, lines.length));
  }

  /** Longer from version to version, with other constants. */
  private static void method(String[] lines, int at, int version, String name, String body) {
    lines[at] = "  private static long " + name + "(int rounds, long x) {";
    lines[at + 1] = "    for (int i = 0; i < rounds / 10 + 1; i++) {";
    lines[at + CALL] = "      x += " + body + ";";
    lines[at + 3] = "    }";
    lines[at + 4] = ("    x ^= " + (version * 77777L + at) + "L;").repeat(version % 4);
    lines[at + 5] = "    return x;";
    lines[at + 6] = "  }";
  }

  /** Class files of all versions, numbered. */
  private Path compile() throws IOException {
    Path versions = Files.createDirectories(directory.resolve("versions"));
    for (int version = 0; version < VERSIONS; version++) {
      Path folder = Files.createDirectories(directory.resolve("source" + version));
      Path source = Files.writeString(folder.resolve(NAME + ".java"), source(version));
      int status =
          ToolProvider.getSystemJavaCompiler()
              .run(
                  null,
                  null,
                  null,
                  "-g:source,lines",
                  "-cp",
                  Locations.classes().toString(),
                  "-d",
                  folder.toString(),
                  source.toString());
      assertEquals(0, status, "javac of version " + version);
      Files.move(folder.resolve(NAME + ".class"), versions.resolve(version + ".class"));
    }
    Files.copy(versions.resolve("0.class"), directory.resolve(NAME + ".class"));
    return versions;
  }

  private Path agentJar() throws IOException {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    attributes.putValue("Premain-Class", RedefineLoad.class.getName());
    attributes.putValue("Can-Redefine-Classes", "true");
    Path jar = directory.resolve("load.jar");
    new JarOutputStream(Files.newOutputStream(jar), manifest).close();
    return jar;
  }

  /** The agent is compiled in both runs: it would come too late for most frames otherwise. */
  @ParameterizedTest
  @ValueSource(strings = {"-XX:+TieredCompilation", "-XX:CompileCommand=exclude," + NAME + "::*"})
  void everyFrameIsOfAVersionThatWas(String flag) throws Exception {
    Path versions = compile();
    ChildResult result =
        ChildJvm.in(directory)
            .agent("cpu=999,budget=1000%,window=3s,offcpu=0")
            .jvm("-javaagent:" + agentJar(), "-XX:+UseSerialGC", "-Xmx64m")
            .jvm("-XX:CompileCommand=quiet", flag)
            .classPath(Locations.classes() + ":" + directory)
            .main(RedefineLoad.class, CPU_MILLIS, NAME, versions)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    assertTrue(result.value("redefined") > 10, result::toString);

    Picture ways = result.picture().where(stack -> stack.thread().startsWith("way-"));
    Map<String, Long> wrong = new TreeMap<>();
    long checked = 0;
    for (Picture.Weighted weighted : ways.stacks()) {
      String complaint = complaint(weighted.stack());
      if (!complaint.isEmpty()) {
        wrong.merge(complaint, weighted.samples(), Long::sum);
      }
      checked += weighted.samples();
    }
    String told = checked + " samples, " + result.value("redefined") + " redefinitions, ";
    double named = ways.namedShare();
    System.err.printf("redefinition %s: %snamed %.4f%n", flag, told, named);
    assertEquals(Map.of(), wrong, told);
    assertTrue(checked > RedefineLoad.WAYS * CPU_MILLIS / 2, told);
    assertTrue(named >= NAMED_MIN, told + ways.troubles());
  }

  /** What is wrong with a stack; empty when nothing is. */
  private static String complaint(Profile.Stack stack) {
    int way = stack.thread().charAt("way-".length()) - '0';
    String below = "";
    for (Profile.Frame frame : stack.frames()) {
      if (!frame.function().startsWith(NAME + ".") || frame.function().equals(NAME + ".enter")) {
        below = ""; // what is between was not named
        continue;
      }
      String method = frame.function().substring(NAME.length() + 1);
      if (!method.endsWith(Integer.toString(way))) {
        return method + " in " + stack.thread();
      }
      int offset = offset(method);
      if (!below.isEmpty() && offset + METHOD_LINES != offset(below)) {
        return method + " calls " + below;
      }
      boolean untold = frame.line() == 0 && below.isEmpty(); // compiled code without a record there
      if (!untold && !isOfSomeVersion((int) frame.line(), way, offset, !below.isEmpty())) {
        return method + " at line " + frame.line() + " calls '" + below + "'";
      }
      below = method;
    }
    return "";
  }

  private static int offset(String method) {
    return switch (method.substring(0, 5)) {
      case "enter" -> ENTER;
      case "outer" -> OUTER;
      default -> INNER;
    };
  }

  private static boolean isOfSomeVersion(int line, int way, int offset, boolean calling) {
    for (int version = 0; version < VERSIONS; version++) {
      int start = line(way, version) + offset;
      if (calling ? line == start + CALL : line >= start && line < start + METHOD_LINES) {
        return true;
      }
    }
    return false;
  }
}
