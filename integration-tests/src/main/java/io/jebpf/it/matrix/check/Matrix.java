package io.jebpf.it.matrix.check;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The matrix of {@code make matrix}. What is measured goes line by line into a file, so that a part
 * can be run again: the last line of a cell counts. At the end the table is written from that file.
 *
 * <p>System properties: {@code matrix.dir} (working directory), {@code matrix.page} (page with the
 * table, none: not written), {@code matrix.cells} (pattern of cell names, such as {@code G1/.*}),
 * {@code matrix.failing} (true: only cells that did not pass), {@code matrix.new} (true: only those
 * without a result), {@code matrix.profilers}, {@code matrix.seconds}, {@code matrix.workers},
 * {@code matrix.prefix}, {@code matrix.async}, {@code matrix.library}, {@code matrix.bare}.
 */
public final class Matrix {
  private final Path resultsFile;
  private final Map<String, CellResult> results = new LinkedHashMap<>();

  private Matrix(Path resultsFile) throws IOException {
    this.resultsFile = resultsFile;
    if (Files.exists(resultsFile)) {
      Files.readAllLines(resultsFile).stream().map(CellResult::parse).forEach(this::keep);
    }
  }

  public static void main(String[] args) throws Exception {
    Path directory = Path.of(System.getProperty("matrix.dir"));
    Files.createDirectories(directory);
    Matrix matrix = new Matrix(directory.resolve("results.tsv"));
    CellRun run =
        new CellRun(
            directory,
            Path.of(System.getProperty("matrix.library")),
            Path.of(System.getProperty("matrix.bare")),
            Path.of(System.getProperty("matrix.async", "none")),
            Arrays.stream(System.getProperty("matrix.prefix", "").split(" "))
                .filter(word -> !word.isEmpty())
                .toList(),
            Integer.getInteger("matrix.seconds", 4),
            rules());
    matrix.run(run);
    String page = System.getProperty("matrix.page", "");
    if (!page.isEmpty()) {
      new MatrixTable(matrix.results).writeInto(Path.of(page), conditions());
    }
    boolean allPass =
        matrix.results.values().stream()
            .filter(result -> result.profiler().equals(CellRun.JEBPF))
            .allMatch(result -> result.passes() || result.status().startsWith("refused"));
    System.exit(allPass && matrix.waitsAreWhole() ? 0 : 1);
  }

  /** Two of some hundred may be broken in a cell, but not in each. */
  private boolean waitsAreWhole() {
    long waits = results.values().stream().mapToLong(CellResult::waits).sum();
    long whole = results.values().stream().mapToLong(CellResult::waitsWhole).sum();
    System.out.println("waits: " + whole + " of " + waits + " whole");
    return whole >= CellResult.WHOLE_MIN * waits;
  }

  /**
   * What one run of a cell under our agent gave; {@code whole} is a share. Of the {@code waits}
   * whose stacks were walked {@code waitsWhole} were whole.
   */
  public record Verdict(
      String status,
      long samples,
      double whole,
      long pairs,
      long impossible,
      long lost,
      long waits,
      long waitsWhole,
      String troubles) {}

  /** Runs one cell under our agent, some seconds long. */
  public static Verdict run(Path directory, Path library, String cell) throws IOException {
    CellRun run = new CellRun(directory, library, library, library, List.of(), 3, rules());
    CellRun.Outcome outcome = run.jebpf(Cell.parse(cell));
    CellResult result = outcome.result();
    return new Verdict(
        result.status(),
        result.samples(),
        result.share(),
        result.pairs(),
        result.impossible(),
        result.lost(),
        result.waits(),
        result.waitsWhole(),
        result.line() + "\n" + outcome.troubles());
  }

  private static String conditions() {
    return "Last part run with Java "
        + Runtime.version()
        + " on Linux "
        + System.getProperty("os.version")
        + ", "
        + Runtime.getRuntime().availableProcessors()
        + " CPUs.";
  }

  /** The rules for the loads' classes, which must be on the class path. */
  static CallRules rules() throws IOException {
    Path directory = io.jebpf.it.harness.Locations.classes();
    try (Stream<Path> files = Files.walk(directory.resolve("io/jebpf/it"))) {
      return new CallRules(
          files
              .map(file -> directory.relativize(file).toString())
              .filter(file -> file.endsWith(".class"))
              .map(file -> file.substring(0, file.length() - 6).replace('/', '.'))
              .toList());
    }
  }

  private void run(CellRun run) throws Exception {
    Pattern wanted = Pattern.compile(System.getProperty("matrix.cells", ".*"));
    boolean failing = Boolean.getBoolean("matrix.failing");
    boolean only = Boolean.getBoolean("matrix.new");
    ExecutorService workers = Executors.newFixedThreadPool(Integer.getInteger("matrix.workers", 2));
    List<Future<?>> running = new ArrayList<>();
    for (String profiler : System.getProperty("matrix.profilers", "jebpf,async").split(",")) {
      for (Cell cell : Cell.all()) {
        CellResult before = results.get(MatrixTable.key(cell, profiler));
        if (wanted.matcher(cell.name()).matches()
            && !(failing && before != null && before.passes())
            && !(only && before != null)) {
          running.add(workers.submit(() -> one(run, cell, profiler)));
        }
      }
    }
    for (Future<?> each : running) {
      each.get();
    }
    workers.shutdown();
  }

  private void one(CellRun run, Cell cell, String profiler) {
    try {
      CellRun.Outcome outcome = profiler.equals(CellRun.JEBPF) ? run.jebpf(cell) : run.async(cell);
      report(outcome);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      report(new CellRun.Outcome(CellResult.without(cell, profiler, "failed"), e.toString()));
    }
  }

  private synchronized void report(CellRun.Outcome outcome) {
    CellResult result = outcome.result();
    System.out.println(
        result.cell().name()
            + "  "
            + result.profiler()
            + "  "
            + result.text()
            + "  of "
            + result.samples()
            + (result.waits() == 0
                ? ""
                : ", waits " + result.waitsWhole() + " of " + result.waits()));
    boolean ours = result.profiler().equals(CellRun.JEBPF);
    if (ours && (!result.passes() || result.unknown() > 0)) {
      System.out.println("  " + outcome.troubles());
    }
    keep(result);
    try {
      Files.writeString(
          resultsFile, result.line() + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private synchronized void keep(CellResult result) {
    results.put(MatrixTable.key(result.cell(), result.profiler()), result);
  }
}
