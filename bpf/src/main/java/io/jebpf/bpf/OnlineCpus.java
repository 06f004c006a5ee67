package io.jebpf.bpf;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The CPUs that are online now. */
@FunctionalInterface
interface OnlineCpus {
  Path FILE = Path.of("/sys/devices/system/cpu/online");
  int CPUS_MAX = 8192; // NR_CPUS of the largest configuration

  /** Ascending numbers. */
  int[] read() throws IOException;

  static OnlineCpus system() {
    return () -> parse(Files.readString(FILE));
  }

  /** Parses the kernel's list format, like {@code 0-3,8,10-11}. */
  static int[] parse(String list) throws IOException {
    int[] cpus = new int[CPUS_MAX];
    int count = 0;
    try {
      for (String range : list.strip().split(",")) {
        int dash = range.indexOf('-');
        int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash));
        int last = dash < 0 ? first : Integer.parseInt(range.substring(dash + 1));
        for (int cpu = first; cpu <= last; cpu++) {
          cpus[count++] = cpu;
        }
      }
    } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
      throw new IOException("not a list of CPUs: '" + list.strip() + "'", e);
    }
    return Arrays.copyOf(cpus, count);
  }
}
