package io.jebpf.symbolizer.modules;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that JITs keep for perf. */
class PerfMapTest {
  @TempDir Path directory;

  private final AtomicLong now = new AtomicLong();

  private PerfMap of(Path file) {
    return new PerfMap(file, directory, now::get);
  }

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("perf-1.map"), text);
  }

  @Test
  void namesWhatTheRangesCover() throws IOException {
    PerfMap map =
        of(
            file(
                "7f0000001000 40 LazyCompile:*add /a b.js:3\n"
                    + "0x7f0000002000 10 py::f\n"
                    + "no numbers at all\n"
                    + "7f0000003000 0 empty\n"
                    + "7f0000004000 1"));
    assertEquals("", map.nameAt(0x7f0000000fffL));
    assertEquals("LazyCompile:*add /a b.js:3", map.nameAt(0x7f0000001000L));
    assertEquals("LazyCompile:*add /a b.js:3", map.nameAt(0x7f000000103fL));
    assertEquals("", map.nameAt(0x7f0000001040L));
    assertEquals("py::f", map.nameAt(0x7f0000002008L));
    assertEquals("", map.nameAt(0x7f0000003000L));
    assertEquals("", map.nameAt(0x7f0000004000L));
  }

  @Test
  void theLastLineCountsWhereMemoryIsUsedAgain() throws IOException {
    PerfMap map = of(file("1000 100 old\n1200 100 next\n1080 200 new\n"));
    assertEquals("old", map.nameAt(0x107f));
    assertEquals("new", map.nameAt(0x1080));
    assertEquals("new", map.nameAt(0x1210));
    assertEquals("", map.nameAt(0x1290));
  }

  @Test
  void readsAgainWhatHasGrownButNotAtEachMiss() throws IOException {
    Path file = file("1000 100 first\n");
    PerfMap map = of(file);
    assertEquals("first", map.nameAt(0x1000));
    Files.writeString(file, "1000 100 first\n2000 100 second\n");
    Files.setLastModifiedTime(file, FileTime.fromMillis(1_000));
    assertEquals("", map.nameAt(0x2000));
    now.addAndGet(1_000_000_000L);
    assertEquals("second", map.nameAt(0x2000));
  }

  @Test
  void aLinkIsNotFollowed() throws IOException {
    Path target = file("1000 100 planted\n");
    Path link = Files.createSymbolicLink(directory.resolve("link"), target);
    assertEquals("", of(link).nameAt(0x1000));
    assertEquals("", of(directory.resolve("absent")).nameAt(0x1000));
    assertEquals("", PerfMap.NONE.nameAt(0x1000));
  }
}
