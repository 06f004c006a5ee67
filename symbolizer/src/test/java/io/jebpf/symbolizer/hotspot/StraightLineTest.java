package io.jebpf.symbolizer.hotspot;

import static io.jebpf.symbolizer.hotspot.StraightLine.Speaker.NEITHER;
import static io.jebpf.symbolizer.hotspot.StraightLine.Speaker.NEXT;
import static io.jebpf.symbolizer.hotspot.StraightLine.Speaker.PREVIOUS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class StraightLineTest {
  private static final String ADD_RSP = "4883c410";
  private static final String POP_RBP = "5d";
  private static final String RET = "c3";
  private static final String MOVE = "8b542478"; // mov edx,[rsp+0x78]
  private static final String BRANCH = "7405";
  private static final String JUMP = "e900000000";

  private static byte[] code(String... parts) {
    return HexFormat.of().parseHex(String.join("", parts));
  }

  @Test
  void anEpilogueBelongsToTheRecordAtItsBegin() {
    byte[] code = code(ADD_RSP, POP_RBP, RET, MOVE);
    assertEquals(PREVIOUS, StraightLine.at(code, 4, true));
    assertEquals(PREVIOUS, StraightLine.at(code, 5, false));
    assertEquals(NEXT, StraightLine.at(code, 6, true), "behind the return");
  }

  @Test
  void aConditionLetsARecordThrough() {
    assertEquals(NEXT, StraightLine.at(code(MOVE, BRANCH, MOVE), 4, true));
  }

  @Test
  void aBlockWithoutARecordHasNone() {
    byte[] code = code(MOVE, RET, MOVE, RET, MOVE);
    assertEquals(NEITHER, StraightLine.at(code, 5, false));
    assertEquals(PREVIOUS, StraightLine.at(code, 4, false));
    assertEquals(NEXT, StraightLine.at(code, 10, false));
  }

  @Test
  void withoutARecordBehindThePreviousOneSpeaksUpToTheEndOfItsBlock() {
    assertEquals(PREVIOUS, StraightLine.at(code(MOVE, POP_RBP), 5, false));
    assertEquals(NEITHER, StraightLine.at(code(MOVE, RET, MOVE), 9, false));
  }

  @Test
  void theFirstCompilersRecordAtALabelIsThatOfTheJumpBefore() {
    byte[] code = code(MOVE, JUMP);
    assertTrue(StraightLine.endsWithUnrecordedJump(code));
    assertEquals(NEXT, StraightLine.at(code, 4, true));
    assertEquals(PREVIOUS, StraightLine.at(code, 4, false));
    assertFalse(StraightLine.endsWithUnrecordedJump(code(JUMP)), "the jump has a record");
    assertFalse(StraightLine.endsWithUnrecordedJump(code(MOVE, RET)));
  }

  @Test
  void whatIsNotCodeIsLeftToTheJvm() {
    assertEquals(NEXT, StraightLine.at(code(MOVE, "06", RET, MOVE), 4, false), "no instruction");
    assertEquals(NEXT, StraightLine.at(code(MOVE, RET, MOVE), 2, false), "inside an instruction");
    assertEquals(NEXT, StraightLine.at(code(MOVE, RET, "8b54"), 4, false), "cut off");
    assertEquals(NEXT, StraightLine.at(new byte[0], 0, false), "unreadable");
    assertFalse(StraightLine.endsWithUnrecordedJump(code(MOVE, "06")));
  }
}
