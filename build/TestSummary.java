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
  private int tests;
  private final List<String> failed = new ArrayList<>();
  private final Map<String, List<String>> skippedByReason = new TreeMap<>();

  private TestSummary() {}

  public static void main(String[] args) throws Exception {
    Path root = Path.of(args[0]);
    TestSummary all = new TestSummary();
    System.out.println();
    for (String module : List.of("bpf", "symbolizer", "agent", "integration-tests")) {
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
        String reason = ((Element) skipped.item(0)).getAttribute("message");
        skippedByReason
            .computeIfAbsent(
                reason.isEmpty() ? "no reason given" : reason, key -> new ArrayList<>())
            .add(name);
      } else if (test.getElementsByTagName("failure").getLength() > 0
          || test.getElementsByTagName("error").getLength() > 0) {
        failed.add(name);
      }
    }
  }

  private boolean print() {
    int skipped = 0;
    for (Map.Entry<String, List<String>> reason : skippedByReason.entrySet()) {
      skipped += reason.getValue().size();
      System.out.printf("skipped %4d: %s%n", reason.getValue().size(), reason.getKey());
      for (String name : reason.getValue()) {
        System.out.println("              " + name);
      }
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
