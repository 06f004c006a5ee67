package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.PprofRules;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.pprof.RawProfile;
import java.nio.file.Path;
import java.util.List;

/** Assertions on the profiles of a run. */
final class Profiles {
  private Profiles() {}

  /** Every file keeps every rule of the contract. */
  static void assertRules(ChildResult result) {
    assertFalse(result.profileFiles().isEmpty(), () -> "no profile was written: " + result);
    for (Path file : result.profileFiles()) {
      assertEquals(
          List.of(), PprofRules.broken(RawProfile.read(file)), () -> file + " breaks rules");
      assertTrue(
          file.getFileName()
              .toString()
              .matches("(cpu|offcpu|wall)-\\d{8}T\\d{6}Z(_\\d+)?\\.pb\\.gz"),
          () -> "file name " + file.getFileName());
    }
    for (Profile profile : result.profiles()) {
      assertEquals(List.of("samples/count", "cpu/nanoseconds"), profile.sampleTypes());
      assertEquals("cpu/nanoseconds", profile.periodType());
    }
  }

  /** Sum of a quality figure over all files; each file must have it. */
  static long sum(ChildResult result, String key) {
    return sum(result.profiles(), key);
  }

  static long sum(List<Profile> profiles, String key) {
    return profiles.stream().mapToLong(profile -> figure(profile, key)).sum();
  }

  /** Of figures that are only written when they are not 0. */
  static long sumIfThere(List<Profile> profiles, String key) {
    return profiles.stream()
        .filter(p -> p.comments().stream().anyMatch(c -> c.startsWith(key + "=")))
        .mapToLong(p -> figure(p, key))
        .sum();
  }

  /** A quality figure of one file, which must have it. */
  static long figure(Profile profile, String key) {
    return profile.comments().stream()
        .filter(comment -> comment.startsWith(key + "="))
        .map(comment -> Long.parseLong(comment.substring(key.length() + 1)))
        .findFirst()
        .orElseThrow(
            () ->
                new AssertionError(profile.file() + " has no " + key + ": " + profile.comments()));
  }

  /** Nothing was lost, and what was taken is what the file holds. */
  static void assertNothingLost(ChildResult result) {
    assertEquals(0, sum(result, "samples_lost"), () -> "samples were lost: " + comments(result));
    assertEquals(
        sum(result, "samples_taken"),
        result.picture().samples(),
        "samples taken and samples in the files");
  }

  static String comments(ChildResult result) {
    return result.profiles().stream()
        .map(p -> p.comments().toString())
        .reduce("", (a, b) -> a + "\n" + b);
  }
}
