import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;

/**
 * Runs google-java-format over every Java file of the project: {@code check} fails and names the
 * files that differ, {@code apply} rewrites them. Run by the root pom.xml as a source file.
 *
 * <p>Not Spotless, because google-java-format uses the parser of the JVM it runs in: Maven's Java
 * 17 cannot read Java 22. Files whose contents were found formatted before are known by their
 * digest in target/tools/formatted and left out: that is nearly all of them, and a second each.
 */
final class Format {
  private static final Set<String> NOT_OURS = Set.of("target", ".git");

  private Format() {}

  public static void main(String[] args) throws IOException {
    boolean check = args[0].equals("check");
    Path root = Path.of(args[1]);
    Path known = root.resolve("target/tools/formatted");
    Set<String> formatted =
        Files.exists(known) ? new HashSet<>(Files.readAllLines(known)) : new HashSet<>();
    List<String> files = new ArrayList<>();
    for (String file : javaFiles(root)) {
      if (!formatted.contains(digest(file))) {
        files.add(file);
      }
    }
    List<String> command = new ArrayList<>();
    command.addAll(check ? List.of("--dry-run", "--set-exit-if-changed") : List.of("--replace"));
    command.addAll(files);
    int exit =
        files.isEmpty()
            ? 0
            : ToolProvider.findFirst("google-java-format")
                .orElseThrow()
                .run(System.err, System.err, command.toArray(String[]::new));
    if (exit == 0) {
      List<String> now = new ArrayList<>();
      for (String file : javaFiles(root)) {
        now.add(digest(file));
      }
      Files.createDirectories(known.getParent());
      Files.write(known, now);
    }
    if (check && exit != 0) {
      System.err.println("The files above are not formatted. Run: make format");
    }
    System.exit(exit);
  }

  private static String digest(String file) throws IOException {
    try {
      byte[] sum = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(Path.of(file)));
      return HexFormat.of().formatHex(sum);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e); // every JDK has it
    }
  }

  private static List<String> javaFiles(Path root) throws IOException {
    List<String> files = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
            return NOT_OURS.contains(String.valueOf(directory.getFileName()))
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            if (file.toString().endsWith(".java")) {
              files.add(file.toString());
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return files;
  }
}
