package io.jebpf.agent.top;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Lays a {@link TopModel} out in lines of a width, each made of pieces with a style, for a terminal
 * or for plain text.
 */
final class TopPage {
  private static final int BAR_CHARS = 20;
  private static final int NAME_CHARS = 28;

  /** Most lines of each list where there is no screen that sets a limit. */
  private static final int PLAIN_LINES = 15;

  /** What a piece of text is; the terminal gives it a colour. */
  enum Style {
    PLAIN,
    TITLE,
    HEADING,
    RUNNING,
    RUNNABLE,
    BLOCKED,
    FAINT
  }

  record Piece(String text, Style style) {}

  /** What is shown. */
  enum View {
    BOTH,
    METHODS,
    THREADS
  }

  /** How methods are ordered. */
  enum Order {
    SELF,
    TOTAL
  }

  /**
   * How the user wants it.
   *
   * @param skip lines of the lists that were scrolled away
   */
  record Wish(View view, Order order, int skip, boolean paused) {
    static final Wish FIRST = new Wish(View.BOTH, Order.SELF, 0, false);
  }

  private TopPage() {}

  /** The whole page. */
  static List<List<Piece>> of(String title, TopModel model, Wish wish, int width, int height) {
    List<List<Piece>> lines = new ArrayList<>();
    lines.add(List.of(new Piece(title + (wish.paused() ? "  [paused]" : ""), Style.TITLE)));
    lines.add(summary(model));
    int room = height <= 0 ? 2 * PLAIN_LINES + 4 : Math.max(4, height - 3);
    int methodLines =
        switch (wish.view()) {
          case BOTH -> room / 2 - 1;
          case METHODS -> room - 1;
          case THREADS -> 0;
        };
    if (wish.view() != View.THREADS) {
      methods(model, wish, width, methodLines, lines);
    }
    if (wish.view() != View.METHODS) {
      threads(model, wish, width, room - methodLines - 2, lines);
    }
    return lines;
  }

  private static List<Piece> summary(TopModel model) {
    long running = 0;
    long runnable = 0;
    long blocked = 0;
    for (TopModel.Activity thread : model.threads()) {
      running += thread.running();
      runnable += thread.runnable();
      blocked += thread.blocked();
    }
    return List.of(
        new Piece("CPU " + percent(running, model.nanos()) + "   ", Style.PLAIN),
        new Piece("running # " + average(running, model.nanos()) + "   ", Style.RUNNING),
        new Piece(
            "waiting for a CPU + " + average(runnable, model.nanos()) + "   ", Style.RUNNABLE),
        new Piece("blocked - " + average(blocked, model.nanos()), Style.BLOCKED),
        new Piece("   threads on average, of " + model.threads().size() + " active", Style.FAINT));
  }

  private static void methods(
      TopModel model, Wish wish, int width, int count, List<List<Piece>> lines) {
    List<TopModel.Method> methods = new ArrayList<>(model.methods());
    if (wish.order() == Order.TOTAL) {
      methods.sort((a, b) -> Long.compare(b.totalNanos(), a.totalNanos()));
    }
    lines.add(List.of(new Piece(pad("  SELF%  TOTAL%  METHOD", width), Style.HEADING)));
    methods.stream()
        .skip(wish.skip())
        .limit(count)
        .forEach(
            method -> {
              String numbers =
                  String.format(
                      Locale.ROOT,
                      "%6.1f  %6.1f  ",
                      100.0 * method.selfNanos() / model.nanos(),
                      100.0 * method.totalNanos() / model.nanos());
              lines.add(
                  List.of(
                      new Piece(numbers, Style.RUNNING),
                      new Piece(cut(method.name(), width - numbers.length()), Style.PLAIN)));
            });
  }

  private static void threads(
      TopModel model, Wish wish, int width, int count, List<List<Piece>> lines) {
    String heading =
        String.format(
            Locale.ROOT,
            "%-" + NAME_CHARS + "s  %6s %-" + BAR_CHARS + "s  %s",
            "THREAD",
            "CPU%",
            "# RUN + QUEUE - BLOCK",
            "WAITS FOR");
    lines.add(List.of(new Piece(cut(pad(heading, width), width), Style.HEADING)));
    model.threads().stream()
        .skip(wish.view() == View.THREADS ? wish.skip() : 0)
        .limit(Math.max(0, count))
        .forEach(thread -> lines.add(thread(thread, model.nanos(), width)));
  }

  private static List<Piece> thread(TopModel.Activity thread, long nanos, int width) {
    int run = chars(thread.running(), nanos);
    int queue = Math.min(BAR_CHARS - run, chars(thread.runnable(), nanos));
    int block = Math.min(BAR_CHARS - run - queue, chars(thread.blocked(), nanos));
    String name =
        String.format(
            Locale.ROOT,
            "%-" + NAME_CHARS + "s  %6.1f ",
            cut(thread.thread(), NAME_CHARS),
            100.0 * thread.running() / nanos);
    String waits =
        thread.waitsFor().isEmpty()
            ? ""
            : "  " + thread.waitsFor() + (thread.where().isEmpty() ? "" : " in " + thread.where());
    return List.of(
        new Piece(name, Style.PLAIN),
        new Piece("#".repeat(run), Style.RUNNING),
        new Piece("+".repeat(queue), Style.RUNNABLE),
        new Piece("-".repeat(block), Style.BLOCKED),
        new Piece(" ".repeat(BAR_CHARS - run - queue - block), Style.PLAIN),
        new Piece(cut(waits, width - name.length() - BAR_CHARS), Style.FAINT));
  }

  /** Anything that is there at all shows. */
  private static int chars(long part, long nanos) {
    return part <= 0
        ? 0
        : (int) Math.min(BAR_CHARS, Math.max(1, Math.round((double) BAR_CHARS * part / nanos)));
  }

  private static String percent(long part, long nanos) {
    return String.format(Locale.ROOT, "%.1f%%", 100.0 * part / nanos);
  }

  private static String average(long part, long nanos) {
    return String.format(Locale.ROOT, "%.2f", (double) part / nanos);
  }

  private static String cut(String text, int chars) {
    int room = Math.max(1, chars);
    return text.length() <= room ? text : text.substring(0, room - 1) + "…";
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
