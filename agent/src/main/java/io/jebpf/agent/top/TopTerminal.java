package io.jebpf.agent.top;

import io.jebpf.agent.top.TopPage.Piece;
import io.jebpf.agent.top.TopPage.Style;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jline.terminal.Attributes;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.PosixSysTerminal;
import org.jline.terminal.impl.exec.ExecPty;
import org.jline.terminal.impl.exec.ExecTerminalProvider;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;

/**
 * The screen and the keys of {@code top}, by JLine; the one class that knows it. The terminal is as
 * it was after {@link #close}, whatever happened. Owner: one thread.
 */
final class TopTerminal implements AutoCloseable {
  private static final Path TTY = Path.of("/dev/tty");
  private static final int ESCAPE = 27;
  private static final int ESCAPE_MILLIS = 50;

  private final Terminal terminal;
  private final Attributes before;
  private final Display display;
  private Size size = new Size();

  /** What a key asks for. */
  enum Key {
    NONE,
    QUIT,
    HELP,
    PAUSE,
    VIEW,
    BY_SELF,
    BY_TOTAL,
    UP,
    DOWN,
    PAGE_UP,
    PAGE_DOWN
  }

  /** The terminal that controls this process, by its name: no descriptor is taken over. */
  private static final class Tty extends ExecPty {
    Tty() {
      super(new ExecTerminalProvider(), null, TTY.toString());
    }
  }

  private TopTerminal(Terminal terminal) {
    this.terminal = terminal;
    this.before = terminal.enterRawMode();
    this.display = new Display(terminal, true);
  }

  /** Whether people look: standard input and output are one terminal's. */
  static boolean isThere() {
    return isTerminal(0) && isTerminal(1) && Files.isWritable(TTY);
  }

  private static boolean isTerminal(int fd) {
    try {
      String path = Files.readSymbolicLink(Path.of("/proc/self/fd/" + fd)).toString();
      return path.startsWith("/dev/pts/")
          || path.startsWith("/dev/tty")
          || path.equals("/dev/console");
    } catch (IOException e) {
      return false;
    }
  }

  static TopTerminal open() throws IOException {
    String type = System.getenv().getOrDefault("TERM", "ansi");
    Terminal terminal =
        new PosixSysTerminal(
            "jebpf",
            type,
            new Tty(),
            StandardCharsets.UTF_8,
            false,
            Terminal.SignalHandler.SIG_DFL);
    TopTerminal opened = new TopTerminal(terminal);
    terminal.puts(Capability.enter_ca_mode);
    terminal.puts(Capability.keypad_xmit);
    terminal.puts(Capability.cursor_invisible);
    return opened;
  }

  int width() {
    return size().getColumns();
  }

  int height() {
    return size().getRows();
  }

  private Size size() {
    Size now = terminal.getSize();
    if (now.getRows() > 0 && !now.equals(size)) {
      size = now;
      display.resize(size.getRows(), size.getColumns());
      display.clear();
    }
    return size;
  }

  /**
   * Shows a page, the whole of it: sending only what changed left remnants in terminals that insert
   * and delete characters in their own way.
   */
  void show(List<List<Piece>> page) {
    List<AttributedString> lines = new ArrayList<>();
    for (List<Piece> line : page.subList(0, Math.min(page.size(), height()))) {
      AttributedStringBuilder built = new AttributedStringBuilder();
      for (Piece piece : line) {
        built.styled(style(piece.style()), piece.text());
      }
      lines.add(built.toAttributedString().columnSubSequence(0, width()));
    }
    while (lines.size() < height()) {
      lines.add(AttributedString.EMPTY);
    }
    display.clear();
    display.update(lines, 0);
    terminal.flush();
  }

  private static AttributedStyle style(Style style) {
    AttributedStyle plain = AttributedStyle.DEFAULT;
    return switch (style) {
      case PLAIN -> plain;
      case TITLE -> plain.bold();
      case HEADING -> plain.inverse();
      case RUNNING -> plain.foreground(AttributedStyle.GREEN);
      case RUNNABLE -> plain.foreground(AttributedStyle.YELLOW);
      case BLOCKED -> plain.foreground(AttributedStyle.RED);
      case FAINT -> plain.foreground(AttributedStyle.BRIGHT);
    };
  }

  /** The next key, waiting so long for one. */
  Key key(long millis) throws IOException {
    int character = terminal.reader().read(Math.max(1, millis));
    return switch (character) {
      case 'q', 'Q', 3 -> Key.QUIT; // 3: Ctrl-C, which raw mode hands over
      case 'h', '?' -> Key.HELP;
      case ' ' -> Key.PAUSE;
      case 'H', '\t' -> Key.VIEW;
      case 'P' -> Key.BY_SELF;
      case 'T' -> Key.BY_TOTAL;
      case 'k' -> Key.UP;
      case 'j' -> Key.DOWN;
      case ESCAPE -> sequence();
      case -1 -> Key.QUIT; // the terminal is gone
      default -> Key.NONE; // also: no key in time
    };
  }

  /** Cursor keys: ESC [ A or ESC O A, and ESC [ 5 ~. */
  private Key sequence() throws IOException {
    int kind = terminal.reader().read(ESCAPE_MILLIS);
    if (kind != '[' && kind != 'O') {
      return Key.NONE;
    }
    int letter = terminal.reader().read(ESCAPE_MILLIS);
    if (letter == '5' || letter == '6') {
      terminal.reader().read(ESCAPE_MILLIS); // the closing ~
    }
    return switch (letter) {
      case 'A' -> Key.UP;
      case 'B' -> Key.DOWN;
      case '5' -> Key.PAGE_UP;
      case '6' -> Key.PAGE_DOWN;
      default -> Key.NONE;
    };
  }

  @Override
  public void close() throws IOException {
    try {
      terminal.puts(Capability.cursor_visible);
      terminal.puts(Capability.keypad_local);
      terminal.puts(Capability.exit_ca_mode);
      terminal.flush();
      terminal.setAttributes(before);
    } finally {
      terminal.close();
    }
  }
}
