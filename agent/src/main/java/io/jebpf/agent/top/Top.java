package io.jebpf.agent.top;

import io.jebpf.agent.attach.Attacher;
import io.jebpf.agent.attach.TopFeed;
import io.jebpf.agent.pprof.ProfileData;
import io.jebpf.agent.top.TopPage.Order;
import io.jebpf.agent.top.TopPage.Piece;
import io.jebpf.agent.top.TopPage.Style;
import io.jebpf.agent.top.TopPage.View;
import io.jebpf.agent.top.TopPage.Wish;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shows a JVM second by second, on a terminal or as text. The agent in the JVM sends the seconds
 * ({@link TopFeed}); everything else happens here. Owner: one thread.
 */
public final class Top {
  private static final int LOOK_MILLIS = 50;

  /** A JVM that sends nothing for so long is stopped, or has no CPU. */
  private static final long SILENCE_NANOS = 30_000_000_000L;

  /** Width of plain text, for people who pipe it somewhere. */
  private static final int PLAIN_WIDTH = 132;

  private static final List<String> HELP =
      List.of(
          "  q, Ctrl-C     end",
          "  Space         pause, and go on",
          "  H, Tab        methods and threads, methods only, threads only",
          "  P             order methods by CPU time of their own",
          "  T             order methods by CPU time with all they call",
          "  j k ↓ ↑       scroll by a line; PgDn PgUp by a page",
          "  h, ?          this page",
          "",
          "  Bars: # running, + waiting for a CPU, - blocked; the rest of a second is idle.",
          "  SELF% and CPU% are parts of one CPU.");

  private final Attacher attacher;
  private final String name;
  private String shown = "";
  private long heardNanos = System.nanoTime();
  private Optional<TopModel> model = Optional.empty();

  /**
   * @param name what the title calls the JVM
   */
  public Top(Attacher attacher, String name) {
    this.attacher = attacher;
    this.name = name;
  }

  /** Whether there is a terminal to show it on. */
  public static boolean hasTerminal() {
    return TopTerminal.isThere();
  }

  /**
   * Prints so many seconds as text; 0 for no end.
   *
   * @return why it ended before; empty when it did not
   */
  public String plain(PrintStream out, int seconds) throws IOException, InterruptedException {
    int printed = 0;
    while (seconds == 0 || printed < seconds) {
      if (hear()) {
        printed++;
        for (List<Piece> line :
            TopPage.of(title(), model.orElseThrow(), Wish.FIRST, PLAIN_WIDTH, 0)) {
          StringBuilder text = new StringBuilder();
          line.forEach(piece -> text.append(piece.text()));
          out.println(text.toString().stripTrailing());
        }
        out.println();
        out.flush();
      }
      if (!over().isEmpty() || out.checkError()) {
        return over();
      }
      Thread.sleep(LOOK_MILLIS);
    }
    return "";
  }

  /** Shows it on the terminal until the user has had enough; returns why it ended before. */
  public String live() throws IOException {
    try (TopTerminal terminal = TopTerminal.open()) {
      Wish wish = Wish.FIRST;
      boolean help = false;
      while (true) {
        boolean fresh = hear();
        TopTerminal.Key key = terminal.key(LOOK_MILLIS);
        if (key == TopTerminal.Key.QUIT || !over().isEmpty()) {
          return key == TopTerminal.Key.QUIT ? "" : over();
        }
        help = key == TopTerminal.Key.HELP ? !help : help && key == TopTerminal.Key.NONE;
        wish = next(wish, key, terminal.height());
        if (fresh && !wish.paused() || key != TopTerminal.Key.NONE) {
          terminal.show(help ? help() : page(wish, terminal.width(), terminal.height()));
        }
      }
    }
  }

  private List<List<Piece>> page(Wish wish, int width, int height) {
    return model
        .map(known -> TopPage.of(title(), known, wish, width, height))
        .orElseGet(() -> List.of(List.of(new Piece(title(), Style.TITLE))));
  }

  private List<List<Piece>> help() {
    List<List<Piece>> lines = new ArrayList<>();
    lines.add(List.of(new Piece(title(), Style.TITLE)));
    HELP.forEach(line -> lines.add(List.of(new Piece(line, Style.PLAIN))));
    return lines;
  }

  private static Wish next(Wish wish, TopTerminal.Key key, int height) {
    int page = Math.max(1, height - 6);
    return switch (key) {
      case PAUSE -> new Wish(wish.view(), wish.order(), wish.skip(), !wish.paused());
      case VIEW ->
          new Wish(
              View.values()[(wish.view().ordinal() + 1) % View.values().length],
              wish.order(),
              0,
              wish.paused());
      case BY_SELF -> new Wish(wish.view(), Order.SELF, 0, wish.paused());
      case BY_TOTAL -> new Wish(wish.view(), Order.TOTAL, 0, wish.paused());
      case UP -> scrolled(wish, -1);
      case DOWN -> scrolled(wish, 1);
      case PAGE_UP -> scrolled(wish, -page);
      case PAGE_DOWN -> scrolled(wish, page);
      case NONE, QUIT, HELP -> wish;
    };
  }

  private static Wish scrolled(Wish wish, int lines) {
    return new Wish(wish.view(), wish.order(), Math.max(0, wish.skip() + lines), wish.paused());
  }

  private String title() {
    LocalTime now = LocalTime.now(ZoneId.systemDefault()).truncatedTo(ChronoUnit.SECONDS);
    return "jebpf top - " + now + "  " + name + "   (h for help)";
  }

  /** Takes a new second, if there is one. */
  private boolean hear() throws IOException {
    attacher.alive();
    String second = text(TopFeed.SECOND);
    if (second.isEmpty() || second.equals(shown)) {
      return false;
    }
    shown = second;
    heardNanos = System.nanoTime();
    String[] numberAndLength = second.split(" ");
    Optional<byte[]> cpu = attacher.file(TopFeed.CPU);
    if (numberAndLength.length != 2 || cpu.isEmpty()) {
      return false;
    }
    ProfileData running = ProfileData.read(cpu.get());
    Optional<byte[]> offCpu = attacher.file(TopFeed.OFFCPU);
    ProfileData waiting =
        offCpu.isEmpty()
            ? new ProfileData(List.of(), List.of(), 0, 0, List.of())
            : ProfileData.read(offCpu.get());
    model = Optional.of(TopModel.of(running, waiting, Long.parseLong(numberAndLength[1])));
    return true;
  }

  /** Why nothing more will come; empty when more may. */
  private String over() {
    if (shown.equals(TopFeed.OVER)) {
      return "the profiler in the JVM was stopped";
    }
    if (!attacher.isTargetAlive()) {
      return "the JVM has ended";
    }
    return System.nanoTime() - heardNanos > SILENCE_NANOS ? "the JVM does not answer" : "";
  }

  private String text(String file) throws IOException {
    return attacher.file(file).map(bytes -> new String(bytes, StandardCharsets.UTF_8)).orElse("");
  }
}
