package io.jebpf.agent.offcpu;

import java.util.List;
import java.util.stream.Collectors;

/** Writes the tables of {@link WaitRules} between the marks of docs/offcpu.md. */
final class RulesPage {
  private RulesPage() {}

  static String update(String page) {
    String reasons =
        WaitRules.REASONS.stream()
            .map(rule -> row("`" + rule.result().label() + "`", rule))
            .collect(Collectors.joining("\n"));
    String idle =
        WaitRules.IDLE.stream()
            .map(rule -> row(rule.result(), rule))
            .collect(Collectors.joining("\n"));
    String updated =
        between(page, "reasons", "| `wait` | Java frames | functions |\n|---|---|---|\n" + reasons);
    updated =
        between(updated, "idle", "| whose | Java frames | functions |\n|---|---|---|\n" + idle);
    return between(updated, "threads", marked(WaitRules.IDLE_THREADS));
  }

  private static String row(String first, WaitRule<?> rule) {
    return "| "
        + first
        + " | "
        + Math.max(1, rule.frames())
        + " | "
        + marked(rule.functions())
        + " |";
  }

  private static String marked(List<String> names) {
    return names.stream().map(name -> "`" + name + "`").collect(Collectors.joining(", "));
  }

  private static String between(String page, String mark, String content) {
    String begin = "<!-- " + mark + " -->\n";
    String end = "\n<!-- end " + mark + " -->";
    int from = page.indexOf(begin) + begin.length();
    int to = page.indexOf(end, from - 1);
    return page.substring(0, from) + content + page.substring(to);
  }
}
