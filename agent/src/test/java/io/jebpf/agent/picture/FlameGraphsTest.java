package io.jebpf.agent.picture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.pprof.ProfileData;
import io.jebpf.agent.pprof.ProfileEncoder;
import io.jebpf.agent.pprof.ProfileHeader;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import io.jebpf.agent.window.Window.FrameClass;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class FlameGraphsTest {
  private static final Mapping MAIN = Mapping.ofFile("/usr/lib/jvm/bin/java");
  private static final Pattern FRAME = Pattern.compile("^[fun]\\((\\d+)", Pattern.MULTILINE);

  private static void name(Window window, long head, long detail) {
    switch ((int) head) {
      case 1 -> window.define(Mapping.JVM, 0, "a.A.compiled", "a/A.java", 1, FrameClass.RESOLVED);
      case 2 ->
          window.define(Mapping.JVM_INLINED, 0, "a.A.inlined", "a/A.java", 2, FrameClass.RESOLVED);
      case 3 ->
          window.define(
              Mapping.JVM_INTERPRETED, 0, "a.A.slow<T>", "a/A.java", 3, FrameClass.RESOLVED);
      case 4 -> window.define(MAIN, 4, "memcpy", "", 0, FrameClass.RESOLVED);
      case 5 -> window.define(MAIN, 5, "Compile::Optimize()", "", 0, FrameClass.RESOLVED);
      case 6 -> window.define(Mapping.KERNEL, 6, "do_sys", "", 0, FrameClass.RESOLVED);
      default -> window.define(Mapping.MARKERS, 0, "[cut]", "", 0, FrameClass.MARKER);
    }
  }

  /** Every kind of frame with a millisecond of its own. */
  private static byte[] profile(long weightOfKernel) throws IOException {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    for (int kind = 1; kind <= 7; kind++) {
      int node = window.push(Window.ROOT, kind, 0, FlameGraphsTest::name);
      window.add(
          node,
          window.labels(Labels.of(LabelKey.THREAD, "main")),
          kind == 6 ? weightOfKernel : 1_000_000,
          0);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ProfileHeader header =
        new ProfileHeader(
            1_700_000_000_000_000_000L, 1_000_000_000, 10_000_000, List.of(), Map.of());
    ProfileEncoder.encode(window, ProfileKind.CPU, header, out);
    return out.toByteArray();
  }

  @Test
  void everyKindOfFrameHasItsColourAndItsName() throws IOException {
    String page = FlameGraphs.html(profile(1_000_000), "of <me> & you");
    assertTrue(page.contains("<h1>of &lt;me&gt; &amp; you</h1>"), "title");
    Matcher frames = FRAME.matcher(page);
    boolean[] types = new boolean[8];
    while (frames.find()) {
      types[Integer.parseInt(frames.group(1)) & 7] = true;
    }
    // Interpreted, compiled, inlined, native, C++, kernel, not C1, marker.
    assertEquals(
        List.of(true, true, true, true, true, true, false, true),
        List.of(types[0], types[1], types[2], types[3], types[4], types[5], types[6], types[7]));
    for (String name : List.of("compiled", "slow<T>", "memcpy", "Compile::Optimize()", "do_sys")) {
      assertTrue(page.contains(name), name);
    }
  }

  /** The library's page still has the texts that are replaced. */
  @Test
  void everyEditOfThePageFindsItsPlace() throws IOException {
    String page = FlameGraphs.html(profile(1_000_000), "t");
    assertTrue(page.contains("[0xa8a8b8"), "colour of markers");
    assertTrue(page.contains("Marker (why a stack ends)"), "legend");
    assertTrue(page.contains("' ms'") && !page.contains("' samples'"), "times, not counts");
    assertTrue(page.contains("<link rel='icon'"), "icon");
  }

  @Test
  void aDifferenceComparesShares() throws IOException {
    // The same profile at twice the length: nothing changed.
    ProfileData once = ProfileData.read(profile(1_000_000));
    String same = FlameGraphs.difference(once, once.plus(once), "same");
    assertTrue(same.contains("const maxdiff = 0;"), "no difference");
    String other = FlameGraphs.difference(profile(1_000_000), profile(9_000_000), "kernel grew");
    assertFalse(other.contains("const maxdiff = 0;") || other.contains("const maxdiff = -1;"));
  }

  @Test
  void whatIsNoProfileIsAnError() {
    assertThrows(
        IOException.class,
        () -> FlameGraphs.html("no profile at all".getBytes(StandardCharsets.UTF_8), "t"));
    assertThrows(IOException.class, () -> FlameGraphs.html(new byte[0], "t"));
  }
}
