package io.jebpf.agent.window;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class LabelsTest {
  private static final Labels BOTH = Labels.of("b", "2").with("a", "1");

  @Test
  void equalSetsAreEqualHoweverTheyWereMade() {
    assertEquals(BOTH, Labels.of("a", "1").with("b", "2"));
    assertEquals(BOTH.hashCode(), Labels.of("a", "1").with("b", "2").hashCode());
    assertNotEquals(BOTH, Labels.of("a", "2").with("b", "1"));
    assertEquals("a", BOTH.key(0));
    assertEquals("2", BOTH.text(1));
  }

  @Test
  void aLabelIsReplacedOrTakenAway() {
    assertEquals("3", BOTH.with("a", "3").get("a"));
    assertEquals(2, BOTH.with("a", "3").size());
    assertEquals(Labels.of("b", "2"), BOTH.with("a", ""));
    assertEquals(Labels.NONE, BOTH.with("a", "").with("b", ""));
    assertSame(BOTH, BOTH.with("c", ""));
    assertEquals("", BOTH.get("c"));
  }
}
