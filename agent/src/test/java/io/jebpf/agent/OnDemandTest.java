package io.jebpf.agent;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.jmx.LazyRegistration;
import io.jebpf.agent.jmx.ProfilerMXBean;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.OptionsBuilder;
import io.jebpf.agent.pipeline.FakeEngine;
import io.jebpf.agent.pprof.PprofRules;
import io.jebpf.api.Recording;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.management.JMX;
import javax.management.MBeanAttributeInfo;
import javax.management.MBeanInfo;
import javax.management.MBeanOperationInfo;
import javax.management.MBeanParameterInfo;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.openmbean.CompositeData;
import javax.management.openmbean.TabularData;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Profiles on demand, by JMX and by the API, with real threads and an engine of the test's own. */
@Timeout(60)
class OnDemandTest {
  private static final long MILLI = 1_000_000L;
  @TempDir private Path directory;
  private final FakeEngine engine = new FakeEngine();
  private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
  private Profiler profiler;
  private Thread thread;
  private ObjectName name;
  private ProfilerMXBean bean;

  @BeforeEach
  void start() throws Exception {
    name = new ObjectName(LazyRegistration.NAME);
    Options options = new OptionsBuilder("shop").out(Optional.empty()).build();
    AgentLog log = AgentLog.toFile(directory.resolve("log"), LogLevel.WARN);
    profiler = new Profiler(options, log, (o, l, cancelled) -> engine, "1.2");
    thread = AgentThreads.start("reader", profiler::run, Throwable::printStackTrace);
    while (!server.isRegistered(name) || !(profiler.state() instanceof Profiler.State.Running)) {
      Thread.sleep(5);
    }
    bean = JMX.newMXBeanProxy(server, name, ProfilerMXBean.class);
  }

  @AfterEach
  void stop() throws Exception {
    profiler.stop();
    thread.join();
  }

  private byte[] stream(long id) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] block = bean.readStream(id); block != null; block = bean.readStream(id)) {
      assertTrue(block.length > 0 && block.length <= 50_000, block.length + " bytes");
      all.writeBytes(block);
    }
    bean.closeStream(id);
    return all.toByteArray();
  }

  /** All that a profile says but for the comments, which tell of the agent's own CPU time. */
  private static List<String> meaning(byte[] pprof) throws Exception {
    PprofRules profile = new PprofRules(pprof);
    assertEquals(List.of(), profile.broken);
    return Stream.concat(
            Stream.of("duration " + profile.durationNanos + " period " + profile.period),
            profile.samples.stream().map(PprofRules.Sample::toString).sorted())
        .toList();
  }

  @Test
  void aRecordingIsStreamedAndCopiedAlike() throws Exception {
    engine.sampleNow(1, MILLI);
    long id = bean.newRecording();
    bean.setRecordingOptions(id, Map.of("name", "mine", "duration", "5m", "maxSize", "1000000"));
    bean.startRecording(id);
    assertThrows(IllegalStateException.class, () -> bean.startRecording(id));
    for (int stack = 2; stack < 3000; stack++) {
      engine.sampleNow(stack, MILLI);
    }
    assertTrue(bean.stopRecording(id));
    assertFalse(bean.stopRecording(id));
    engine.sampleNow(3000, MILLI);
    byte[] streamed = stream(bean.openStream(id, "cpu", "pprof"));
    Path file = directory.resolve("copy.pb.gz");
    bean.copyTo(id, file.toString());
    assertEquals(meaning(streamed), meaning(Files.readAllBytes(file)));
    assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(file));
    assertThrows(FileAlreadyExistsException.class, () -> bean.copyTo(id, file.toString()));
    assertEquals(2998, new PprofRules(streamed).samples.size());
    assertTrue(streamed.length > 50_000 / 10, "some blocks would be better than one");
    Map<String, String> small = Map.of("format", "collapsed", "blockSize", "100");
    byte[] text = stream(bean.openStream(id, small));
    assertArrayEquals(text, stream(bean.openStream(id, "cpu", "collapsed")));
    Map<String, String> nobody = Map.of("thread", "nobody", "kind", "wall");
    assertEquals(
        List.of(), new PprofRules(stream(bean.openStream(id, Map.of("thread", "nobody")))).samples);
    assertTrue(stream(bean.openStream(id, nobody)).length > 0);
    CompositeData[] recordings = (CompositeData[]) server.getAttribute(name, "Recordings");
    assertEquals("mine", recordings[0].get("name"));
    assertEquals("STOPPED", recordings[0].get("state"));
    assertEquals(300_000L, recordings[0].get("durationMillis"));
    bean.closeRecording(id);
    assertEquals(List.of(), bean.getRecordings());
  }

  @Test
  void whatIsWrongIsSaidInClassesOfTheJdk() throws Exception {
    assertEquals(
        "there is no recording 77",
        assertThrows(IllegalArgumentException.class, () -> bean.startRecording(77)).getMessage());
    assertEquals(
        "there is no stream 5",
        assertThrows(IllegalArgumentException.class, () -> bean.readStream(5)).getMessage());
    long id = bean.newRecording();
    bean.startRecording(id);
    for (Map<String, String> wrong :
        List.of(
            Map.of("kind", "heap"),
            Map.of("format", "svg"),
            Map.of("colour", "red"),
            Map.of("blockSize", "x"),
            Map.of("blockSize", "0"),
            Map.of("startTime", "yesterday"))) {
      assertThrows(
          IllegalArgumentException.class, () -> bean.openStream(id, wrong), wrong.toString());
    }
    for (Map<String, String> wrong :
        List.of(
            Map.of("duration", "-5"),
            Map.of("maxAge", "0s"),
            Map.of("maxSize", "9999999999"),
            Map.of("x", "y"))) {
      assertThrows(
          IllegalArgumentException.class,
          () -> bean.setRecordingOptions(id, wrong),
          wrong.toString());
    }
    assertThrows(IllegalArgumentException.class, () -> bean.top("cpu", 0));
  }

  @Test
  void thePastIsThereWithoutARecording() throws Exception {
    engine.sampleNow(1, 30 * MILLI);
    engine.sampleNow(2, 10 * MILLI);
    TabularData top =
        (TabularData)
            server.invoke(
                name, "top", new Object[] {"cpu", 60}, new String[] {"java.lang.String", "int"});
    assertEquals(2, top.size());
    CompositeData first = (CompositeData) top.get(new Object[] {"app.Main.m1"}).get("value");
    assertEquals(30.0, first.get("selfMillis"));
    assertEquals(75.0, first.get("selfPercent"));
    assertEquals("app/Main.java", first.get("file"));
    assertEquals("app.Main.m1", bean.top("cpu", 60).keySet().iterator().next(), "most first");
    assertTrue(bean.flameGraph("cpu", 60).contains("app.Main.m1"));
    byte[] dump = stream(bean.openDump("cpu", "pprof", "-60s", "now"));
    assertEquals(2, new PprofRules(dump).samples.size());
    assertFalse(new PprofRules(dump).comment("interval_cut").isEmpty(), "60 s are not there yet");
    Path file = directory.resolve("dump.txt");
    bean.dump(file.toString(), "cpu", "collapsed", "-10s", "now");
    assertEquals("app.Main.m1 30000000\napp.Main.m2 10000000\n", Files.readString(file));
  }

  @Test
  void everythingIsExplained() throws Exception {
    MBeanInfo info = server.getMBeanInfo(name);
    assertFalse(info.getDescription().isEmpty());
    for (MBeanAttributeInfo attribute : info.getAttributes()) {
      assertTrue(attribute.getDescription().contains(" "), attribute.toString());
    }
    Set<String> operations =
        Stream.of(info.getOperations())
            .map(MBeanOperationInfo::getName)
            .collect(Collectors.toSet());
    assertTrue(operations.containsAll(Set.of("newRecording", "copyTo", "openStream", "top")));
    for (MBeanOperationInfo operation : info.getOperations()) {
      assertTrue(operation.getDescription().contains(" "), operation.toString());
      assertNotEquals(MBeanOperationInfo.UNKNOWN, operation.getImpact(), operation.toString());
      for (MBeanParameterInfo parameter : operation.getSignature()) {
        assertFalse(parameter.getName().matches("p\\d+|arg\\d+"), operation + " " + parameter);
        assertTrue(parameter.getDescription().contains(" "), operation + " " + parameter);
      }
    }
    assertEquals(3, info.getNotifications()[0].getNotifTypes().length);
  }

  @Test
  void lossesAreToldToWhoListens() throws Exception {
    CountDownLatch told = new CountDownLatch(1);
    server.addNotificationListener(
        name,
        (notification, handback) -> {
          if (notification.getType().equals("io.jebpf.losses")
              && notification.getMessage().equals("3 of 3 samples were lost")
              && Thread.currentThread().getName().equals("jebpf-jmx")) {
            told.countDown();
          }
        },
        null,
        null);
    bean.setLossThreshold(0.5);
    assertThrows(IllegalArgumentException.class, () -> bean.setLossThreshold(2));
    engine.ringFull = 3;
    assertTrue(told.await(30, TimeUnit.SECONDS));
  }

  @Test
  void theApiFindsTheAgent() throws Exception {
    byte[] bytes;
    Path file = directory.resolve("api.pb.gz");
    try (Recording recording = awaitApi()) {
      engine.sampleNow(5, MILLI);
      assertThrows(IllegalArgumentException.class, () -> recording.stop().read("heap"));
      bytes = recording.stop().read("cpu");
      recording.writeTo(file, "cpu");
      assertEquals("import", bean.getRecordings().get(0).name());
    }
    assertEquals(1, new PprofRules(bytes).samples.size());
    assertEquals(meaning(bytes), meaning(Files.readAllBytes(file)));
    assertEquals(List.of(), bean.getRecordings());
    profiler.stop();
    thread.join();
    assertInstanceOf(Profiler.State.Stopped.class, profiler.state());
    assertFalse(Recording.start("after").isPresent());
  }

  /** The link looks for an agent once a second at most. */
  private static Recording awaitApi() throws InterruptedException {
    Recording recording = Recording.start("import");
    while (!recording.isPresent()) {
      Thread.sleep(100);
      recording = Recording.start("import");
    }
    return recording;
  }
}
