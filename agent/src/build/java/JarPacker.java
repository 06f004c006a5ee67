import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Enumeration;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Makes jebpf.jar of the shaded jar: the entry class stays a class, everything else goes below
 * {@code jebpf/} with class files renamed to {@code .classdata}, so that an application with the
 * jar on its path sees one class and no resources. Run by the build (agent/pom.xml) as a source
 * file. The same input gives the same bytes.
 *
 * <p>Arguments: shaded jar, jar to write, version, time stamp (ISO), directory with LICENSE, NOTICE
 * and LICENSES, directory with the class that is defined in java.base.
 */
final class JarPacker {
  private static final String PREFIX = "jebpf/";
  private static final String ENTRY_CLASS = "io/jebpf/Agent.class";

  /** Found by the package that defines it in java.base. */
  private static final String BASE_CLASS = "java/lang/JebpfParks.class";

  private static final String BASE_CLASS_STORED = "io/jebpf/agent/vthread/JebpfParks.classdata";

  private static final int JAVA_8_CLASS_FILE = 52;
  private static final long BYTES_MAX = 12 << 20;

  /** Sorted, so that the order in the jar depends on nothing else. */
  private final Map<String, byte[]> entries = new TreeMap<>();

  private final TreeSet<String> packages = new TreeSet<>();

  private JarPacker() {}

  public static void main(String[] args) throws IOException {
    Path jar = Path.of(args[1]);
    JarPacker packer = new JarPacker();
    packer.addShaded(Path.of(args[0]));
    packer.addLicences(Path.of(args[4]));
    packer.entries.put(
        PREFIX + BASE_CLASS_STORED, Files.readAllBytes(Path.of(args[5]).resolve(BASE_CLASS)));
    packer.entries.put(
        PREFIX + "packages", String.join("\n", packer.packages).getBytes(StandardCharsets.UTF_8));
    packer.write(jar, args[2], OffsetDateTime.parse(args[3]));
    long bytes = Files.size(jar);
    if (bytes > BYTES_MAX) {
      throw new IllegalStateException(jar + " has " + bytes + " bytes, more than " + BYTES_MAX);
    }
  }

  private void addShaded(Path shaded) throws IOException {
    try (ZipFile zip = new ZipFile(shaded.toFile())) {
      Enumeration<? extends ZipEntry> all = zip.entries();
      while (all.hasMoreElements()) {
        ZipEntry entry = all.nextElement();
        if (!entry.isDirectory() && wanted(entry.getName())) {
          try (InputStream in = zip.getInputStream(entry)) {
            add(entry.getName(), in.readAllBytes());
          }
        }
      }
    }
    if (!entries.containsKey(ENTRY_CLASS)) {
      throw new IllegalStateException(shaded + " has no " + ENTRY_CLASS);
    }
  }

  /** Build metadata and module descriptors mean nothing in the one module of the agent. */
  private static boolean wanted(String name) {
    return !name.equals("META-INF/MANIFEST.MF")
        && !name.startsWith("META-INF/maven/")
        && !name.startsWith("META-INF/versions/")
        && !name.equals("module-info.class");
  }

  private void add(String name, byte[] bytes) {
    if (name.equals(ENTRY_CLASS)) {
      int major = (bytes[6] & 0xff) << 8 | bytes[7] & 0xff;
      if (major != JAVA_8_CLASS_FILE) {
        throw new IllegalStateException(
            name + " has class file version " + major + ", not " + JAVA_8_CLASS_FILE);
      }
      entries.put(name, bytes);
    } else if (name.endsWith(".class")) {
      addPackage(name);
      entries.put(PREFIX + name + "data", bytes);
    } else {
      entries.put(PREFIX + name, bytes);
    }
  }

  private void addPackage(String name) {
    String packageName = name.substring(0, name.lastIndexOf('/')).replace('/', '.');
    if (!packageName.startsWith("io.jebpf.")) {
      throw new IllegalStateException(
          name + " is not below io/jebpf: add a relocation for it to agent/pom.xml");
    }
    if (!packageName.equals("io.jebpf.boot")) { // defined by the entry class, outside the module
      packages.add(packageName);
    }
  }

  private void addLicences(Path root) throws IOException {
    entries.put(PREFIX + "META-INF/LICENSE", Files.readAllBytes(root.resolve("LICENSE")));
    entries.put(PREFIX + "META-INF/NOTICE", Files.readAllBytes(root.resolve("NOTICE")));
    try (Stream<Path> licences = Files.list(root.resolve("LICENSES"))) {
      for (Path licence : licences.toList()) {
        entries.put(
            PREFIX + "META-INF/licenses/" + licence.getFileName(), Files.readAllBytes(licence));
      }
    }
  }

  private void write(Path jar, String version, OffsetDateTime time) throws IOException {
    // Local time of no zone: a jar does not record one, and the builder's must not show.
    LocalDateTime stamp = time.withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime();
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.setLevel(Deflater.BEST_COMPRESSION);
      put(zip, "META-INF/MANIFEST.MF", manifest(version), stamp);
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        put(zip, entry.getKey(), entry.getValue(), stamp);
      }
    }
  }

  private static void put(ZipOutputStream zip, String name, byte[] bytes, LocalDateTime stamp)
      throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTimeLocal(stamp);
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }

  /**
   * Add-Opens is obeyed for {@code java -jar} only; as an agent, the entry class has
   * Instrumentation.
   */
  private static byte[] manifest(String version) {
    return """
    Manifest-Version: 1.0
    Premain-Class: io.jebpf.Agent
    Agent-Class: io.jebpf.Agent
    Main-Class: io.jebpf.Agent
    Can-Redefine-Classes: true
    Can-Retransform-Classes: true
    Add-Opens: java.base/java.lang
    Implementation-Title: jebpf
    Implementation-Version: %s

    """
        .formatted(version)
        .replace("\n", "\r\n")
        .getBytes(StandardCharsets.UTF_8);
  }
}
