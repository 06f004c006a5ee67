package io.jebpf.agent.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.bpf.KernelMapping;
import io.jebpf.bpf.WalkEnd;
import io.jebpf.symbolizer.Frame;
import io.jebpf.symbolizer.FrameKind;
import io.jebpf.symbolizer.RawFrame;
import io.jebpf.symbolizer.Symbolizer;
import io.jebpf.symbolizer.kernel.KernelSymbols;
import io.jebpf.symbolizer.modules.ModuleTable;
import io.jebpf.symbolizer.modules.NativeSymbols;
import io.jebpf.symbolizer.unwind.UnwindRule;
import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The numbers that cross the border, in the one header and in the two modules that do not know each
 * other: this module knows both.
 */
class BorderTest {
  private static final Path HEADER = Path.of("..", "bpf", "src", "main", "c", "jebpf_types.h");

  /** Constants of the header that begin with a prefix, without it. */
  private static Map<String, Long> header(String prefix) throws IOException {
    Map<String, Long> found = new TreeMap<>();
    Matcher matcher =
        Pattern.compile("\\b" + prefix + "(\\w+)[\\s\\\\]*=?[\\s\\\\]*(0x[0-9a-f]+|\\d+)\\b")
            .matcher(Files.readString(HEADER));
    while (matcher.find()) {
      found.put(matcher.group(1), Long.decode(matcher.group(2)));
    }
    return found;
  }

  /** Public int constants of a class that begin with a prefix, without it. */
  private static Map<String, Long> constants(Class<?> type, String prefix)
      throws IllegalAccessException {
    Map<String, Long> found = new TreeMap<>();
    for (Field field : type.getFields()) {
      if (Modifier.isStatic(field.getModifiers())
          && field.getType() == int.class
          && field.getName().startsWith(prefix)) {
        found.put(field.getName().substring(prefix.length()), (long) field.getInt(null));
      }
    }
    return found;
  }

  @Test
  void rawFrames() throws Exception {
    Map<String, Long> expected = header("JEBPF_FRAME_");
    expected.put("BCI_UNKNOWN", header("JEBPF_BCI_").get("UNKNOWN"));
    assertEquals(expected, constants(RawFrame.class, ""));
    long head = RawFrame.head(RawFrame.MARKER, RawFrame.EXACT, 0x1234_5678_9abcL);
    assertEquals(7L << 56 | 1L << 48 | 0x1234_5678_9abcL, head);
  }

  @Test
  void unwindRules() throws Exception {
    assertEquals(header("JEBPF_CFA_"), constants(UnwindRule.class, "CFA_"));
    assertEquals(header("JEBPF_RBP_"), constants(UnwindRule.class, "RBP_"));
  }

  @Test
  void mappingFlags() throws Exception {
    assertEquals(
        Map.of("FRAME_POINTERS", (long) KernelMapping.FRAME_POINTERS), header("JEBPF_MAPPING_"));
  }

  @Test
  void everyEndOfAWalkHasItsOwnMarker() throws Exception {
    Map<String, Long> ends = header("JEBPF_END_");
    assertEquals((long) WalkEnd.values().length, ends.remove("COUNT"));
    Symbolizer symbolizer =
        Symbolizer.open(
            Optional.empty(),
            new NativeSymbols(
                new ModuleTable(Path.of("/proc/self"), (address, into, offset, length) -> false)),
            new KernelSymbols());
    Set<String> names = new HashSet<>();
    for (WalkEnd end : WalkEnd.values()) {
      assertEquals((long) end.index(), ends.get(end.name()), end.name());
      List<Frame> frames = symbolizer.resolve(RawFrame.head(RawFrame.MARKER, 0, end.index()), 0);
      assertEquals(1, frames.size());
      assertEquals(FrameKind.MARKER, frames.get(0).kind());
      String name = frames.get(0).function();
      assertTrue(name.startsWith("[unwind stopped: "), name);
      assertFalse(name.contains("not known"), name);
      assertTrue(names.add(name), name);
    }
    assertEquals(ends.size(), names.size());
  }
}
