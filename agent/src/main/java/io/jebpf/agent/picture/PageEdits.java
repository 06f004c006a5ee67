package io.jebpf.agent.picture;

/**
 * What the library's page does not know of our profiles: values are times as often as counts, and
 * some frames are markers. Each edit replaces one known text of the page of jfr-converter 4.5; a
 * page without it (another version) stays right but for that detail, and a test notices.
 */
final class PageEdits {
  private static final String PALETTE_END = "\t\t[0xcce880, 20, 20, 20],\n";
  private static final String PALETTE_MARKER = "\t\t[0xa8a8b8, 20, 20, 20],\n";

  private static final String LEGEND_END =
      "\t<dd style='background-color: #b2e1b2'>Interpreted</dd>\n";
  private static final String LEGEND_MARKER =
      "\t<dd style='background-color: #a8a8b8'>Marker (why a stack ends)</dd>\n";

  private static final String COUNT_TEXT =
      "return n === 1 ? '1 sample' : n.toString().replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',') + '"
          + " samples';";
  private static final String TIME_TEXT =
      "return n >= 1e9 ? (n / 1e9).toFixed(3) + ' s' : n >= 1e6 ? (n / 1e6).toFixed(3) + ' ms' : (n"
          + " / 1e3).toFixed(1) + ' us';";
  private static final String BYTES_TEXT =
      "return n >= 1048576 ? (n / 1048576).toFixed(2) + ' MiB' : n >= 1024 ? (n / 1024).toFixed(1)"
          + " + ' KiB' : n + ' bytes';";

  /** A picture of its own, or the browser asks the server for one and reports that it has none. */
  private static final String ICON = "<meta charset='utf-8'>\n<link rel='icon' href='data:,'>";

  private PageEdits() {}

  static String apply(String page, String unit) {
    String edited =
        page.replace("<meta charset='utf-8'>", ICON)
            .replace(PALETTE_END, PALETTE_END + PALETTE_MARKER)
            .replace(LEGEND_END, LEGEND_END + LEGEND_MARKER);
    return switch (unit) {
      case "nanoseconds" -> edited.replace(COUNT_TEXT, TIME_TEXT);
      case "bytes" -> edited.replace(COUNT_TEXT, BYTES_TEXT);
      default -> edited;
    };
  }
}
