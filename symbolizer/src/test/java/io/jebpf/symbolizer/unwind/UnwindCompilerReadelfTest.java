package io.jebpf.symbolizer.unwind;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.TestTools;
import io.jebpf.symbolizer.elf.ElfImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row of real libraries against what {@code readelf --debug-dump=frames-interp} prints. */
class UnwindCompilerReadelfTest {
  /** One row as readelf prints it. */
  private record Row(String cfa, String rbp, String ra) {}

  /** Reads readelf's output: rows by address, with an empty row after each function's end. */
  private static final class Interpreted {
    final TreeMap<Long, TreeMap<Long, Row>> functions = new TreeMap<>();
    final Map<Long, Long> ends = new TreeMap<>();

    /** Rows of the CIEs by their position: those of functions without instructions. */
    private final Map<Long, Row> common = new TreeMap<>();

    private List<String> columns = List.of();
    private TreeMap<Long, Row> rows = new TreeMap<>();
    private long inCie = -1;

    void line(String line) {
      String text = line.strip();
      int pc = text.indexOf(" pc=");
      if (pc > 0 && text.contains(" FDE ")) {
        String[] range = text.substring(pc + 4).split("\\.\\.");
        rows = new TreeMap<>();
        functions.put(Long.parseUnsignedLong(range[0], 16), rows);
        String cie = text.substring(text.indexOf(" cie=") + 5, pc);
        rows.put(Long.parseUnsignedLong(range[0], 16), common.get(Long.parseUnsignedLong(cie, 16)));
        ends.put(
            Long.parseUnsignedLong(range[0], 16), Long.parseUnsignedLong(range[1].strip(), 16));
        inCie = -1;
      } else if (text.contains(" CIE ")) {
        inCie = Long.parseUnsignedLong(text.split(" ")[0], 16);
      } else if (text.startsWith("LOC")) {
        columns = List.of(text.split("\\s+"));
      } else if (text.matches("[0-9a-f]{16} .*")) {
        // A value in another register is printed as "r9 (r9)".
        String[] cells = text.replaceAll(" \\(\\w+\\)", "").split("\\s+");
        Row row = new Row(cell(cells, "CFA"), cell(cells, "rbp"), cell(cells, "ra"));
        if (inCie >= 0) {
          common.put(inCie, row);
        } else {
          rows.put(Long.parseUnsignedLong(cells[0], 16), row);
        }
      }
    }

    private String cell(String[] cells, String column) {
      int index = columns.indexOf(column);
      return index < 0 ? "" : cells[index];
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "libjvm.so",
        "libc.so",
        "libstdc++.so",
        "libm.so",
        "ld-linux",
        "libjava",
        "libjli",
        "libcrypto.so"
      })
  void rowsEqualReadelf(String library) throws Exception {
    TestTools.need("readelf");
    Path file = TestTools.library(library);
    assumeTrue(Files.exists(file), library + " is not installed");
    Interpreted expected = new Interpreted();
    TestTools.lines(expected::line, "readelf", "--debug-dump=frames-interp", "-W", file.toString());
    assertTrue(expected.functions.size() > 10, () -> "readelf printed no functions of " + file);
    UnwindTable table;
    try (ElfImage image = ElfImage.ofFile(file)) {
      table = UnwindCompiler.compile(image);
    }
    assertEquals(expected.functions.size(), table.functions());
    assertEquals(0, table.skipped());
    long end = 0;
    int compared = 0;
    for (var function : expected.functions.entrySet()) {
      long start = function.getKey();
      long limit = expected.ends.get(start);
      if (end != 0 && start > end && table.at(end).cfa() != UnwindRule.CFA_NONE) {
        assertEquals(UnwindRule.CALLED, table.at(end)); // a linkage table without description
      }
      Row row = new Row("none", "", "");
      long next = start;
      var later = function.getValue();
      for (long at = start; at < limit; at = next) {
        row = later.getOrDefault(at, row);
        Long following = later.higherKey(at);
        next = following == null ? limit : following;
        check(file, at, row, table.at(at));
        check(file, next - 1, row, table.at(next - 1));
        compared++;
      }
      end = limit;
    }
    System.err.printf(
        "%s: %d functions, %d rows (%d printed by readelf), %d rules%n",
        file, table.functions(), table.rows(), compared, table.rules().size());
    checkMerged(table);
  }

  private static void checkMerged(UnwindTable table) {
    for (int i = 1; i < table.rows(); i++) {
      assertTrue(Integer.compareUnsigned(table.start(i - 1), table.start(i)) < 0);
      assertTrue(table.rule(i - 1) != table.rule(i), "equal neighbours");
    }
    assertEquals(0, table.rule(table.rows() - 1), "the last row closes");
  }

  private static void check(Path file, long address, Row row, UnwindRule rule) {
    if (!matches(file, row, rule)) {
      fail(file + " at " + Long.toHexString(address) + ": readelf " + row + ", ours " + rule);
    }
  }

  private static boolean matches(Path file, Row row, UnwindRule rule) {
    if (row.ra.equals("u")) {
      return rule.equals(UnwindRule.ROOT);
    }
    if (row.ra.startsWith("r")) {
      // The last jump of longjmp and of unwinding: the address is in a register. No such rule.
      return rule.equals(UnwindRule.NONE);
    }
    if (row.cfa.equals("exp")) {
      return rule.cfa() == UnwindRule.CFA_PLT
          || rule.cfa() == UnwindRule.CFA_SIGNAL && row.ra.equals("exp") && row.rbp.equals("exp")
          || rule.cfa() == UnwindRule.CFA_DEREF_RBP && matchesRbp(row.rbp, rule)
          || rule.cfa() == UnwindRule.CFA_DEREF_RSP && matchesRbp(row.rbp, rule)
          || rule.equals(UnwindRule.NONE) && file.toString().contains("libcrypto");
    }
    List<String> registers =
        List.of(
            "", "rsp", "rbp", "", "", "", "rbx", "rdi", "rdx", "rcx", "r11", "r10", "", "", "rax",
            "rsi");
    int sign = Math.max(row.cfa.indexOf('+'), row.cfa.indexOf('-'));
    int base = registers.indexOf(row.cfa.substring(0, sign));
    if (base < 0) {
      // OpenSSL's assembly, a few instructions around its loops.
      return rule.equals(UnwindRule.NONE)
          && List.of("r9", "r15").contains(row.cfa.substring(0, sign));
    }
    return rule.cfa() == base
        && rule.cfaOffset() == Integer.parseInt(row.cfa.substring(sign))
        && row.ra.equals("c" + signed(rule.raOffset()))
        && matchesRbp(row.rbp, rule);
  }

  private static boolean matchesRbp(String cell, UnwindRule rule) {
    return switch (rule.rbp()) {
      case UnwindRule.RBP_SAME -> cell.isEmpty() || cell.equals("u") || cell.equals("s");
      case UnwindRule.RBP_CFA -> cell.equals("c" + signed(rule.rbpOffset()));
      case UnwindRule.RBP_DEREF_RBP -> cell.equals("exp");
      default -> false;
    };
  }

  private static String signed(int offset) {
    return offset < 0 ? Integer.toString(offset) : "+" + offset;
  }

  @Test
  void libcHasOneSignalFrameAndOneLinkageExpression() throws Exception {
    Path file = TestTools.library("libc.so");
    assumeTrue(Files.exists(file), "no glibc");
    try (ElfImage image = ElfImage.ofFile(file)) {
      UnwindTable table = UnwindCompiler.compile(image);
      assertEquals(1, table.rules().stream().filter(r -> r.cfa() == UnwindRule.CFA_PLT).count());
      assertTrue(table.rules().contains(UnwindRule.ROOT));
      if (System.getProperty("os.arch").equals("amd64")) {
        // struct rt_sigframe of the kernel: rsp, rip and rbp in its ucontext
        assertTrue(
            table
                .rules()
                .contains(
                    new UnwindRule(UnwindRule.CFA_SIGNAL, 160, UnwindRule.RBP_CFA, 120, 168)));
      }
    }
  }
}
