package io.jebpf.agent.http;

import io.jebpf.agent.jmx.ProfilerBean;
import io.jebpf.agent.pipeline.Snapshot;
import java.util.Locale;

/** The page that people see first: what there is, and links to it. */
final class IndexPage {
  private static final String PAGE =
      """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8"><title>jebpf: %1$s</title>
      <style>body{font-family:sans-serif;max-width:50em;margin:2em auto;padding:0 1em}
      td{padding:.2em 1em .2em 0}code{background:#eee;padding:0 .2em}</style></head><body>
      <h1>%1$s</h1>
      <p>Profiled by jebpf %2$s: %3$s, %4$d Hz, %5$d samples taken, %6$d lost. The last %7$d s are kept.</p>
      <h2>The next seconds</h2>
      <table>
      <tr><td><a href="profile?seconds=10">profile?seconds=10</a></td><td>CPU: where threads ran</td></tr>
      <tr><td><a href="offcpu?seconds=10">offcpu?seconds=10</a></td><td>where threads waited, and for what</td></tr>
      <tr><td><a href="wall?seconds=10">wall?seconds=10</a></td><td>both in one</td></tr>
      </table>
      <h2>The last seconds</h2>
      <table>
      <tr><td>CPU</td><td><a href="/flamegraph?kind=cpu&amp;seconds=30">flame graph</a></td>
      <td><a href="profile?from=-30s">pprof</a></td><td><a href="profile?from=-30s&amp;debug=1">text</a></td></tr>
      <tr><td>off-CPU</td><td><a href="/flamegraph?kind=offcpu&amp;seconds=30">flame graph</a></td>
      <td><a href="offcpu?from=-30s">pprof</a></td><td><a href="offcpu?from=-30s&amp;debug=1">text</a></td></tr>
      <tr><td>wall</td><td><a href="/flamegraph?kind=wall&amp;seconds=30">flame graph</a></td>
      <td><a href="wall?from=-30s">pprof</a></td><td><a href="wall?from=-30s&amp;debug=1">text</a></td></tr>
      </table>
      <p>All take <code>from</code> and <code>to</code> (<code>-90s</code>, or a time in UTC), <code>thread</code> (a name,
      <code>*</code> for any text), <code>state</code> and <code>format</code> (<code>pprof</code>, <code>collapsed</code>,
      <code>html</code>). With Go: <code>go tool pprof http://…/debug/pprof/profile?seconds=10</code></p>
      <p><a href="/metrics">metrics</a> · <a href="/healthz">healthz</a> · <a href="cmdline">cmdline</a></p>
      </body></html>
      """;

  private IndexPage() {}

  static String of(ProfilerBean.Source source) {
    Snapshot now = source.snapshot();
    return String.format(
        Locale.ROOT,
        PAGE,
        escaped(source.options().service()),
        escaped(source.version()),
        escaped(source.state()),
        now.rateHz(),
        now.taken(),
        now.counters().lost(),
        keptSeconds(source));
  }

  private static long keptSeconds(ProfilerBean.Source source) {
    long now = System.nanoTime();
    return source
        .onDemand()
        .map(on -> (now - on.history().oldestNanos(now)) / 1_000_000_000)
        .orElse(0L);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
