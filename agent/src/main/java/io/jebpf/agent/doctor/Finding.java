package io.jebpf.agent.doctor;

import java.util.List;

/**
 * What the doctor found about one thing the profiler needs.
 *
 * @param id name for programs: lower case, no spaces; stays the same between versions
 * @param title name for people
 * @param why what was seen; with {@link Verdict#NO} why that will not do
 * @param remedies what makes it a yes; empty when nothing is wrong
 */
record Finding(String id, String title, Verdict verdict, String why, List<Remedy> remedies) {
  /** How it stands. */
  enum Verdict {
    YES("yes"),
    /** The profiler does without it, and shows less. */
    LESS("less"),
    NO("no"),
    /** It could not be found out, or does not matter where something else is missing. */
    UNKNOWN("?");

    private final String text;

    Verdict(String text) {
      this.text = text;
    }

    String text() {
      return text;
    }
  }

  Finding {
    remedies = List.copyOf(remedies);
  }

  static Finding yes(String id, String title, String why) {
    return new Finding(id, title, Verdict.YES, why, List.of());
  }

  static Finding unknown(String id, String title, String why) {
    return new Finding(id, title, Verdict.UNKNOWN, why, List.of());
  }

  static Finding no(String id, String title, String why, Remedy... remedies) {
    return new Finding(id, title, Verdict.NO, why, List.of(remedies));
  }

  static Finding less(String id, String title, String why, Remedy... remedies) {
    return new Finding(id, title, Verdict.LESS, why, List.of(remedies));
  }
}
