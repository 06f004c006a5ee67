package io.jebpf.agent.pprof;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Makes of a profile the pieces that a server takes: other labels, equal samples added up, stacks
 * cut at the root end, and no piece above the server's limits. The same source and limits always
 * give the same pieces, so that a sender can go on where it stopped. Owner: one thread.
 */
public final class ProfilePieces {
  /** Frame at the root end of a stack that was cut for a server. */
  public static final String CUT_NAME = "[stack cut for the server]";

  /**
   * What a server takes in one profile.
   *
   * @param samples most samples
   * @param bytes most bytes before compression
   * @param frames most frames in a stack, the marker of the cut included
   */
  public record Limits(int samples, int bytes, int frames) {}

  /**
   * A profile of its own.
   *
   * @param labels of all its samples, when these have none themselves
   * @param gzipped the profile
   * @param samples how many samples it has
   */
  public record Piece(Map<String, String> labels, byte[] gzipped, int samples) {}

  private final ProfileSource source;
  private final List<Map<String, String>> labelSets;
  private final Limits limits;

  /** Per sample of the result: a sample of the source with its stack, its set of labels. */
  private int[] merged = new int[1024];

  private int[] mergedSets = new int[1024];
  private long[] mergedValues;
  private int mergedCount;

  /**
   * @param labelSets what becomes of the source's sets of labels, one for each; sets that are equal
   *     here become one
   */
  public ProfilePieces(ProfileSource source, List<Map<String, String>> labelSets, Limits limits) {
    this.source = source;
    this.labelSets = List.copyOf(labelSets);
    this.limits = limits;
    this.mergedValues = new long[1024 * source.sampleTypes.size()];
    merge();
  }

  /** One piece, or several when it is too large; samples have their labels. */
  public List<Piece> whole() throws IOException {
    List<Piece> pieces = new ArrayList<>();
    int[] all = new int[mergedCount];
    Arrays.setAll(all, i -> i);
    add(pieces, all, Map.of(), true);
    return pieces;
  }

  /** One piece for each set of labels, or several when it is too large. */
  public List<Piece> byLabels() throws IOException {
    int[] counts = new int[labelSets.size()];
    for (int i = 0; i < mergedCount; i++) {
      counts[mergedSets[i]]++;
    }
    int[][] groups = new int[labelSets.size()][];
    Arrays.setAll(groups, set -> new int[counts[set]]);
    for (int i = mergedCount - 1; i >= 0; i--) {
      groups[mergedSets[i]][--counts[mergedSets[i]]] = i;
    }
    List<Piece> pieces = new ArrayList<>();
    for (int set = 0; set < groups.length; set++) {
      if (groups[set].length > 0) {
        add(pieces, groups[set], labelSets.get(set), false);
      }
    }
    return pieces;
  }

  private void add(List<Piece> pieces, int[] samples, Map<String, String> labels, boolean labelled)
      throws IOException {
    if (samples.length <= limits.samples()) {
      PieceEncoder encoder = new PieceEncoder(source, limits.frames());
      for (int sample : samples) {
        encoder.add(
            merged[sample],
            mergedValues,
            sample * source.sampleTypes.size(),
            labelled ? labelSets.get(mergedSets[sample]) : Map.of());
      }
      byte[] gzipped = encoder.finish(labelled);
      if (encoder.bodyBytes() <= limits.bytes() || samples.length == 1) {
        pieces.add(new Piece(labels, gzipped, samples.length));
        return;
      }
    }
    int half = samples.length / 2;
    add(pieces, Arrays.copyOfRange(samples, 0, half), labels, labelled);
    add(pieces, Arrays.copyOfRange(samples, half, samples.length), labels, labelled);
  }

  /** Samples that have become equal are one: readers refuse two, or take the later one. */
  private void merge() {
    int[] canonical = canonicalSets();
    int types = source.sampleTypes.size();
    int[] table = new int[Math.max(16, Integer.highestOneBit(Math.max(1, source.sampleCount)) * 4)];
    for (int sample = 0; sample < source.sampleCount; sample++) {
      int set = canonical[source.labelSetOf[sample]];
      int end = cutEnd(sample);
      int slot = hash(sample, end, set) & table.length - 1;
      while (table[slot] != 0 && !isSame(table[slot] - 1, sample, end, set)) {
        slot = slot + 1 & table.length - 1;
      }
      if (table[slot] == 0) {
        table[slot] = newMerged(sample, set) + 1;
      }
      int target = (table[slot] - 1) * types;
      for (int i = 0; i < types; i++) {
        mergedValues[target + i] += source.values[sample * types + i];
      }
    }
  }

  private int newMerged(int sample, int set) {
    if (mergedCount == merged.length) {
      merged = Arrays.copyOf(merged, 2 * mergedCount);
      mergedSets = Arrays.copyOf(mergedSets, 2 * mergedCount);
      mergedValues = Arrays.copyOf(mergedValues, 2 * mergedValues.length);
    }
    merged[mergedCount] = sample;
    mergedSets[mergedCount] = set;
    return mergedCount++;
  }

  private int[] canonicalSets() {
    int[] canonical = new int[labelSets.size()];
    Map<String, Integer> first = new TreeMap<>();
    for (int i = 0; i < canonical.length; i++) {
      Integer known = first.putIfAbsent(new TreeMap<>(labelSets.get(i)).toString(), i);
      canonical[i] = known == null ? i : known;
    }
    return canonical;
  }

  private boolean isSame(int mergedSample, int sample, int end, int set) {
    int other = merged[mergedSample];
    return mergedSets[mergedSample] == set
        && Arrays.equals(
            source.stacks,
            source.stackStart(other),
            cutEnd(other),
            source.stacks,
            source.stackStart(sample),
            end)
        && isCut(other) == isCut(sample);
  }

  private int hash(int sample, int end, int set) {
    int hash = set;
    for (int i = source.stackStart(sample); i < end; i++) {
      hash = hash * 31 + source.stacks[i];
    }
    return hash * 0x9E3779B9 >>> 8;
  }

  private boolean isCut(int sample) {
    return cutEnd(sample) < source.stackEnds[sample];
  }

  private int cutEnd(int sample) {
    return PieceEncoder.cutEnd(source, sample, limits.frames());
  }
}
