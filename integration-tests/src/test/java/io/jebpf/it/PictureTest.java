package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.harness.RunningJvm;
import io.jebpf.it.workload.AttachLoad;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pictures of a real JVM in a real browser. Screenshots stay in target/pictures, for people. */
@Beside
@KernelTest
class PictureTest {
  private static final int READY_SECONDS = 120;
  private static final int WHITE = 0xffffff;

  @TempDir Path directory;

  @Test
  void pagesLoadSearchAndShowSomething() throws Exception {
    Path shots = Files.createDirectories(Locations.module().resolve("target/pictures"));
    Path heatMap = directory.resolve("heatmap.html");
    List<Path> profiles = profiles(heatMap);
    Path flames = directory.resolve("flames.html");
    draw("--out=" + flames, profiles.get(0));
    Path difference = directory.resolve("difference.html");
    draw("--out=" + difference, "--diff=" + profiles.get(0), profiles.get(profiles.size() - 1));
    try (Browser browser = Browser.start(directory)) {
      flameGraph(browser, flames, shots.resolve("flamegraph.png"));
      differenceGraph(browser, difference, shots.resolve("difference.png"));
      heatMap(browser, heatMap, shots);
    }
  }

  /** CPU profiles of a JVM, and the heat map of what it remembered. */
  private List<Path> profiles(Path heatMap) throws Exception {
    ChildJvm jvm =
        ChildJvm.in(directory.resolve("target"))
            .agent("cpu=499,budget=100%,window=2s")
            .jvm("-XX:+EnableDynamicAgentLoading")
            .main(AttachLoad.class, 600);
    try (RunningJvm running = jvm.start()) {
      running.awaitOutput("ready=1", READY_SECONDS);
      long deadline = System.nanoTime() + READY_SECONDS * 1_000_000_000L;
      while (cpu(running.profiles()).size() < 3) {
        assertTrue(System.nanoTime() < deadline, running::stderr);
        Thread.sleep(100);
      }
      Tools.Outcome outcome = Jebpf.run(directory, "heatmap", running.pid(), heatMap);
      assertEquals(0, outcome.exitCode(), outcome.output());
      return cpu(running.profiles());
    }
  }

  private static List<Path> cpu(Path out) throws Exception {
    if (!Files.isDirectory(out)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(out)) {
      return files
          .filter(file -> file.getFileName().toString().matches("cpu-.*\\.pb\\.gz"))
          .sorted()
          .toList();
    }
  }

  private void draw(Object... arguments) throws Exception {
    Object[] all = new Object[arguments.length + 1];
    all[0] = "flamegraph";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    Tools.Outcome outcome = Jebpf.run(directory, all);
    assertEquals(0, outcome.exitCode(), outcome.output());
  }

  private static void flameGraph(Browser browser, Path page, Path shot) throws Exception {
    browser.load(page);
    Map<Integer, Integer> colours = colours(browser.screenshot(shot));
    assertNotBlank(colours);
    // Green of Java that was compiled, cyan of what was inlined into it.
    assertTrue(count(colours, 0x50e150, 0x6fff6f) > 500, "pixels of compiled Java");
    browser.script("search('Burn\\\\.spin')");
    String matched = browser.script("return document.getElementById('matchval').textContent");
    double percent = Double.parseDouble(matched.replace("%", ""));
    assertTrue(percent > 40, "matched " + matched);
    Map<Integer, Integer> searched = colours(browser.screenshot(shot.resolveSibling("search.png")));
    assertTrue(searched.getOrDefault(0xee00ee, 0) > 500, "pixels of what matched");
    browser.script("search('no such method')");
    assertEquals("0.00%", browser.script("return document.getElementById('matchval').textContent"));
    assertEquals(List.of(), browser.complaints());
  }

  private static void differenceGraph(Browser browser, Path page, Path shot) throws Exception {
    browser.load(page);
    assertNotBlank(colours(browser.screenshot(shot)));
    assertEquals("true", browser.script("return maxdiff >= 0"));
    assertEquals(List.of(), browser.complaints());
  }

  private static void heatMap(Browser browser, Path page, Path shots) throws Exception {
    browser.load(page);
    BufferedImage before = browser.screenshot(shots.resolve("heatmap.png"));
    assertNotBlank(colours(before));
    String title = browser.script("return document.getElementById('title').textContent");
    assertTrue(title.startsWith("CPU of process "), title);
    assertEquals(List.of(), browser.complaints());
  }

  private static void assertNotBlank(Map<Integer, Integer> colours) {
    int all = colours.values().stream().mapToInt(Integer::intValue).sum();
    int white = colours.getOrDefault(WHITE, 0);
    assertTrue(colours.size() > 10, "only " + colours.size() + " colours");
    assertTrue(white < 0.995 * all, "blank: " + white + " of " + all + " pixels are white");
  }

  private static Map<Integer, Integer> colours(BufferedImage image) {
    Map<Integer, Integer> colours = new HashMap<>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colours.merge(image.getRGB(x, y) & WHITE, 1, Integer::sum);
      }
    }
    return colours;
  }

  /** Pixels whose three parts each lie between those of two colours. */
  private static int count(Map<Integer, Integer> colours, int low, int high) {
    int count = 0;
    for (Map.Entry<Integer, Integer> entry : colours.entrySet()) {
      boolean between = true;
      for (int shift = 0; shift < 24; shift += 8) {
        int part = entry.getKey() >> shift & 0xff;
        between &= part >= (low >> shift & 0xff) && part <= (high >> shift & 0xff);
      }
      count += between ? entry.getValue() : 0;
    }
    return count;
  }
}
