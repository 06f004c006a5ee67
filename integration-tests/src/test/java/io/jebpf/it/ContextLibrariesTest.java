package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.context.JavaxLoad;
import io.jebpf.it.context.LibraryLoad;
import io.jebpf.it.context.ServletLoad;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.pprof.Profile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contexts of real libraries, containers and agents, with every class verified. */
@Beside
@KernelTest
class ContextLibrariesTest {
  private static final String TRACE = "0af7651916cd43dd8448eb211c80319c";

  @TempDir Path directory;

  private static ChildJvm load(Path directory, String agent) {
    return ChildJvm.in(directory)
        .agent("cpu=500,window=3s,budget=1000%" + agent)
        .quick()
        .jvm("-Xverify:all")
        .classPath(
            Locations.classes()
                + ":"
                + Locations.application("opentelemetry")
                + ":"
                + Locations.application("jetty")
                + ":"
                + Locations.apiJar());
  }

  @Test
  void eachLibraryAndOurApi() {
    ChildResult result =
        load(directory, "").main(LibraryLoad.class, 400).run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    Profiles.assertRules(result);
    assertEquals("false", result.values().get("hook.sampling"), "no class was to be changed yet");
    assertEquals("true", result.values().get("hook.after"));
    span(result, "otel", LibraryLoad.OTEL_SPAN);
    span(result, "copy", LibraryLoad.COPY_SPAN);
    span(result, "underBrave", LibraryLoad.BRAVE_SPAN);
    all(
        result,
        "underMicrometer",
        labels ->
            result.values().get("micrometer.span").equals(labels.get("span_id"))
                && labels.get("trace_id").endsWith(result.values().get("micrometer.trace")));
    all(result, "afterNested", labels -> labels.get("tenant").equals("outer"));
    all(
        result,
        "nested",
        labels -> labels.get("tenant").equals("inner") && labels.get("user_state").equals("no"));
    all(result, "plain", labels -> !labels.containsKey("tenant") && !labels.containsKey("span_id"));
  }

  @Test
  void leavesEveryClassAloneWhenAsked() {
    ChildResult result =
        load(directory, ",instrument=off").main(LibraryLoad.class, 200).run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("false", result.values().get("hook.after"));
    all(result, "otel", labels -> !labels.containsKey("span_id"));
    all(result, "nested", labels -> !labels.containsKey("tenant"));
  }

  @Test
  void besideOpenTelemetrysAgentAndJaCoCo() {
    Path agents = Locations.module().resolve("target/applications/agents");
    ChildResult result =
        load(directory, ",endpoints=true")
            .jvm(
                "-javaagent:" + agents.resolve("opentelemetry-javaagent.jar"),
                "-javaagent:" + agents.resolve("org.jacoco.agent-runtime.jar") + "=output=none",
                "-Dotel.traces.exporter=none",
                "-Dotel.metrics.exporter=none",
                "-Dotel.logs.exporter=none")
            .main(ServletLoad.class, 150)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("450", result.values().get("requests"), "every request was answered");
    assertFalse(result.stderr().contains("could not be instrumented"), result::stderr);
    String load = ServletLoad.class.getName();
    for (String kind : List.of("cpu", "offcpu")) {
      served(result, kind, load + ".orders", "GET /orders/*", "GET /orders/*/items");
      served(result, kind, load + ".users", "GET /users/*", "GET /users/*");
      served(result, kind, load + ".plain", "GET /plain", "GET /plain");
    }
  }

  @Test
  void endpointsOfJavaxServlets() {
    ChildResult result =
        load(directory, ",endpoints=true")
            .classPath(Locations.classes() + ":" + Locations.application("javax"))
            .main(JavaxLoad.class, directory.resolve("tomcat"), 100)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertEquals("100", result.values().get("requests"), "every request was answered");
    List<Map<String, String>> labels = labels(result, "cpu", JavaxLoad.class.getName() + ".orders");
    assertTrue(labels.size() > 5, () -> labels.size() + " rows" + result);
    long named = count(labels, l -> "GET /orders/*/items".equals(l.get("endpoint")));
    assertTrue(named >= 0.98 * labels.size(), () -> "endpoints: " + labels);
  }

  private static void served(
      ChildResult result, String kind, String method, String root, String endpoint) {
    List<Map<String, String>> labels = labels(result, kind, method);
    assertTrue(labels.size() > 20, method + ": " + labels.size() + " rows in " + kind);
    long traced = count(labels, l -> l.getOrDefault("trace_id", "").length() == 32);
    long rooted = count(labels, l -> l.getOrDefault("root_span", "").startsWith("GET"));
    long named = count(labels, l -> l.getOrDefault("endpoint", "").equals(endpoint));
    String told = kind + " " + method + ": " + labels;
    assertTrue(traced >= 0.98 * labels.size(), told);
    assertTrue(rooted >= 0.98 * labels.size(), told);
    assertTrue(named >= 0.98 * labels.size(), told);
    long spans = labels.stream().map(l -> l.getOrDefault("span_id", "")).distinct().count();
    assertTrue(spans > 20, "each request has a span: " + told);
  }

  private static long count(
      List<Map<String, String>> labels, Predicate<Map<String, String>> wanted) {
    return labels.stream().filter(wanted).count();
  }

  private static void span(ChildResult result, String method, String span) {
    all(
        result,
        method,
        labels -> span.equals(labels.get("span_id")) && TRACE.equals(labels.get("trace_id")));
  }

  private static void all(
      ChildResult result, String method, Predicate<Map<String, String>> wanted) {
    List<Map<String, String>> labels =
        labels(result, "cpu", LibraryLoad.class.getName() + "." + method);
    assertFalse(labels.isEmpty(), () -> "no sample of " + method + ": " + result);
    for (Map<String, String> set : labels) {
      assertTrue(wanted.test(set), () -> method + ": " + set);
    }
  }

  /** Labels of each row with a method in it. */
  private static List<Map<String, String>> labels(ChildResult result, String kind, String method) {
    List<Map<String, String>> labels = new ArrayList<>();
    for (Profile profile : result.profiles(kind)) {
      for (Profile.Stack stack : profile.stacks()) {
        if (stack.contains(method)) {
          labels.add(stack.labels());
        }
      }
    }
    return labels;
  }
}
