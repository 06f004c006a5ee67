package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The numbers here against the header that defines them. */
class RawFrameTest {
  private static Map<String, Integer> header() throws IOException {
    Path header = Path.of("../bpf/src/main/c/jebpf_types.h");
    Assumptions.assumeTrue(Files.exists(header), "built outside the repository");
    Map<String, Integer> numbers = new HashMap<>();
    Matcher matcher =
        Pattern.compile("JEBPF_((?:FRAME|END|GAP|BCI|UNREAD)_\\w+)(?: =)?\\s+(0x[0-9a-f]+|\\d+)\\b")
            .matcher(Files.readString(header));
    while (matcher.find()) {
      numbers.putIfAbsent(matcher.group(1), Integer.decode(matcher.group(2)));
    }
    return numbers;
  }

  @Test
  void numbersAreThoseOfTheHeader() throws IOException {
    Map<String, Integer> numbers = header();
    assertEquals(RawFrame.NATIVE, numbers.get("FRAME_NATIVE"));
    assertEquals(RawFrame.COMPILED, numbers.get("FRAME_COMPILED"));
    assertEquals(RawFrame.INTERPRETED, numbers.get("FRAME_INTERPRETED"));
    assertEquals(RawFrame.WRAPPER, numbers.get("FRAME_WRAPPER"));
    assertEquals(RawFrame.STUB, numbers.get("FRAME_STUB"));
    assertEquals(RawFrame.INTERPRETER, numbers.get("FRAME_INTERPRETER"));
    assertEquals(RawFrame.MARKER, numbers.get("FRAME_MARKER"));
    assertEquals(RawFrame.EXACT, numbers.get("FRAME_EXACT"));
    assertEquals(RawFrame.BCI_UNKNOWN, numbers.get("BCI_UNKNOWN"));
    assertEquals(RawFrame.READ_FAULT, numbers.get("END_READ_FAULT"));
    String unknown = Markers.of(-1, 0).frames().getFirst().function();
    for (int end = 0; end < numbers.get("END_COUNT"); end++) {
      assertTrue(!Markers.of(end, 0).frames().getFirst().function().equals(unknown), "end " + end);
    }
    assertEquals(unknown, Markers.of(numbers.get("END_COUNT"), 0).frames().getFirst().function());
    assertEquals(
        "[native frames without unwind information]",
        Markers.of(numbers.get("GAP_NATIVE"), 0).frames().getFirst().function());
    assertEquals(
        "[frozen frames not read]",
        Markers.of(numbers.get("GAP_FROZEN"), 0).frames().getFirst().function());
    assertEquals(
        "[cut: 976 frames]",
        Markers.of(numbers.get("GAP_CUT"), 976).frames().getFirst().function());
    assertEquals(
        "[unwind stopped: no rule]",
        Markers.of(numbers.get("END_NO_RULE"), 0).frames().getFirst().function());
    assertEquals(
        "[unwind stopped: interpreter entry not understood]",
        Markers.of(numbers.get("END_CODELET"), 0).frames().getFirst().function());
  }

  @Test
  void whatCouldNotBeReadIsNamedByItsKindAndKeepsItsAddress() throws IOException {
    Map<String, Integer> numbers = header();
    long head = RawFrame.head(RawFrame.MARKER, 0, RawFrame.READ_FAULT);
    Map<String, String> texts =
        Map.of(
            "STACK", "stack",
            "CODE_CACHE", "code cache",
            "FILE", "mapped file",
            "JVM", "data of the JVM");
    assertEquals(texts.size(), numbers.get("UNREAD_COUNT"));
    texts.forEach(
        (name, text) -> {
          long detail = (long) numbers.get("UNREAD_" + name) << 56 | 0x7f12_3456_789aL;
          assertEquals(
              "[unwind stopped: unreadable memory: " + text + "]",
              Markers.of(RawFrame.READ_FAULT, detail).frames().getFirst().function());
          assertEquals(0x7f12_3456_789aL, RawFrame.unread(head, detail));
        });
    assertEquals(56, numbers.get("UNREAD_SHIFT"));
    assertEquals(0, RawFrame.unread(RawFrame.head(RawFrame.MARKER, 0, 5), 77));
    assertEquals(0, RawFrame.unread(RawFrame.head(RawFrame.NATIVE, 0, RawFrame.READ_FAULT), 77));
  }

  @Test
  void partsComeBack() {
    long head = RawFrame.head(RawFrame.COMPILED, RawFrame.EXACT, 0x7fff_1234_5678L);
    assertEquals(RawFrame.COMPILED, RawFrame.kind(head));
    assertTrue(RawFrame.exact(head));
    assertEquals(0x7fff_1234_5678L, RawFrame.address(head));
    long detail = 0xfffe_7f00_1234_5678L;
    assertEquals(0xfffe, RawFrame.bci(detail));
    assertEquals(0x7f00_1234_5678L, RawFrame.identity(detail));
    assertEquals(-5, RawFrame.compileId(-5L << 32 | 77));
    assertEquals(77, RawFrame.pcOffset(-5L << 32 | 77));
  }
}
