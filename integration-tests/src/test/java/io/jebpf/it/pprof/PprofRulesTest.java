package io.jebpf.it.pprof;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The checker of the integration tests finds each broken rule, and nothing in a good profile. */
@Beside
class PprofRulesTest {
  @TempDir Path directory;

  @Test
  void goodProfileBreaksNothingAndReadsBack() throws IOException {
    byte[] bytes = new ProfileBytes().build();
    assertEquals(List.of(), PprofRules.broken(RawProfile.parse(bytes)));
    Profile profile = Profile.read(Files.write(directory.resolve("good.pb.gz"), bytes));
    assertEquals(List.of("samples/count", "cpu/nanoseconds"), profile.sampleTypes());
    Profile.Stack stack = profile.stacks().get(0);
    assertEquals("main", stack.thread());
    assertEquals(new Profile.Frame("a.B.leaf", "a/B.java", 17, "[jvm]"), stack.frames().get(0));
    assertEquals("a.B.root", stack.root().function());
    assertEquals(30_000_000, Picture.of(List.of(profile)).nanos());
  }

  static Stream<Arguments> breakages() {
    return Stream.of(
        breakage("1: the body is not gzipped", p -> p.gzip = false),
        breakage("1: string_table[0]", p -> p.strings.set(0, "x")),
        breakage("1: a string has", p -> p.strings.set(5, "x".repeat(70_000))),
        breakage("1: label names string", p -> p.strings.remove(10)),
        breakage("2: location 1 has id 3", p -> p.secondLocationId = 3),
        breakage("2: function 1 has id 9", p -> p.secondFunctionId = 9),
        breakage("2: a sample names location 7", p -> p.stack = new long[] {7}),
        breakage("3: no period_type", p -> p.periodType = false),
        breakage("4: sample type has the name", p -> p.strings.set(1, "sam-ples")),
        breakage("5: time_nanos", p -> p.timeNanos = 0),
        breakage("6: duration_nanos", p -> p.durationNanos = 0),
        breakage("7: a sample has 1 values", p -> p.values = new long[] {1}),
        breakage("7: a sample has the value -1", p -> p.values = new long[] {1, -1}),
        breakage("7: a sample has no value above 0", p -> p.values = new long[] {0, 0}),
        breakage("8: two samples", p -> p.sampleCopies = 2),
        breakage("9: location 1 has mapping 0", p -> p.mappingOfLocations = 0),
        breakage("9: no mapping with a file name", p -> p.strings.set(8, "")),
        breakage("10: location 1 has 2 lines", p -> p.linesPerLocation = 2),
        breakage(
            "11: a sample has 1001 frames",
            p -> p.stack = Stream.generate(() -> 1L).limit(1001).mapToLong(i -> i).toArray()),
        breakage("11: 16001 samples", p -> p.sampleCopies = 16_001),
        breakage("12: label thread is numeric", p -> p.labelNumber = 5),
        breakage("14: function a.B.leaf has the system_name", p -> p.systemName = 5));
  }

  private static Arguments breakage(String rule, Consumer<ProfileBytes> breaks) {
    return Arguments.of(rule, breaks);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("breakages")
  void eachBrokenRuleIsFound(String rule, Consumer<ProfileBytes> breaks) throws IOException {
    ProfileBytes profile = new ProfileBytes();
    breaks.accept(profile);
    List<String> broken = PprofRules.broken(RawProfile.parse(profile.build()));
    assertTrue(broken.stream().anyMatch(line -> line.startsWith(rule)), broken::toString);
  }

  @Test
  void bytesThatAreNoProfileAreRefused() throws IOException {
    Path file = Files.write(directory.resolve("bad.pb.gz"), new byte[] {0x0a, 0x7f, 1});
    MalformedProfile refused = assertThrows(MalformedProfile.class, () -> RawProfile.read(file));
    assertTrue(refused.getMessage().contains("passes the end of its message"), refused::getMessage);
  }
}
