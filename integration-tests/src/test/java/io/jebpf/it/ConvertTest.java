package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.PprofRules;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.pprof.RawProfile;
import io.jebpf.it.workload.JfrLoad;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Command {@code convert} on a recording that the JDK itself has made of a known program. */
@Beside
class ConvertTest {
  @TempDir Path directory;

  @Test
  void everyKindBecomesAProfileThatServersTake() throws Exception {
    Path recording = directory.resolve("rec.jfr");
    ChildResult result =
        ChildJvm.in(directory.resolve("jvm"))
            .jvm("-XX:StartFlightRecording:settings=profile,filename=" + recording)
            .main(JfrLoad.class, 3)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profile cpu = convert(recording, "cpu", "samples/count", "cpu/nanoseconds");
    assertEquals("cpu/nanoseconds", cpu.periodType());
    assertTrue(value(cpu, "JfrLoad.burn", "cpu/nanoseconds") > 500_000_000L, cpu::toString);
    // 10 ms in the settings named profile: time is samples times that.
    assertEquals(
        value(cpu, "JfrLoad.burn", "samples/count") * 10_000_000L,
        value(cpu, "JfrLoad.burn", "cpu/nanoseconds"));
    assertTrue(
        cpu.stacks().stream()
            .filter(stack -> stack.contains(JfrLoad.class.getName() + ".burn"))
            .allMatch(stack -> stack.thread().equals("burner")),
        "threads have their names");
    Profile alloc = convert(recording, "alloc", "alloc_objects/count", "alloc_space/bytes");
    assertTrue(value(alloc, "JfrLoad.allocate", "alloc_space/bytes") > 1_000_000, alloc::toString);
    assertTrue(
        alloc.stacks().stream().anyMatch(stack -> stack.contains("byte[]")), "class of objects");
    Profile lock = convert(recording, "lock", "contentions/count", "delay/nanoseconds");
    long delay = value(lock, "JfrLoad.contend", "delay/nanoseconds");
    assertTrue(delay > 100_000_000L, "delay " + delay);
  }

  private Profile convert(Path recording, String kind, String... types) throws Exception {
    Path profile = directory.resolve(kind + ".pb.gz");
    Tools.Outcome outcome = Jebpf.run(directory, "convert", "--kind=" + kind, recording, profile);
    assertEquals(0, outcome.exitCode(), outcome.output());
    assertEquals(List.of(), PprofRules.broken(RawProfile.read(profile)), kind);
    Profile read = Profile.read(profile);
    assertEquals(List.of(types), read.sampleTypes());
    return read;
  }

  private static long value(Profile profile, String function, String type) {
    int index = profile.valueIndex(type);
    return profile.stacks().stream()
        .filter(stack -> stack.contains("io.jebpf.it.workload." + function))
        .mapToLong(stack -> stack.values()[index])
        .sum();
  }

  @Test
  void whatIsNoRecordingIsOneLine() throws Exception {
    Path text =
        Files.writeString(directory.resolve("x.jfr"), "no recording, but long enough".repeat(9));
    Tools.Outcome outcome = Jebpf.run(directory, "convert", text, directory.resolve("x.pb.gz"));
    assertEquals(1, outcome.exitCode(), outcome.output());
    assertEquals(1, outcome.output().lines().count(), outcome.output());
    assertEquals(2, Jebpf.run(directory, "convert", text).exitCode());
  }
}
