package io.jebpf.agent.context;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ContextLabelsTest {
  @Test
  void keysAreOnesThatServersTakeAndNoneOfOurs() {
    assertEquals("tenant", ContextLabels.sane("tenant"));
    assertEquals("tenant_id", ContextLabels.sane("tenant.id"));
    assertEquals("user_9lives", ContextLabels.sane("9lives"));
    assertEquals("user_", ContextLabels.sane(""));
    for (String ours : new String[] {"thread", "state", "trace_id", "span_id", "profile_id"}) {
      assertEquals("user_" + ours, ContextLabels.sane(ours));
    }
  }
}
