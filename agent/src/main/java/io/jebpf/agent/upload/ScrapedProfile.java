package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.ProfilePieces;
import io.jebpf.agent.pprof.ProfileSource;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Set;

/**
 * A profile for a collector that fetches: it hands it on to a server that makes a series of each
 * set of labels, so these are as few as in what the agent sends by itself.
 */
public final class ScrapedProfile {
  /** One answer has one profile, whatever a server's limits are; but leaves are not to be lost. */
  private static final ProfilePieces.Limits LIMITS =
      new ProfilePieces.Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, 1_000);

  private ScrapedProfile() {}

  /**
   * The same samples with the labels of uploads; the profile as it is when it is too large for any
   * server in any case. One at a time, so that many collectors do not take much memory.
   *
   * @param gzipped one of ours
   */
  public static synchronized byte[] of(byte[] gzipped) throws IOException {
    ProfileSource source = ProfileSource.read(new ByteArrayInputStream(gzipped), 0);
    if (source.hasMore()) {
      return gzipped;
    }
    SeriesLabels labels = new SeriesLabels(SeriesLabels.IDS);
    return new ProfilePieces(source, labels.of(source.labelSets(), Set.of()), LIMITS)
        .whole()
        .get(0)
        .gzipped();
  }
}
