package io.jebpf.it.context;

import io.jebpf.it.pprof.Profile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * How much larger profiles are with the ids of spans. Arguments: a directory with profiles of
 * {@link RequestLoad} with ids, one without, and the most that the one may be larger.
 */
public final class SizeOfIds {
  private SizeOfIds() {}

  /** Sums over the profiles of a directory; rates and window must have been the same. */
  public record Sums(long files, long bytes, long samples, long rows, long rowsWithSpan) {
    double bytesOfFile() {
      return (double) bytes / files;
    }
  }

  public static void main(String[] arguments) throws IOException {
    boolean good = true;
    for (String kind : List.of("cpu", "offcpu", "wall")) {
      Sums with = sums(Path.of(arguments[0]), kind);
      Sums without = sums(Path.of(arguments[1]), kind);
      double ratio = ratio(with, without);
      System.out.printf(
          "%s: with ids %s%n  without %s%n  ratio %.2f%n", kind, with, without, ratio);
      good &= with.rowsWithSpan > 0 && without.rowsWithSpan == 0;
      good &= ratio <= Double.parseDouble(arguments[2]);
    }
    System.exit(good ? 0 : 1);
  }

  /** How many times larger a window's file is. */
  public static double ratio(Sums with, Sums without) {
    return with.bytesOfFile() / without.bytesOfFile();
  }

  /** Of whole windows: the first and the last file of a kind are left out. */
  public static Sums sums(Path directory, String kind) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> all =
          files
              .filter(file -> file.getFileName().toString().startsWith(kind + "-"))
              .filter(file -> file.toString().endsWith(".pb.gz"))
              .sorted()
              .toList();
      List<Path> whole = all.size() > 2 ? all.subList(1, all.size() - 1) : all;
      long bytes = 0;
      long samples = 0;
      long rows = 0;
      long spans = 0;
      for (Path file : whole) {
        bytes += Files.size(file);
        for (Profile.Stack stack : Profile.read(file).stacks()) {
          samples += stack.values()[0];
          rows++;
          spans += stack.labels().containsKey("span_id") ? 1 : 0;
        }
      }
      return new Sums(whole.size(), bytes, samples, rows, spans);
    }
  }
}
