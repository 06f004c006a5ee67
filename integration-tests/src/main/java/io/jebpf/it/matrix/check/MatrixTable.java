package io.jebpf.it.matrix.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The results of the matrix as a part of docs/quality.md, between two comments. */
final class MatrixTable {
  private static final String BEGIN = "<!-- matrix: written by `make matrix`, do not edit -->";
  private static final String END = "<!-- matrix: end -->";

  private final Map<String, CellResult> results;

  /** Results by cell name, blank and profiler. */
  MatrixTable(Map<String, CellResult> results) {
    this.results = results;
  }

  void writeInto(Path page, String when) throws IOException {
    String text = Files.readString(page);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalStateException(page + " has no place for the matrix: " + BEGIN);
    }
    Files.writeString(
        page, text.substring(0, begin) + BEGIN + "\n" + markdown(when) + text.substring(end));
  }

  String markdown(String when) {
    StringBuilder page = new StringBuilder();
    page.append("\n").append(summary(CellRun.JEBPF)).append("\n").append(waits()).append("\n");
    page.append(summary(CellRun.ASYNC));
    page.append("\n").append(when).append("\n");
    for (String load : Cell.LOADS) {
      page.append("\n### ").append(load).append("\n\n| options |");
      Cell.COLLECTORS.forEach(collector -> page.append(' ').append(collector).append(" |"));
      page.append("\n|---|").append("---|".repeat(Cell.COLLECTORS.size())).append('\n');
      for (String options : Cell.OPTIONS) {
        page.append("| `").append(options).append("` |");
        for (String collector : Cell.COLLECTORS) {
          page.append(' ').append(cell(new Cell(collector, options, load))).append(" |");
        }
        page.append('\n');
      }
    }
    return page.append('\n').toString();
  }

  private String cell(Cell cell) {
    CellResult ours = results.get(key(cell, CellRun.JEBPF));
    CellResult theirs = results.get(key(cell, CellRun.ASYNC));
    if (ours == null) {
      return "not run";
    }
    String text = ours.passes() ? ours.text() : "**" + ours.text() + "**";
    return text + " · " + (theirs == null ? "–" : theirs.text());
  }

  private String summary(String profiler) {
    Collection<CellResult> of =
        results.values().stream().filter(r -> r.profiler().equals(profiler)).toList();
    List<CellResult> ok = of.stream().filter(CellResult::isOk).toList();
    long samples = ok.stream().mapToLong(CellResult::samples).sum();
    long whole = ok.stream().mapToLong(CellResult::whole).sum();
    return String.format(
        Locale.ROOT,
        "%s: %d cells run, %d with figures, %d with at least 99.9 %% whole, 0 impossible pairs and"
            + " 0 lost; crashes %d; of %,d samples %.3f %% whole; %,d pairs judged, %,d impossible,"
            + " %,d could not be judged; %d samples lost.%n",
        profiler.equals(CellRun.ASYNC) ? "async-profiler 4.6, `cstack=vm`" : "jebpf",
        of.size(),
        ok.size(),
        ok.stream().filter(CellResult::passes).count(),
        of.stream().filter(r -> r.status().startsWith("crashed")).count(),
        samples,
        samples == 0 ? 0 : 100.0 * whole / samples,
        ok.stream().mapToLong(CellResult::pairs).sum(),
        ok.stream().mapToLong(CellResult::impossible).sum(),
        ok.stream().mapToLong(CellResult::unknown).sum(),
        ok.stream().mapToLong(CellResult::lost).sum());
  }

  private String waits() {
    List<CellResult> of = results.values().stream().filter(r -> r.waits() > 0).toList();
    long waits = of.stream().mapToLong(CellResult::waits).sum();
    long whole = of.stream().mapToLong(CellResult::waitsWhole).sum();
    return String.format(
        Locale.ROOT,
        "Stacks of waits, of all threads: %d cells run with them, in %d at most two or 0.1 %%"
            + " broken; of %,d stacks %,d whole, %.3f %%.%n",
        of.size(),
        of.stream().filter(CellResult::waitsPass).count(),
        waits,
        whole,
        waits == 0 ? 0 : 100.0 * whole / waits);
  }

  static String key(Cell cell, String profiler) {
    return cell.name() + " " + profiler;
  }
}
