package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import io.jebpf.it.harness.Locations;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;

/**
 * The doctor in one imitated environment after the other. Each time a remedy that it prints is
 * applied as it stands, and the next run has to be without the finding.
 */
@Beside
@KernelTest
class DoctorTest {
  private static final String RUN = "java -javaagent:jebpf.jar ...";
  private static final Pattern REMEDY =
      Pattern.compile("\\{\"where\": \"(\\w+)\", \"text\": \"((?:[^\"\\\\]|\\\\.)*)\"\\}");

  @TempDir Path directory;

  /** The JSON has one finding a line. */
  private record Report(int exit, String json) {
    String finding(String id) {
      return json.lines()
          .filter(line -> line.contains("{\"id\": \"" + id + "\""))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no finding " + id + ": " + json));
    }

    void has(String id, String verdict, String... texts) {
      String finding = finding(id);
      assertTrue(finding.contains("\"verdict\": \"" + verdict + "\""), json);
      for (String text : texts) {
        assertTrue(finding.contains(text), () -> text + " is not in " + finding);
      }
    }

    void reaches(String step, int code) {
      assertTrue(json.contains("\"reaches\": {\"step\": \"" + step + "\""), json);
      assertEquals(code, exit, json);
      assertTrue(json.contains("\"exit\": " + code + ","), json);
    }

    String remedy(String id, String where) {
      Matcher matcher = REMEDY.matcher(finding(id));
      while (matcher.find()) {
        if (matcher.group(1).equals(where)) {
          return matcher.group(2).replace("\\\"", "\"").replace("\\\\", "\\");
        }
      }
      throw new AssertionError("no remedy of kind " + where + ": " + finding(id));
    }
  }

  private Report doctor(List<String> prefix, String... options) throws Exception {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(doctorCommand(options));
    Tools.Outcome outcome = Tools.run(directory, command.toArray(String[]::new));
    return new Report(outcome.exitCode(), outcome.output());
  }

  private static List<String> doctorCommand(String... options) {
    List<String> command = new ArrayList<>(Jebpf.command("doctor", "--json"));
    command.addAll(List.of(options));
    return command;
  }

  /** What a printed command does, with the doctor in the place of the application. */
  private static List<String> applied(String remedy) {
    assertTrue(remedy.endsWith(RUN), remedy);
    String before = remedy.substring(0, remedy.length() - RUN.length()).replace("sudo ", "");
    return Arrays.stream(before.split(" ")).filter(word -> !word.isEmpty()).toList();
  }

  private static List<String> mounted(String commands, String... more) {
    List<String> prefix =
        new ArrayList<>(List.of("unshare", "-m", "sh", "-c", commands + " && exec \"$@\"", "sh"));
    prefix.addAll(List.of(more));
    return prefix;
  }

  @Execution(CONCURRENT)
  @Test
  void hereEverythingWorks() throws Exception {
    Report report = doctor(List.of(), "out=" + directory.resolve("out"));
    report.reaches("full", 0);
    assertFalse(report.json().contains("\"verdict\": \"no\""), report.json());
    assertFalse(directory.resolve("out").toFile().exists(), "the doctor left a directory");
    Tools.Outcome text =
        Tools.run(
            directory,
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-jar",
            Locations.agentJar().toString(),
            "doctor",
            "out=off");
    assertTrue(text.output().contains("\nA JVM started here would reach: full"), text.output());
  }

  @Execution(CONCURRENT)
  @Test
  void withoutOneCapability() throws Exception {
    for (String name : List.of("bpf", "perfmon")) {
      Report report =
          doctor(List.of("setpriv", "--bounding-set=-" + name + ",-sys_admin"), "out=off");
      report.has("capabilities", "no", "CAP_" + name.toUpperCase(java.util.Locale.ROOT));
      report.reaches("off", 1);
      doctor(applied(report.remedy("capabilities", "command")), "out=off").reaches("full", 0);
    }
  }

  /** Names of kernel functions then come from elsewhere. */
  @Execution(CONCURRENT)
  @Test
  void withoutTheRightToKallsyms() throws Exception {
    Report report = doctor(List.of("setpriv", "--bounding-set=-syslog"), "out=off");
    report.has("kernel-symbols", "yes");
    report.reaches("full", 0);
    Path hidden =
        java.nio.file.Files.writeString(
            directory.resolve("kallsyms"), "0000000000000000 T _stext\n".repeat(2000));
    report = doctor(mounted("mount --bind " + hidden + " /proc/kallsyms"), "out=off");
    report.has("kernel-symbols", "yes", "/proc/kallsyms hides", "a BPF iterator gives them");
    report.reaches("full", 0);
    report =
        doctor(
            mounted(
                "mount --bind " + hidden + " /proc/kallsyms",
                "setpriv",
                "--bounding-set=-perfmon,-sys_admin"),
            "out=off");
    report.has("kernel-symbols", "less", "/proc/kallsyms hides", "EPERM");
  }

  @Execution(CONCURRENT)
  @Test
  void anOrdinaryUserAtParanoidThree() throws Exception {
    Path setting = java.nio.file.Files.writeString(directory.resolve("paranoid"), "3\n");
    String mount = "mount --bind " + setting + " /proc/sys/kernel/perf_event_paranoid";
    Report report =
        doctor(
            mounted(mount, "setpriv", "--reuid=1234", "--regid=1234", "--clear-groups"), "out=off");
    report.has("capabilities", "no", "CAP_BPF and CAP_PERFMON", "perf_event_paranoid=3");
    report.reaches("off", 1);
    String remedy = report.remedy("capabilities", "command");
    assertTrue(remedy.contains("--reuid=1234"), remedy);
    doctor(mounted(mount, applied(remedy).toArray(String[]::new)), "out=off").reaches("full", 0);
    assertTrue(report.remedy("capabilities", "systemd").startsWith("AmbientCapabilities="));
    assertTrue(report.remedy("capabilities", "docker").contains("--cap-add BPF"));
    assertTrue(report.remedy("capabilities", "kubernetes").contains("PERFMON"));
  }

  @Execution(CONCURRENT)
  @Test
  void seccompRefusesCalls() throws Exception {
    String refuse = Tools.compile(directory, "refuse.c", "refuse").toString();
    List<String> calls = List.of("bpf", "perf_event_open");
    List<String> prefix = new ArrayList<>(List.of(refuse));
    prefix.addAll(calls);
    prefix.add("--");
    Report report = doctor(prefix, "out=off");
    report.has("capabilities", "yes");
    report.has("seccomp", "no", "bpf (", "perf_event_open (");
    report.reaches("off", 1);
    // Applied: a filter without the calls that the remedy allows.
    String allowed = report.remedy("seccomp", "systemd").replace("SystemCallFilter=", "");
    List<String> left = new ArrayList<>(List.of(refuse));
    left.addAll(
        calls.stream().filter(call -> !List.of(allowed.split(" ")).contains(call)).toList());
    left.add("--");
    Report mended = doctor(left, "out=off");
    mended.has("seccomp", "yes");
    mended.reaches("full", 0);
    // Told apart from missing rights even where those are missing, too.
    List<String> neither = new ArrayList<>(List.of("setpriv", "--bounding-set=-bpf,-sys_admin"));
    neither.addAll(List.of(refuse, "perf_event_open", "--"));
    Report both = doctor(neither, "out=off");
    both.has("capabilities", "no", "CAP_BPF");
    both.has("seccomp", "no", "refused: perf_event_open");
  }

  @Execution(CONCURRENT)
  @Test
  void inNamespaces() throws Exception {
    Report user = doctor(List.of("unshare", "-U", "-r"), "out=off");
    user.has("capabilities", "no", "user namespace");
    user.reaches("off", 1);
    assertTrue(user.remedy("capabilities", "command").contains("outside of the user namespace"));
    doctor(List.of(), "out=off").reaches("full", 0);
    Report pids = doctor(List.of("unshare", "-p", "-f", "--mount-proc"), "out=off");
    pids.has("namespaces", "yes", "a PID namespace of its own");
    pids.reaches("full", 0);
  }

  @Execution(CONCURRENT)
  @Test
  void withoutTypeInformation() throws Exception {
    for (String hide :
        List.of(
            "mount -t tmpfs tmpfs /sys/kernel/btf",
            "mount --bind /dev/null /sys/kernel/btf/vmlinux")) {
      Report report = doctor(mounted(hide), "out=off");
      report.has("btf", "no", "hidden by a mount");
      report.reaches("off", 1);
      String remedy = report.remedy("btf", "command");
      doctor(mounted(hide + " && " + remedy), "out=off").reaches("full", 0);
    }
  }

  @Execution(CONCURRENT)
  @Test
  void readOnlyTemporaryDirectory() throws Exception {
    String mount = "mount -t tmpfs -o ro tmpfs /tmp";
    Report report = doctor(mounted(mount));
    report.has("out", "no", "/tmp mounted ro");
    report.has("native", "yes", "another place was taken", "native.dir=/dev/shm");
    report.reaches("full", 3);
    Report mended =
        doctor(mounted(mount), report.remedy("out", "option"), report.remedy("native", "option"));
    mended.has("native", "yes", "\"why\": \"/dev/shm\"");
    mended.reaches("full", 0);
  }

  @Execution(CONCURRENT)
  @Test
  void temporaryDirectoryWithoutExec() throws Exception {
    String mount = "mount -t tmpfs -o noexec tmpfs /tmp";
    Report report = doctor(mounted(mount));
    report.has("native", "yes", "noexec", "another place was taken");
    report.reaches("full", 0);
    Report mended = doctor(mounted(mount), report.remedy("native", "option"));
    mended.has("native", "yes", "\"why\": \"/dev/shm\"", "\"remedies\": []");
    mended.reaches("full", 0);
  }

  @Execution(CONCURRENT)
  @Test
  void wrongOptionsAreAFinding() throws Exception {
    Report report = doctor(List.of(), "colour=red");
    report.has("options", "no", "unknown key 'colour'");
    report.reaches("off", 1);
  }
}
