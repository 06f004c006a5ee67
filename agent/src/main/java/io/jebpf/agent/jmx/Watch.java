package io.jebpf.agent.jmx;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.pipeline.Snapshot;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Looks once a second whether something happened that a listener should know. One kind is told once
 * a minute at most. Owner: thread "jebpf-reader".
 */
final class Watch {
  static final String LOSSES = "io.jebpf.losses";
  static final String BUDGET = "io.jebpf.budget";
  static final String TROUBLE = "io.jebpf.trouble";

  private static final long LOOK_NANOS = 1_000_000_000L;
  private static final long QUIET_NANOS = 60_000_000_000L;

  private final ProfilerBean.Source source;
  private final AgentLog log;
  private final Map<String, Long> told = new HashMap<>();
  private final Map<Trouble, Long> troubles = new EnumMap<>(Trouble.class);
  private long lookedNanos;
  private long taken;
  private long lost;
  private boolean limited;

  Watch(ProfilerBean.Source source, AgentLog log) {
    this.source = source;
    this.log = log;
  }

  /**
   * @param threshold share of the samples of the last second whose loss is told
   * @param send gets type and message
   */
  void look(long nowNanos, double threshold, BiConsumer<String, String> send) {
    if (nowNanos - lookedNanos < LOOK_NANOS) {
      return;
    }
    lookedNanos = nowNanos;
    Snapshot now = source.snapshot();
    long more = now.counters().lost() - lost;
    long all = now.taken() - taken + more;
    lost = now.counters().lost();
    taken = now.taken();
    if (more > 0 && (double) more / all > threshold) {
      tell(LOSSES, LOSSES, more + " of " + all + " samples were lost", nowNanos, send);
    }
    boolean limits = now.rateHz() < source.askedHz() || now.tickNanos() > source.askedTickNanos();
    if (limits && !limited) {
      String message =
          "the budget is reached: now "
              + now.rateHz()
              + " Hz, and stacks of waits every "
              + now.tickNanos() / 1000
              + " us";
      tell(BUDGET, BUDGET, message, nowNanos, send);
    }
    limited = limits;
    for (Trouble trouble : Trouble.values()) {
      long count = log.count(trouble);
      if (count > troubles.getOrDefault(trouble, 0L)) {
        tell(TROUBLE, trouble.name(), trouble.title() + " (" + count + " times)", nowNanos, send);
      }
      troubles.put(trouble, count);
    }
  }

  private void tell(
      String type, String kind, String message, long now, BiConsumer<String, String> send) {
    Long last = told.get(kind);
    if (last == null || now - last >= QUIET_NANOS) {
      told.put(kind, now);
      send.accept(type, message);
    }
  }
}
