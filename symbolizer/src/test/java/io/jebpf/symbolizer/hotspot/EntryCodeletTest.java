package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** Fabricated entries; the live ones are in {@link KernelKnobsTest}. */
class EntryCodeletTest {
  private static final String BEFORE = "0fb74a2e"; // movzx ecx,[rdx+0x2e]
  private static final String POP = "58 4c8d74ccf8";
  private static final String ENTER = "50 55 488bec";
  private static final String EIGHT_WORDS = "4155 6800000000 53 52 52 52 4156 4155";

  private static EntryCodelet decode(String... parts) {
    byte[] code = HexFormat.of().parseHex(String.join("", parts).replace(" ", ""));
    return EntryCodelet.decode(0x1000, code, code.length);
  }

  @Test
  void ninthWordIsRelative() {
    EntryCodelet entry = decode(BEFORE, POP, ENTER, EIGHT_WORDS, "68f7ffffff", "90");
    assertEquals(new EntryCodelet(0x1000, 36, 4, 10, 35), entry);
  }

  @Test
  void ninthWordIsStoredAfterwards() {
    EntryCodelet entry = decode(BEFORE, POP, ENTER, EIGHT_WORDS, "6800000000", "48892424", "90");
    assertEquals(39, entry.built());
  }

  @Test
  void slowPathThatSavesRegistersDoesNotCount() {
    String saves = "50 51 52 56 57 4150 4151 4883ec08 4883c408 4159 4158 5f 5e 5a 59 58";
    EntryCodelet entry =
        decode(POP, ENTER, "4155 6800000000 53", saves, "52 52 52 4156 4155", "68f7ffffff");
    assertEquals(entry.bytes(), entry.built());
  }

  @Test
  void intrinsicBuildsNoFrame() {
    EntryCodelet entry = decode("59 498be5 ffe1");
    assertEquals(EntryCodelet.NONE, entry.popRax());
    assertEquals(EntryCodelet.NONE, entry.pushRax());
    assertEquals(EntryCodelet.NONE, entry.built());
  }

  @Test
  void unknownInstructionIsNotGuessedOver() {
    EntryCodelet entry = decode(POP, ENTER, "06", EIGHT_WORDS, "68f7ffffff");
    assertEquals(6, entry.pushRax());
    assertEquals(EntryCodelet.NONE, entry.built());
  }
}
