package io.jebpf.symbolizer.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.modules.Symbol;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelSymbolsTest {
  private static final String HIDDEN =
      """
      0000000000000000 T _stext
      0000000000000000 t do_one_initcall
      0000000000000000 t nft_do_chain\t[nf_tables]
      """;

  private static final String TEXT =
      """
      0000000000000000 A fixed_percpu_data
      ffffffff81000000 T srso_alias_untrain_ret
      ffffffff81000000 T _stext
      ffffffff81000ff0 t __pfx_do_one_initcall
      ffffffff81001000 t do_one_initcall
      ffffffff81002000 D not_code
      ffffffff81003000 W weak_one
      ffffffff82000000 T _etext
      ffffffffc0500000 t nft_do_chain\t[nf_tables]
      ffffffffc0025be4 t bpf_prog_2822d04f5236793b_on_cpu\t[bpf]
      """;

  @TempDir Path directory;
  private final AtomicLong clock = new AtomicLong();
  private Optional<KernelSymbolSource> other = Optional.empty();

  private KernelSymbols symbols(String text) throws IOException {
    Files.writeString(directory.resolve("kptr_restrict"), "1\n");
    Path file = Files.writeString(directory.resolve("kallsyms"), text);
    return new KernelSymbols(file, directory.resolve("kptr_restrict"), other, clock::get);
  }

  @Test
  void namesFunctionsOfKernelModulesAndPrograms() throws IOException {
    KernelSymbols symbols = symbols(TEXT);
    assertEquals(
        new Symbol.Known("do_one_initcall", "[kernel.kallsyms]", 0x10),
        symbols.resolve(0xffffffff81001010L, true));
    assertEquals(
        new Symbol.Known("weak_one", "[kernel.kallsyms]", 0),
        symbols.resolve(0xffffffff81003000L, true));
    assertEquals(
        new Symbol.Known("nft_do_chain", "[nf_tables]", 4),
        symbols.resolve(0xffffffffc0500004L, true));
    assertEquals(
        new Symbol.Known("bpf_prog_2822d04f5236793b_on_cpu", "[bpf]", 0),
        symbols.resolve(0xffffffffc0025be4L, true));
    assertTrue(symbols.unavailable().isEmpty());
  }

  @Test
  void firstOfSeveralNamesIsShown() throws IOException {
    assertEquals(
        new Symbol.Known("srso_alias_untrain_ret", "[kernel.kallsyms]", 0),
        symbols(TEXT).resolve(0xffffffff81000000L, true));
  }

  @Test
  void returnAddressBelongsToTheCallBefore() throws IOException {
    assertEquals(
        new Symbol.Known("do_one_initcall", "[kernel.kallsyms]", 0x1fff),
        symbols(TEXT).resolve(0xffffffff81003000L, false));
  }

  @Test
  void addressesOutsideOfCodeHaveNoName() throws IOException {
    KernelSymbols symbols = symbols(TEXT);
    for (long address :
        new long[] {0, 0xffffffff80ffffffL, 0xffffffff82000000L, 0xffffffff83000000L, -1}) {
      assertInstanceOf(Symbol.Unknown.class, symbols.resolve(address, true));
    }
  }

  @Test
  void hiddenAddressesAreSaidToBeHidden() throws IOException {
    KernelSymbols symbols = symbols(HIDDEN);
    Symbol.Unknown unknown =
        assertInstanceOf(Symbol.Unknown.class, symbols.resolve(0xffffffff81001010L, true));
    assertEquals(
        directory.resolve("kallsyms")
            + " hides its addresses: kernel.kptr_restrict=1 and no CAP_SYSLOG."
            + " Grant CAP_SYSLOG or set kernel.kptr_restrict=0",
        unknown.reason());
    assertEquals(unknown.reason(), symbols.unavailable().orElseThrow());
  }

  private static KernelSymbolSource giving(String text) {
    return () -> new ByteArrayInputStream(text.getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void anotherSourceNamesWhatTheFileHides() throws IOException {
    other = Optional.of(giving(TEXT));
    KernelSymbols symbols = symbols(HIDDEN.repeat(1000));
    assertEquals(
        new Symbol.Known("do_one_initcall", "[kernel.kallsyms]", 0x10),
        symbols.resolve(0xffffffff81001010L, true));
    assertEquals(
        new Symbol.Known("nft_do_chain", "[nf_tables]", 4),
        symbols.resolve(0xffffffffc0500004L, true));
    assertTrue(symbols.unavailable().isEmpty());
    assertTrue(symbols.fromOtherSource());
  }

  @Test
  void theOtherSourceIsLeftAloneWhereTheFileHasAddresses() throws IOException {
    other =
        Optional.of(
            () -> {
              throw new AssertionError("asked");
            });
    KernelSymbols symbols = symbols(TEXT);
    symbols.load();
    assertTrue(symbols.unavailable().isEmpty());
    assertFalse(symbols.fromOtherSource());
  }

  @Test
  void bothReasonsAreSaid() throws IOException {
    other =
        Optional.of(
            () -> {
              throw new IOException("refused");
            });
    KernelSymbols symbols = symbols(HIDDEN);
    symbols.load();
    String why = symbols.unavailable().orElseThrow();
    assertTrue(why.contains("kptr_restrict=1") && why.endsWith("tell them: refused"), why);
    other = Optional.of(giving(""));
    symbols = symbols(HIDDEN);
    symbols.load();
    why = symbols.unavailable().orElseThrow();
    assertTrue(why.endsWith("no symbols either"), why);
  }

  @Test
  void whatWasReadIsKeptWhenItCannotBeReadAgain() throws IOException {
    int[] opened = {0};
    other =
        Optional.of(
            () -> {
              if (opened[0]++ > 0) {
                throw new IOException("refused");
              }
              return giving(TEXT).open();
            });
    KernelSymbols symbols = symbols(HIDDEN);
    symbols.load();
    clock.set(61_000_000_000L);
    assertInstanceOf(Symbol.Unknown.class, symbols.resolve(0xffffffffc0700000L, true));
    assertEquals(2, opened[0]);
    assertEquals(
        new Symbol.Known("weak_one", "[kernel.kallsyms]", 0),
        symbols.resolve(0xffffffff81003000L, true));
    assertTrue(symbols.unavailable().isEmpty());
  }

  @Test
  void missingFileIsAnAnswer() {
    KernelSymbols symbols =
        new KernelSymbols(directory.resolve("none"), directory.resolve("none"), other, clock::get);
    Symbol.Unknown unknown = assertInstanceOf(Symbol.Unknown.class, symbols.resolve(-1, true));
    assertTrue(unknown.reason().startsWith("cannot read"), unknown::reason);
  }

  @Test
  void readsAgainAfterAMinuteWhenAnAddressIsUnknown() throws IOException {
    KernelSymbols symbols = symbols(TEXT);
    long late = 0xffffffffc0700000L;
    assertInstanceOf(Symbol.Unknown.class, symbols.resolve(late, true));
    symbols(TEXT + "ffffffffc0700000 t late_comer\t[late]\n");
    clock.set(59_000_000_000L);
    assertInstanceOf(Symbol.Unknown.class, symbols.resolve(late, true));
    clock.set(61_000_000_000L);
    assertEquals(new Symbol.Known("late_comer", "[late]", 0), symbols.resolve(late, true));
  }

  @Test
  void thisKernelFitsTheBudget() {
    KernelSymbols symbols = new KernelSymbols();
    symbols.load();
    assumeTrue(symbols.unavailable().isEmpty(), () -> symbols.unavailable().orElse(""));
    System.err.printf("kernel symbols take %d bytes of heap%n", symbols.heapBytes());
    assertTrue(symbols.heapBytes() < 3_000_000, () -> symbols.heapBytes() + " bytes");
  }
}
