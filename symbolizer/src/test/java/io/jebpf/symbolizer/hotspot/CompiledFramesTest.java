package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.parallel.ExecutionMode.CONCURRENT;

import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Inlining and lines of all compiled code of a live JVM against the class files. */
class CompiledFramesTest {
  @Execution(CONCURRENT)
  @ParameterizedTest(name = "JDK {0} {1}")
  @CsvSource({
    "25,-XX:+TieredCompilation",
    "25,-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints",
    "25,-XX:+UseZGC -XX:TieredStopAtLevel=1",
    "17,-XX:-SegmentedCodeCache",
    "17,-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints",
    "21,-XX:+TieredCompilation",
    "28,-XX:+TieredCompilation",
  })
  void agreesWithTheClassFiles(int release, String options) throws Exception {
    Optional<Path> home = ChildJvm.jdk(release);
    Assumptions.assumeTrue(
        home.isPresent(),
        "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    try (ChildJvm child = ChildJvm.startFromSource(home.get(), 1500, options.split(" "));
        ProcMemory memory = new ProcMemory(child.pid());
        FileSystem jrt =
            FileSystems.newFileSystem(
                URI.create("jrt:/"), Map.of("java.home", home.get().toString()))) {
      HotspotVm vm = Opened.vm(memory, new TestLibjvm(child.pid(), true));
      assertEquals(release, vm.jdkMajor());
      CompiledTruth truth = new CompiledTruth(vm, memory, jrt);
      truth.checkAll();
      System.err.printf(
          "JDK %d %s: %d nmethods, %d pcs, %d scopes, %d inlined, %d lines, %d calls,"
              + " %d without debug information, %d errors%n",
          release,
          options,
          truth.nmethods,
          truth.pcs,
          truth.scopes,
          truth.inlined,
          truth.lines,
          truth.calls,
          truth.methodOnly,
          truth.errors.size());
      assertEquals(List.of(), truth.errors.stream().limit(3).toList());
      assertTrue(truth.nmethods > 200, "compiled methods: " + truth.nmethods);
      assertTrue(truth.inlined > 200, "inlined calls: " + truth.inlined);
      assertTrue(truth.calls > 100, "calls compared: " + truth.calls);
    }
  }
}
