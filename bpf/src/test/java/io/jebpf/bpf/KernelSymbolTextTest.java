package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The kernel's symbols by BPF iterator, on the real kernel beside /proc/kallsyms. */
class KernelSymbolTextTest {
  private static final Pattern LINE =
      Pattern.compile("[0-9a-f]{16} [tTwW] \\S+(\\t\\[[a-zA-Z0-9_]+])?");
  private static final int CALLS_MAX = 1000;
  private static final LongSupplier STANDING = () -> 0;

  private static byte[] object() throws KernelException {
    return KernelObject.resource("ksyms.bpf.o");
  }

  private static String text(NativeRuntime runtime) throws KernelException, IOException {
    try (InputStream in = KernelSymbolText.open(runtime)) {
      return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
    }
  }

  /** Of code, without those of programs, which come and go, and of padding. */
  private static Set<String> symbols(Stream<String> lines) {
    Set<String> symbols = new LinkedHashSet<>();
    lines
        .filter(line -> LINE.matcher(line).matches())
        .filter(line -> !line.endsWith("[bpf]") && !line.endsWith("[__builtin__kprobes]"))
        .filter(line -> !line.startsWith("__pfx_", 19))
        .forEach(line -> symbols.add(line.substring(0, 16) + line.substring(18)));
    return symbols;
  }

  @Test
  @Tag("kernel")
  void sameSymbolsInTheSameOrderAsKallsyms() throws Exception {
    Kernel.require();
    Set<String> file;
    try (Stream<String> lines = Files.lines(Path.of("/proc/kallsyms"))) {
      file = symbols(lines.filter(line -> !line.startsWith("0000000000000000 ")));
    }
    Assumptions.assumeTrue(!file.isEmpty(), "kallsyms hides its addresses from this test");
    String text = text(Kernel.runtime());
    assertEquals(List.of(), text.lines().filter(l -> !LINE.matcher(l).matches()).limit(3).toList());
    Set<String> iterated = symbols(text.lines());
    assertTrue(file.size() > 10_000, file.size() + " symbols");
    assertEquals(List.copyOf(file), List.copyOf(iterated));
  }

  @Test
  @Tag("kernel")
  void nothingStaysBehind() throws Exception {
    Kernel.require();
    text(Kernel.runtime());
    int before = new File("/proc/self/fd").list().length;
    for (int i = 0; i < 5; i++) {
      text(Kernel.runtime());
      try (InputStream in = KernelSymbolText.open(Kernel.runtime())) {
        assertTrue(in.read() > 0); // not read to the end
      }
    }
    assertEquals(before, new File("/proc/self/fd").list().length);
  }

  @Test
  @Tag("kernel")
  void everyCallMayFail() throws Exception {
    Kernel.require();
    Set<String> failed = new HashSet<>();
    for (int n = 1; n < CALLS_MAX; n++) {
      Faults faults = new Faults(n);
      String said = "";
      try (InputStream in = KernelSymbolText.open(faults.runtime())) {
        in.readNBytes(10);
      } catch (KernelException | IOException e) {
        said = e.getMessage();
      }
      assertEquals(Map.of(), faults.held(), faults.failed());
      if (faults.failed().isEmpty()) {
        assertEquals("", said);
        assertEquals(
            Set.of(
                "objectOpen",
                "objectLoad",
                "findProgram",
                "programFd",
                "linkIterator",
                "createIterator",
                "read"),
            failed);
        return;
      }
      failed.add(faults.failed());
      assertTrue(said.contains("EIO (5)"), faults.failed() + ": " + said);
    }
    throw new AssertionError("still failing after " + CALLS_MAX + " calls");
  }

  /** As a kernel before 6.0 has it. */
  @Test
  @Tag("kernel")
  void aKernelWithoutTheIteratorIsSaidToBe() throws Exception {
    Kernel.require();
    String elf = new String(object(), StandardCharsets.ISO_8859_1);
    byte[] other = elf.replace("iter/ksym", "iter/none").getBytes(StandardCharsets.ISO_8859_1);
    KernelException refusal =
        assertThrows(
            KernelException.class, () -> KernelSymbolText.open(Kernel.runtime(), other, STANDING));
    assertTrue(
        refusal.getMessage().startsWith("bpf_object__load(ksyms) failed: ESRCH (3); the kernel"),
        refusal.getMessage());
  }

  /** A kernel of which each read gives {@code result} bytes. */
  private static NativeRuntime endless(int result) {
    KernelCalls kernel =
        (KernelCalls)
            Proxy.newProxyInstance(
                KernelSymbolTextTest.class.getClassLoader(),
                new Class<?>[] {KernelCalls.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("read")) {
                    assertTrue(result <= ((ByteBuffer) arguments[1]).capacity());
                  }
                  return method.getReturnType() == long.class ? (Object) (long) result : result;
                });
    BpfCalls bpf =
        (BpfCalls)
            Proxy.newProxyInstance(
                KernelSymbolTextTest.class.getClassLoader(),
                new Class<?>[] {BpfCalls.class},
                (proxy, method, arguments) ->
                    switch (method.getReturnType().getName()) {
                      case "long" -> 7L;
                      case "int" -> 7;
                      default -> ""; // what libbpf said
                    });
    return new NativeRuntime(kernel, bpf, List.of());
  }

  private static String failure(InputStream in) {
    try (in) {
      return assertThrows(IOException.class, () -> in.transferTo(nowhere())).getMessage();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static java.io.OutputStream nowhere() {
    return java.io.OutputStream.nullOutputStream();
  }

  @Test
  void readingIsBoundedInSize() throws Exception {
    InputStream in = KernelSymbolText.open(endless(32 * 1024), new byte[0], STANDING);
    assertTrue(failure(in).endsWith("gave more than 64 MB"));
  }

  @Test
  void readingIsBoundedInTime() throws Exception {
    for (int result : new int[] {1, -11, -4}) {
      long[] now = {0};
      InputStream in =
          KernelSymbolText.open(endless(result), new byte[0], () -> now[0] += 100_000_000L);
      assertTrue(failure(in).endsWith("took longer than 5 s"));
    }
  }
}
