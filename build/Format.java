import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.spi.ToolProvider;

/**
 * Runs google-java-format over every Java file of the project: {@code check} fails and names the
 * files that differ, {@code apply} rewrites them. Run by the root pom.xml as a source file.
 *
 * <p>Not Spotless, because google-java-format uses the parser of the JVM it runs in: Maven's Java
 * 17 cannot read Java 22.
 */
final class Format {
  private static final Set<String> NOT_OURS = Set.of("target", ".git");

  private Format() {}

  public static void main(String[] args) throws IOException {
    boolean check = args[0].equals("check");
    List<String> command = new ArrayList<>();
    command.addAll(check ? List.of("--dry-run", "--set-exit-if-changed") : List.of("--replace"));
    command.addAll(javaFiles(Path.of(args[1])));
    int exit =
        ToolProvider.findFirst("google-java-format")
            .orElseThrow()
            .run(System.err, System.err, command.toArray(String[]::new));
    if (check && exit != 0) {
      System.err.println("The files above are not formatted. Run: make format");
    }
    System.exit(exit);
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
