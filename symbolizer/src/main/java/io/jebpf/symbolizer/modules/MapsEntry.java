package io.jebpf.symbolizer.modules;

/**
 * One line of {@code /proc/<pid>/maps} that maps a file or the vDSO.
 *
 * @param end exclusive
 * @param device major << 32 | minor, as the kernel prints them
 * @param path without " (deleted)"
 */
record MapsEntry(
    long start,
    long end,
    boolean executable,
    long offset,
    long device,
    long inode,
    String path,
    boolean deleted) {
  static final String VDSO = "[vdso]";

  boolean isVdso() {
    return path.equals(VDSO);
  }

  /** Whether both map the same file (not necessarily of the same load). */
  boolean sameFile(MapsEntry other) {
    return device == other.device && inode == other.inode && path.equals(other.path);
  }
}
