package io.jebpf.agent.doctor;

import io.jebpf.agent.doctor.Finding.Verdict;
import io.jebpf.agent.options.OptionParser;
import io.jebpf.agent.options.OptionSources;
import io.jebpf.agent.options.ParsedOptions;
import java.io.PrintStream;
import java.util.List;

/**
 * Says what this machine, container and user allow, what is missing with the remedy to copy, and
 * how far a JVM that is started here would get; that last part by doing it.
 */
public final class Doctor {
  /** Everything works. */
  public static final int FULL = 0;

  /** A JVM started here would not be profiled. */
  public static final int OFF = 1;

  /** It would, and something is missing. */
  public static final int LESS = 3;

  private Doctor() {}

  /**
   * Examines, tries, and reports.
   *
   * @param agentArgument options as a JVM would get them, {@code key=value,key=value}
   * @param json for programs, else for people
   * @return {@link #FULL}, {@link #LESS} or {@link #OFF}
   */
  public static int run(String version, String agentArgument, boolean json, PrintStream out) {
    Machine machine = Machine.ours();
    return switch (OptionParser.parse(OptionSources.ofThisProcess(agentArgument))) {
      case ParsedOptions.Refused refused -> {
        List<Finding> findings =
            List.of(
                Finding.no(
                    "options", "options", refused.problem(), Remedy.option(refused.choices())));
        Trial trial = new Trial(Trial.Step.OFF, List.of(), refused.problem(), refused.choices());
        yield report(new Report(version, machine, findings, trial), json, out);
      }
      case ParsedOptions.Accepted accepted -> {
        List<Finding> findings = new Examination(machine, accepted.options()).run();
        Trial trial = Trial.run(accepted.options());
        yield report(new Report(version, machine, findings, trial), json, out);
      }
    };
  }

  private static int report(Report report, boolean json, PrintStream out) {
    out.print(json ? report.json() : report.text());
    return exit(report.findings(), report.trial());
  }

  static int exit(List<Finding> findings, Trial trial) {
    if (trial.step() == Trial.Step.OFF) {
      return OFF;
    }
    boolean less = trial.step() != Trial.Step.FULL;
    for (Finding finding : findings) {
      less |= finding.verdict() == Verdict.NO || finding.verdict() == Verdict.LESS;
    }
    return less ? LESS : FULL;
  }
}
