package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.workload.BusyLoad;
import io.jebpf.it.workload.FreePort;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.management.MBeanServerConnection;
import javax.management.ObjectName;
import javax.management.openmbean.TabularData;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real clients ask a JVM under load: JMX over RMI with authentication, jmxterm, Go's pprof, curl.
 */
@Beside
@KernelTest
class OnDemandTest {
  /** How far two fits of an open window may be apart. */
  private static final double FIT_SPREAD = 0.05;

  private static final String BUSY = "io.jebpf.it.workload.BusyLoad.busy";
  @TempDir Path directory;
  private RunningJvm jvm;
  private int jmxPort;
  private String http;
  private ObjectName name;

  @BeforeEach
  void start() throws Exception {
    Path passwords = secret("passwords", "monitor look\ncontrol touch\n");
    Path access = secret("access", "monitor readonly\ncontrol readwrite\n");
    jmxPort = FreePort.find();
    int httpPort = FreePort.find();
    http = "http://127.0.0.1:" + httpPort;
    name = new ObjectName("io.jebpf:type=Profiler");
    jvm =
        ChildJvm.in(Files.createDirectories(directory.resolve("jvm")))
            .agent("cpu=499,budget=100%,window=2s,http=" + httpPort)
            .quick()
            .jvm(
                "-Dcom.sun.management.jmxremote.port=" + jmxPort,
                "-Dcom.sun.management.jmxremote.rmi.port=" + jmxPort,
                "-Djava.rmi.server.hostname=127.0.0.1",
                "-Dcom.sun.management.jmxremote.ssl=false",
                "-Dcom.sun.management.jmxremote.password.file=" + passwords,
                "-Dcom.sun.management.jmxremote.access.file=" + access)
            .main(BusyLoad.class, 600)
            .start();
    jvm.awaitOutput("ready=1", Deadlines.RUN_SECONDS);
  }

  @AfterEach
  void stop() {
    jvm.close();
  }

  private Path secret(String file, String content) throws Exception {
    Path path = directory.resolve(file);
    Files.writeString(path, content);
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    return path;
  }

  private JMXConnector connect(String user, String password) throws Exception {
    JMXServiceURL url =
        new JMXServiceURL("service:jmx:rmi:///jndi/rmi://127.0.0.1:" + jmxPort + "/jmxrmi");
    return JMXConnectorFactory.connect(
        url, Map.of(JMXConnector.CREDENTIALS, new String[] {user, password}));
  }

  private Object call(MBeanServerConnection server, String operation, Object... arguments)
      throws Exception {
    String[] types = new String[arguments.length];
    for (int i = 0; i < types.length; i++) {
      types[i] =
          arguments[i] instanceof Long
              ? "long"
              : arguments[i] instanceof Integer ? "int" : "java.lang.String";
    }
    return server.invoke(name, operation, arguments, types);
  }

  private byte[] stream(MBeanServerConnection server, long id) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] block = (byte[]) call(server, "readStream", id);
        block != null;
        block = (byte[]) call(server, "readStream", id)) {
      all.writeBytes(block);
    }
    call(server, "closeStream", id);
    return all.toByteArray();
  }

  /** Values by stack and labels: what a profile means. */
  private static Map<String, String> meaning(Profile profile) {
    Map<String, String> samples = new TreeMap<>();
    for (Profile.Stack stack : profile.stacks()) {
      samples.put(
          stack.frames() + " " + new TreeMap<>(stack.labels()), Arrays.toString(stack.values()));
    }
    return samples;
  }

  /**
   * The same samples with the same labels. The time that a sample stands for is fitted to what the
   * process used in its window, and while that window goes on, each look knows more.
   */
  private static void assertSameSamples(Profile one, Profile other) {
    assertEquals(counts(one), counts(other));
    int nanos = one.valueIndex("cpu/nanoseconds");
    assertEquals(1, sum(one, nanos) / sum(other, nanos), FIT_SPREAD, "CPU time of both");
  }

  private static Map<String, Long> counts(Profile profile) {
    int count = profile.valueIndex("samples/count");
    Map<String, Long> samples = new TreeMap<>();
    for (Profile.Stack stack : profile.stacks()) {
      samples.put(stack.frames() + " " + new TreeMap<>(stack.labels()), stack.values()[count]);
    }
    return samples;
  }

  private static double sum(Profile profile, int value) {
    return profile.stacks().stream().mapToDouble(stack -> stack.values()[value]).sum();
  }

  private static long samples(Profile profile, String function) {
    int value = profile.valueIndex("samples/count");
    return profile.stacks().stream()
        .filter(stack -> stack.contains(function))
        .mapToLong(stack -> stack.values()[value])
        .sum();
  }

  private Profile read(String file, byte[] bytes) throws Exception {
    Path path = directory.resolve(file);
    Files.write(path, bytes);
    return Profile.read(path);
  }

  /** From before the work until after its end: then the files have the same samples. */
  @Test
  void overRmiARecordingIsWhatTheFilesAre() throws Exception {
    assertThrows(SecurityException.class, () -> connect("control", "wrong").close());
    try (JMXConnector looking = connect("monitor", "look")) {
      MBeanServerConnection server = looking.getMBeanServerConnection();
      assertEquals("RUNNING", server.getAttribute(name, "State"));
      assertThrows(SecurityException.class, () -> call(server, "newRecording"));
    }
    Path copy = directory.resolve("copy.pb.gz");
    long kept;
    try (JMXConnector touching = connect("control", "touch")) {
      MBeanServerConnection server = touching.getMBeanServerConnection();
      long id = (long) call(server, "newRecording");
      call(server, "startRecording", id);
      Thread.sleep(3000);
      call(server, "stopRecording", id);
      byte[] streamed = stream(server, (long) call(server, "openStream", id, "cpu", "pprof"));
      call(server, "copyTo", id, copy.toString());
      Profile profile = read("streamed.pb.gz", streamed);
      assertSameSamples(profile, Profile.read(copy));
      assertTrue(samples(profile, BUSY) > 0, "no sample of the work"); // the machine may be busy
      Map<String, String> offCpu =
          meaning(
              read(
                  "offcpu.pb.gz",
                  stream(server, (long) call(server, "openStream", id, "offcpu", "pprof"))));
      assertFalse(offCpu.isEmpty(), "some thread waited");
      TabularData top = (TabularData) call(server, "top", "cpu", 3);
      assertTrue(
          top.values().stream().anyMatch(row -> row.toString().contains("workload.Burn.spin")),
          top.toString());
      assertTrue(((String) call(server, "flameGraph", "wall", 3)).contains("<canvas"));
      int rate = (int) server.getAttribute(name, "CpuHz");
      assertEquals(499, rate);
      // The whole run, told twice: by the files, and by the kept past.
      server.setAttribute(name, new javax.management.Attribute("CpuHz", 0));
      server.setAttribute(name, new javax.management.Attribute("OffCpuTickMillis", 0.0));
      while (!server.getAttribute(name, "State").equals("PAUSED")) {
        Thread.sleep(50);
      }
      Thread.sleep(
          1500); // the pause holds within the reader's next step, which may be a second off
      byte[] whole = stream(server, (long) call(server, "openDump", "cpu", "pprof", "-10m", "now"));
      kept = samples(read("whole.pb.gz", whole), BUSY);
    }
    jvm.terminate();
    ChildResult result = jvm.await(Deadlines.RUN_SECONDS);
    long written = result.profiles().stream().mapToLong(file -> samples(file, BUSY)).sum();
    assertEquals(written, kept, "every sample that is in a file, and no other");
    assertFalse(result.stderr().contains("ERROR"), result.stderr());
  }

  @Test
  void jmxtermRecords() throws Exception {
    Path file = directory.resolve("jmxterm.pb.gz");
    Path script = directory.resolve("script");
    Files.writeString(
        script,
        "bean io.jebpf:type=Profiler\nrun newRecording\nrun startRecording 1\n"
            + "get Recordings\nrun top cpu 2\nrun stopRecording 1\nrun copyTo 1 "
            + file
            + "\nrun closeRecording 1\ninfo\n");
    Tools.Outcome outcome =
        Tools.run(
            directory,
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-jar",
            Locations.application("jmxterm"),
            "-l",
            "127.0.0.1:" + jmxPort,
            "-u",
            "control",
            "-p",
            "touch",
            "-n",
            "-v",
            "verbose",
            "-i",
            script.toString());
    assertEquals(0, outcome.exitCode(), outcome::output);
    assertTrue(outcome.output().contains("state = RUNNING"), outcome::output);
    assertTrue(outcome.output().contains("long recordingId"), outcome::output);
    assertTrue(samples(Profile.read(file), BUSY) > 0, outcome::output);
  }

  @Test
  void goToolPprofAndCurlOverHttp() throws Exception {
    Tools.need("go");
    Tools.need("curl");
    for (String query : List.of("profile?seconds=3", "profile?from=-2s&to=now")) {
      Tools.Outcome top =
          Tools.run(
              directory,
              "env",
              "PPROF_TMPDIR=" + directory,
              "go",
              "tool",
              "pprof",
              "-top",
              http + "/debug/pprof/" + query);
      assertEquals(0, top.exitCode(), top::output);
      assertTrue(top.output().contains("io.jebpf.it.workload.Burn.spin"), top::output);
    }
    Tools.Outcome refusal =
        Tools.run(directory, "go", "tool", "pprof", "-top", http + "/debug/pprof/heap");
    assertTrue(refusal.output().contains("Unknown profile"), refusal::output);
    assertTrue(curl("/metrics").contains("jebpf_up 1"), "metrics");
    assertEquals("RUNNING\n", curl("/healthz"));
    assertTrue(curl("/debug/pprof/wall?from=-2s&debug=1").contains(";" + BUSY), "text");
    assertTrue(curl("/flamegraph?seconds=3").contains("<canvas"), "flame graph");
    Path file = directory.resolve("curl.pb.gz");
    Tools.run(
        directory, "curl", "-sS", "-o", file.toString(), http + "/debug/pprof/offcpu?seconds=1");
    byte[] bytes = Files.readAllBytes(file);
    assertArrayEquals(new byte[] {0x1f, (byte) 0x8b}, Arrays.copyOf(bytes, 2));
  }

  private String curl(String path) throws Exception {
    Tools.Outcome outcome = Tools.run(directory, "curl", "-sS", "--fail", http + path);
    assertEquals(0, outcome.exitCode(), outcome::output);
    return outcome.output();
  }
}
