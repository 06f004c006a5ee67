package io.jebpf.agent.options;

/** The text of docs/options.md and of the command {@code options}, made from the option table. */
public final class OptionsPage {
  private OptionsPage() {}

  /** Markdown; ends with a newline. */
  public static String markdown() {
    StringBuilder page = new StringBuilder(4096);
    page.append("# Options\n\n")
        .append("This page is made from the option table in the code; a test checks it.\n\n")
        .append("An option is given in one of four ways. The first that names a key wins:\n\n")
        .append("1. agent argument: `-javaagent:jebpf.jar=key=value,key=value`\n")
        .append("2. system property: `-Djebpf.<key>=value`\n")
        .append("3. environment variable: `JEBPF_<KEY>=value`, dots become underscores\n")
        .append("4. config file, named by `config`: `key=value` lines\n\n")
        .append("An unknown key or a bad value leaves the profiler off, with one line that lists")
        .append(" the valid choices; the\napplication runs. Unknown environment variables are")
        .append(" ignored, because platforms set some of their own.\n\n")
        .append("| key | written as | default | range | meaning |\n|---|---|---|---|---|\n");
    for (Option option : Option.values()) {
      page.append("| `")
          .append(option.key())
          .append("` | ")
          .append(option.type().form())
          .append(" | `")
          .append(option.standard())
          .append("` | ")
          .append(option.rangeText())
          .append(" | ")
          .append(option.doc())
          .append(" |\n");
    }
    return page.toString();
  }

  /** For a terminal; ends with a newline. */
  public static String plain() {
    StringBuilder page = new StringBuilder(4096);
    for (Option option : Option.values()) {
      page.append(option.key())
          .append("  (")
          .append(option.type().form().replace("`", ""))
          .append("; default ")
          .append(option.standard())
          .append(option.hasRange() ? "; " + option.rangeText() : "")
          .append(")\n    ")
          .append(option.doc().replace("`", ""))
          .append('\n');
    }
    return page.toString();
  }
}
