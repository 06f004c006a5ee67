package io.jebpf.agent.doctor;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** The doctor's findings as text and as JSON. */
record Report(String version, Machine machine, List<Finding> findings, Trial trial) {
  Report {
    findings = List.copyOf(findings);
  }

  /** For a terminal; ends with a newline. */
  String text() {
    StringBuilder out = new StringBuilder(4096);
    out.append("jebpf ")
        .append(version)
        .append(" doctor, as user ")
        .append(machine.uid())
        .append(machine.isContainer() ? ", in a container" : "")
        .append('\n');
    for (Finding finding : findings) {
      out.append(String.format(Locale.ROOT, "[%-4s] ", finding.verdict().text()))
          .append(finding.title())
          .append(": ")
          .append(finding.why())
          .append('\n');
      for (Remedy remedy : finding.remedies()) {
        out.append(String.format(Locale.ROOT, "         %-10s  ", remedy.where().text()))
            .append(remedy.text())
            .append('\n');
      }
    }
    out.append("A JVM started here would reach: ").append(trial.step().text()).append('\n');
    out.append("  tried with the profiler's own programs: ").append(trial.why()).append('\n');
    if (!trial.advice().isEmpty()) {
      out.append("  ").append(trial.advice()).append('\n');
    }
    return out.toString();
  }

  /** One JSON object; ends with a newline. */
  String json() {
    StringBuilder out = new StringBuilder(4096);
    out.append("{\"version\": ").append(quoted(version));
    out.append(", \"uid\": ").append(machine.uid());
    out.append(", \"container\": ").append(machine.isContainer());
    out.append(", \"exit\": ").append(Doctor.exit(findings, trial));
    out.append(",\n \"reaches\": {\"step\": ")
        .append(quoted(name(trial.step())))
        .append(", \"text\": ")
        .append(quoted(trial.step().text()))
        .append(", \"missing\": ")
        .append(missing())
        .append(", \"why\": ")
        .append(quoted(trial.why()))
        .append(", \"advice\": ")
        .append(quoted(trial.advice()))
        .append("},\n \"findings\": [");
    String separator = "\n";
    for (Finding finding : findings) {
      out.append(separator).append("  ");
      json(finding, out);
      separator = ",\n";
    }
    return out.append("\n ]\n}\n").toString();
  }

  private String missing() {
    return trial.missing().stream()
        .map(ability -> quoted(name(ability)))
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static void json(Finding finding, StringBuilder out) {
    out.append("{\"id\": ").append(quoted(finding.id()));
    out.append(", \"verdict\": ").append(quoted(finding.verdict().text()));
    out.append(", \"title\": ").append(quoted(finding.title()));
    out.append(", \"why\": ").append(quoted(finding.why()));
    out.append(", \"remedies\": [");
    String separator = "";
    for (Remedy remedy : finding.remedies()) {
      out.append(separator).append("{\"where\": ").append(quoted(remedy.where().text()));
      out.append(", \"text\": ").append(quoted(remedy.text())).append('}');
      separator = ", ";
    }
    out.append("]}");
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder(text.length() + 2).append('"');
    for (char c : text.toCharArray()) {
      switch (c) {
        case '"', '\\' -> out.append('\\').append(c);
        case '\n' -> out.append("\\n");
        default -> {
          if (c < ' ') {
            out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    return out.append('"').toString();
  }
}
