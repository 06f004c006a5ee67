package io.jebpf.agent.options;

/**
 * What the user asked for about contexts: what each sample's thread worked for.
 *
 * @param instrument whether classes may be changed at all
 * @param rootSpans most different names of root spans in the label {@code root_span}; 0: no label
 * @param endpoints whether requests are labelled
 * @param share whether other profilers are to find contexts too
 */
public record ContextOptions(boolean instrument, int rootSpans, boolean endpoints, boolean share) {
  /** Numbers of names are kept in 16 bits. */
  public static final int ROOT_SPANS_MAX = 65_535;

  /** Every class is left as it is. */
  public static final ContextOptions OFF = new ContextOptions(false, 0, false, false);

  public ContextOptions {
    if (rootSpans < 0 || rootSpans > ROOT_SPANS_MAX) {
      throw new IllegalArgumentException(rootSpans + " names of root spans");
    }
  }
}
