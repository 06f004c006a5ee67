package io.jebpf.agent.pprof;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a profile says besides its samples.
 *
 * @param startNanos wall-clock time of the start, nanoseconds since 1970
 * @param durationNanos length, at least 1: zero would mean a snapshot to some readers
 * @param periodNanos CPU time between two samples of a busy CPU, at least 1
 * @param comments quality data, one text each
 * @param labels string labels of every sample
 */
public record ProfileHeader(
    long startNanos,
    long durationNanos,
    long periodNanos,
    List<String> comments,
    Map<String, String> labels) {

  public ProfileHeader {
    if (startNanos <= 0 || durationNanos <= 0 || periodNanos <= 0) {
      throw new IllegalArgumentException(
          "start " + startNanos + ", duration " + durationNanos + ", period " + periodNanos);
    }
    comments = List.copyOf(comments);
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }
}
