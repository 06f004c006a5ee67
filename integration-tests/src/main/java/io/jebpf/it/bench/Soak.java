package io.jebpf.it.bench;

import io.jebpf.it.harness.Applications;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.pprof.Picture;
import io.jebpf.it.pprof.PprofRules;
import io.jebpf.it.pprof.Profile;
import io.jebpf.it.pprof.RawProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Real applications under the agent for longer than a test may take: how whole their profiles are.
 * Arguments: working directory, scale (1 is about 30 s per application and rate), rates.
 */
public final class Soak {
  private static final String FORMAT = "%-8s %5s  %9s %9s %9s %7s %9s %9s%n";

  private Soak() {}

  /** A run of an application; see {@link Applications}. */
  private interface Application {
    List<ChildResult> run(Path directory, String agent) throws IOException;
  }

  public static void main(String[] args) throws IOException {
    Path work = Path.of(args[0]);
    int scale = Integer.parseInt(args[1]);
    System.out.printf(
        FORMAT, "", "Hz", "samples", "to root", "named", "lost", "files", "bad files");
    for (int i = 2; i < args.length; i++) {
      int hz = Integer.parseInt(args[i]);
      show(work, "h2", hz, (dir, agent) -> Applications.h2(dir, agent, 30 * scale));
      show(work, "kafka", hz, (dir, agent) -> Applications.kafka(dir, agent, 2_000_000 * scale));
      show(work, "lucene", hz, (dir, agent) -> Applications.lucene(dir, agent, 20 * scale));
    }
  }

  private static void show(Path work, String name, int hz, Application application)
      throws IOException {
    Path directory = Files.createDirectories(work.resolve(name + "-" + hz));
    List<ChildResult> results = application.run(directory, "budget=100%,cpu=" + hz);
    List<Path> files = results.stream().flatMap(r -> r.profileFiles().stream()).toList();
    List<Profile> profiles = results.stream().flatMap(r -> r.profiles().stream()).toList();
    Picture picture = Picture.of(profiles);
    long bad = files.stream().filter(f -> !PprofRules.broken(RawProfile.read(f)).isEmpty()).count();
    System.out.printf(
        Locale.ROOT,
        FORMAT,
        name,
        hz,
        picture.samples(),
        percent(picture.rootShare()),
        percent(picture.namedShare()),
        lost(profiles),
        files.size(),
        bad);
    Files.writeString(directory.resolve("troubles.txt"), picture.troubles());
  }

  private static long lost(List<Profile> profiles) {
    return profiles.stream()
        .flatMap(profile -> profile.comments().stream())
        .filter(comment -> comment.startsWith("samples_lost="))
        .mapToLong(comment -> Long.parseLong(comment.substring(comment.indexOf('=') + 1)))
        .sum();
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.3f%%", 100 * share);
  }
}
