package io.jebpf.it.matrix.check;

import java.util.ArrayList;
import java.util.List;

/** One cell of the matrix: a collector, a set of JVM options, a load. */
record Cell(String collector, String options, String load) {
  static final List<String> COLLECTORS = List.of("G1", "Parallel", "Serial", "ZGC", "Shenandoah");

  static final List<String> OPTIONS =
      List.of(
          "default",
          "-Xint",
          "C1 only",
          "-TieredCompilation",
          "+PreserveFramePointer",
          "-SegmentedCodeCache",
          "+UseCompactObjectHeaders",
          "-UseCompressedOops");

  /** {@code jni-bare}: with a library that has neither unwind tables nor frame pointers. */
  static final List<String> LOADS =
      List.of(
          "mixed",
          "churn",
          "virtual",
          "deopt",
          "throw",
          "jni",
          "jni-bare",
          "upcalls",
          "deep",
          "classes");

  static List<Cell> all() {
    List<Cell> cells = new ArrayList<>();
    for (String load : LOADS) {
      for (String options : OPTIONS) {
        for (String collector : COLLECTORS) {
          cells.add(new Cell(collector, options, load));
        }
      }
    }
    return cells;
  }

  static Cell parse(String name) {
    String[] parts = name.split("/");
    return new Cell(parts[0], parts[1], parts[2]);
  }

  /** For filters and lists: {@code G1/-Xint/deopt}. */
  String name() {
    return collector + "/" + options + "/" + load;
  }

  List<String> jvmFlags() {
    List<String> flags = new ArrayList<>();
    flags.add("-XX:+Use" + (collector.equals("ZGC") ? collector : collector + "GC"));
    switch (options) {
      case "default" -> {}
      case "-Xint" -> flags.add("-Xint");
      case "C1 only" -> flags.add("-XX:TieredStopAtLevel=1");
      default -> flags.add("-XX:" + options);
    }
    flags.add("-Xmx" + heap());
    flags.add("--enable-native-access=ALL-UNNAMED");
    flags.add("-Djdk.virtualThreadScheduler.parallelism=2");
    if (load.equals("classes")) {
      flags.add("-XX:ReservedCodeCacheSize=16m");
    }
    return flags;
  }

  /** Small enough that the collector is never at rest, large enough for what the load keeps. */
  private String heap() {
    if (!load.equals("churn")) {
      return "512m";
    }
    return switch (collector) {
      case "ZGC", "Shenandoah" -> "128m";
      default -> "72m";
    };
  }

  /** The load's name as {@link io.jebpf.it.matrix.MatrixLoad} knows it. */
  String loadName() {
    return isBare() ? load.substring(0, load.indexOf('-')) : load;
  }

  boolean isBare() {
    return load.endsWith("-bare");
  }
}
