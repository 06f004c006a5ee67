package io.jebpf.agent.history;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.picture.HeatMaps;
import io.jebpf.agent.window.Labels;
import io.jebpf.agent.window.Mapping;
import io.jebpf.agent.window.Window;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Segments of the flight recorder as a heat map. */
class HeatMapsTest {
  private static final Mapping MAIN = Mapping.ofFile("/usr/bin/java");
  private static final long NOW = 77_000_000_000_000L;
  private static final long WALL_MINUS_NANOS = 1_700_000_000_000_000_000L - NOW;

  /** Ten seconds, of which the sixth has twenty times the samples. */
  private static Segment segment() {
    Window window = new Window(Window.Limits.STANDARD, MAIN);
    for (int second = 0; second < 10; second++) {
      int samples = second == 5 ? 400 : 20;
      for (int i = 0; i < samples; i++) {
        int node =
            window.push(
                Window.ROOT,
                1,
                second == 5 ? 1 : 2,
                (into, head, number) ->
                    into.define(
                        Mapping.JVM,
                        0,
                        number == 1 ? "app.Bad.moment" : "app.Good.time",
                        "App.java",
                        (int) number,
                        Window.FrameClass.RESOLVED));
        long time = NOW + second * 1_000_000_000L + i * (900_000_000L / samples);
        window.add(node, window.labels(Labels.NONE), 10_000_000, time);
      }
    }
    Mark zero = Mark.ZERO;
    Mark begin =
        new Mark(NOW, zero.counters(), zero.offCpu(), 0, 0, 99, 99, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    return new SegmentWriter(window).write(1, begin, begin);
  }

  @Test
  void everySampleOfTheTimeIsOnTheMap() throws IOException {
    String page =
        HeatMaps.html(List.of(segment()), Long.MIN_VALUE, WALL_MINUS_NANOS, "last <10> s");
    assertTrue(page.contains("last &lt;10&gt; s"), "title");
    assertTrue(page.contains("moment") && page.contains("app.Good"), "names");
    assertTrue(page.contains("1700000000000"), "start in milliseconds since 1970");
  }

  @Test
  void whatIsBeforeIsLeftOut() throws IOException {
    String page = HeatMaps.html(List.of(segment()), NOW + 6_000_000_000L, WALL_MINUS_NANOS, "end");
    assertFalse(page.contains("Bad"), "a sample before the time asked for");
    assertThrows(
        IOException.class,
        () -> HeatMaps.html(List.of(segment()), NOW + 60_000_000_000L, WALL_MINUS_NANOS, "none"));
  }
}
