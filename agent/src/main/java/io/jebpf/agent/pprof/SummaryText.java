package io.jebpf.agent.pprof;

import java.util.Comparator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What summaries of all kinds have in common: quality data added up, and ranked lists. */
final class SummaryText {
  private static final int TOP_MAX = 20;

  private final Map<String, Long> sums = new TreeMap<>();
  private final Map<String, Set<String>> facts = new TreeMap<>();

  void addComment(String comment) {
    int equals = comment.indexOf('=');
    if (equals < 0) {
      return;
    }
    String key = comment.substring(0, equals);
    String value = comment.substring(equals + 1);
    if (QualityComments.isSum(key) && value.matches("-?[0-9]{1,18}")) {
      sums.merge(key, Long.parseLong(value), Long::sum);
    } else {
      facts.computeIfAbsent(key, k -> new TreeSet<>()).add(value);
    }
  }

  void appendComments(StringBuilder out) {
    facts.forEach((key, values) -> out.append(key + "=" + String.join(" | ", values) + "\n"));
    sums.forEach((key, value) -> out.append(key + "=" + value + "\n"));
  }

  /** The largest entries, with their share of {@code whole}. */
  static void top(StringBuilder out, String title, Map<String, Long> nanos, long whole) {
    out.append(String.format(Locale.ROOT, "%ntop %d by %s%n", TOP_MAX, title));
    nanos.entrySet().stream()
        .filter(entry -> entry.getValue() > 0)
        .sorted(
            Comparator.<Map.Entry<String, Long>>comparingLong(e -> -e.getValue())
                .thenComparing(Map.Entry::getKey))
        .limit(TOP_MAX)
        .forEach(
            entry ->
                out.append(
                    String.format(
                        Locale.ROOT,
                        "%10.3f s %6.2f%%  %s%n",
                        entry.getValue() / 1e9,
                        100.0 * entry.getValue() / Math.max(1, whole),
                        entry.getKey())));
  }
}
