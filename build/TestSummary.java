import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Prints what the test run did, from surefire's reports: counts by module, what failed, what was
 * skipped and why. Run by {@code make test} as a source file, with the project's directory as
 * argument. Fails when a test failed or none ran.
 */
final class TestSummary {
  private static final String ASSUMPTION = "Assumption failed: ";

  private int tests;
  private final List<String> failed = new ArrayList<>();

  /** Failed first, and passed when tried again (surefire's rerunFailingTestsCount). */
  private final List<String> passedLater = new ArrayList<>();

  /** Reason to class to count. */
  private final Map<String, Map<String, Integer>> skippedByReason = new TreeMap<>();

  private TestSummary() {}

  public static void main(String[] args) throws Exception {
    Path root = Path.of(args[0]);
    TestSummary all = new TestSummary();
    System.out.println();
    for (String module : List.of("bpf", "symbolizer", "agent/api", "agent", "integration-tests")) {
      int before = all.tests;
      for (Path report : reports(root.resolve(module).resolve("target/surefire-reports"))) {
        all.add(report);
      }
      System.out.printf("%-18s %4d tests%n", module, all.tests - before);
    }
    System.exit(all.print() ? 0 : 1);
  }

  private static List<Path> reports(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(file -> file.getFileName().toString().matches("TEST-.*\\.xml")).toList();
    }
  }

  private void add(Path report) throws Exception {
    NodeList cases =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(report.toFile())
            .getElementsByTagName("testcase");
    for (int i = 0; i < cases.getLength(); i++) {
      Element test = (Element) cases.item(i);
      String name = test.getAttribute("classname") + "." + test.getAttribute("name");
      tests++;
      NodeList skipped = test.getElementsByTagName("skipped");
      if (skipped.getLength() > 0) {
        skippedByReason
            .computeIfAbsent(reason((Element) skipped.item(0)), key -> new TreeMap<>())
            .merge(test.getAttribute("classname"), 1, Integer::sum);
      } else if (test.getElementsByTagName("failure").getLength() > 0
          || test.getElementsByTagName("error").getLength() > 0) {
        failed.add(name);
      } else if (test.getElementsByTagName("flakyFailure").getLength() > 0
          || test.getElementsByTagName("flakyError").getLength() > 0) {
        passedLater.add(name);
      }
    }
  }

  /**
   * Of a condition it is an attribute; of a failed assumption the first line of the stack trace.
   */
  private static String reason(Element skipped) {
    String message = skipped.getAttribute("message");
    String line = message.isEmpty() ? skipped.getTextContent().strip() : message;
    line = line.lines().findFirst().orElse("no reason given");
    return line.substring(
        line.indexOf(ASSUMPTION) < 0 ? 0 : line.indexOf(ASSUMPTION) + ASSUMPTION.length());
  }

  private boolean print() {
    int skipped = 0;
    for (Map.Entry<String, Map<String, Integer>> reason : skippedByReason.entrySet()) {
      int count = reason.getValue().values().stream().mapToInt(Integer::intValue).sum();
      skipped += count;
      System.out.printf("skipped %4d: %s%n", count, reason.getKey());
      reason.getValue().forEach((name, tests) -> System.out.printf("     %7d %s%n", tests, name));
    }
    for (String name : passedLater) {
      System.out.println("passed later  " + name);
    }
    for (String name : failed) {
      System.out.println("FAILED        " + name);
    }
    System.out.printf(
        "all %d tests: %d passed, %d failed, %d skipped%n",
        tests, tests - failed.size() - skipped, failed.size(), skipped);
    return tests > 0 && failed.isEmpty();
  }
}
