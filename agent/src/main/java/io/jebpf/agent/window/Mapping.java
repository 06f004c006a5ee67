package io.jebpf.agent.window;

/**
 * Where code lies, as pprof has it.
 *
 * @param file path of the file, or a name in brackets; never empty
 * @param start first address, 0 when it means nothing
 * @param limit end of the addresses, exclusive
 * @param fileOffset offset in the file of the first address
 * @param buildId lower-case hexadecimal, empty when the file has none
 * @param kind which parts of a frame are known here
 */
public record Mapping(
    String file, long start, long limit, long fileOffset, String buildId, Kind kind) {

  /** What the agent knows of frames in a mapping; becomes the has_… flags. */
  public enum Kind {
    /** Function names only. */
    NATIVE,
    /** Functions, files, lines, inlined callees. */
    JAVA
  }

  /** Code that the JVM compiled or generated. */
  public static final Mapping JVM = named("[jvm]", Kind.JAVA);

  /**
   * Java methods inlined into compiled code. The next three are mappings of their own because pprof
   * has no other place for the kind of a frame; flame graphs are coloured by it.
   */
  public static final Mapping JVM_INLINED = named("[jvm inlined]", Kind.JAVA);

  /** Java methods run by the interpreter. */
  public static final Mapping JVM_INTERPRETED = named("[jvm interpreted]", Kind.JAVA);

  /** Code the JVM generated for itself. */
  public static final Mapping JVM_STUBS = named("[jvm stubs]", Kind.JAVA);

  /** The upper half of the address space. */
  public static final Mapping KERNEL =
      new Mapping("[kernel.kallsyms]", Long.MIN_VALUE, -1L, 0, "", Kind.NATIVE);

  /** Code of which not even the file is known. */
  public static final Mapping UNKNOWN = named("[unknown]", Kind.NATIVE);

  /** Frames that are no code but say why a stack ends. */
  public static final Mapping MARKERS = named("[jebpf]", Kind.NATIVE);

  public Mapping {
    if (file.isEmpty()) {
      throw new IllegalArgumentException("a mapping needs a file name");
    }
  }

  /** Written out, as {@link #hashCode}: records' own ones spin classes in the host's JVM. */
  @Override
  public boolean equals(Object other) {
    return other instanceof Mapping that
        && file.equals(that.file)
        && start == that.start
        && limit == that.limit
        && fileOffset == that.fileOffset
        && buildId.equals(that.buildId)
        && kind == that.kind;
  }

  @Override
  public int hashCode() {
    return file.hashCode() * 31 + Long.hashCode(start);
  }

  private static Mapping named(String name, Kind kind) {
    return new Mapping(name, 0, 0, 0, "", kind);
  }

  /** A file of which no more is known than its name. */
  public static Mapping ofFile(String file) {
    return named(file, Kind.NATIVE);
  }
}
