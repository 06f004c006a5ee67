package io.jebpf.agent.upload;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Turns the labels of samples into labels of series: servers keep an index entry for each series
 * for weeks, so the labels must be few and the same after a restart. Thread names lose their
 * numbers, what is unique to one request is left out, and a key with too many values goes.
 */
final class SeriesLabels {
  static final String THREAD = "thread";

  /** Most values of one key in one profile; a key that has more is left out. */
  static final int VALUES_MAX = 100;

  /** Most sets of labels, and so series, of one profile. */
  static final int SETS_MAX = 256;

  /** Never part of a series: they would make one for each request, thread or pair of threads. */
  private static final Set<String> UNIQUE = Set.of("trace_id", "span_id", "vthread", "waker");

  /** Ids that Pyroscope keeps on samples, without a series of their own. */
  static final Set<String> IDS = Set.of("trace_id", "span_id");

  private final Set<String> keptOnSamples;
  private long folded;

  /**
   * @param keptOnSamples keys that stay on samples as they are, because the server gives them a
   *     place of their own
   */
  SeriesLabels(Set<String> keptOnSamples) {
    this.keptOnSamples = Set.copyOf(keptOnSamples);
  }

  /** Sets and keys that were left out or put together so far because they were too many. */
  long folded() {
    return folded;
  }

  /** {@code pool-3-thread-12} becomes {@code pool-#-thread-#}. */
  static String withoutNumbers(String thread) {
    StringBuilder name = new StringBuilder(thread.length());
    for (int i = 0; i < thread.length(); i++) {
      char c = thread.charAt(i);
      boolean digit = c >= '0' && c <= '9';
      if (!digit && c != '#') {
        name.append(c);
      } else if (name.length() == 0 || name.charAt(name.length() - 1) != '#') {
        name.append('#');
      }
    }
    return name.toString();
  }

  /**
   * What becomes of each set.
   *
   * @param fixed keys that the series has already, and that samples need not repeat
   */
  List<Map<String, String>> of(List<Map<String, String>> sets, Set<String> fixed) {
    List<Map<String, String>> result = new ArrayList<>(sets.size());
    Map<String, Set<String>> values = new TreeMap<>();
    for (Map<String, String> set : sets) {
      Map<String, String> kept = new LinkedHashMap<>();
      set.forEach(
          (key, value) -> {
            if (keptOnSamples.contains(key)) {
              kept.put(key, value);
            } else if (!UNIQUE.contains(key) && !fixed.contains(key)) {
              String stable = key.equals(THREAD) ? withoutNumbers(value) : value;
              kept.put(key, stable);
              values.computeIfAbsent(key, k -> new TreeSet<>()).add(stable);
            }
          });
      result.add(kept);
    }
    for (Map.Entry<String, Set<String>> key : values.entrySet()) {
      if (key.getValue().size() > VALUES_MAX) {
        result.forEach(set -> set.remove(key.getKey()));
        folded++;
      }
    }
    return limited(result);
  }

  /** Too many sets lose their keys, the one with most values first. */
  private List<Map<String, String>> limited(List<Map<String, String>> sets) {
    while (sets.stream().map(this::series).distinct().count() > SETS_MAX) {
      Map<String, Set<String>> values = new HashMap<>();
      sets.forEach(
          set ->
              series(set)
                  .forEach((k, v) -> values.computeIfAbsent(k, x -> new HashSet<>()).add(v)));
      String widest =
          values.entrySet().stream()
              .max(
                  Map.Entry.<String, Set<String>>comparingByValue(
                          (a, b) -> Integer.compare(a.size(), b.size()))
                      .thenComparing(Map.Entry.comparingByKey()))
              .orElseThrow()
              .getKey();
      sets.forEach(set -> set.remove(widest));
      folded++;
    }
    return sets;
  }

  private Map<String, String> series(Map<String, String> set) {
    return set.entrySet().stream()
        .filter(label -> !keptOnSamples.contains(label.getKey()))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** The metric part of a profile type, by the kind of a file. */
  static String metric(String kind) {
    return switch (kind) {
      case "cpu" -> "process_cpu";
      case "alloc", "live" -> "memory";
      case "lock" -> "mutex";
      default -> kind;
    };
  }

  /** Cut after a number of characters, but not inside one. */
  static String cut(String text, int chars) {
    if (text.length() <= chars) {
      return text;
    }
    return text.substring(0, Character.isHighSurrogate(text.charAt(chars - 1)) ? chars - 1 : chars);
  }

  /** The first labels up to a number, the fixed ones before the others. */
  static Map<String, String> first(Map<String, String> labels, int count) {
    Set<String> keys = new LinkedHashSet<>(labels.keySet());
    Map<String, String> kept = new LinkedHashMap<>();
    for (String key : keys) {
      if (kept.size() < count) {
        kept.put(key, labels.get(key));
      }
    }
    return kept;
  }
}
