package io.jebpf.it.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Where things are: our classes, the agent's jar, the applications, other JDKs. */
public final class Locations {
  private Locations() {}

  /** The directory of the compiled workloads. */
  public static Path classes() {
    try {
      return Path.of(Locations.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The module's directory, the parent of {@code target}. */
  public static Path module() {
    Path directory = classes();
    while (!directory.endsWith("integration-tests")) {
      directory = Optional.ofNullable(directory.getParent()).orElseThrow();
    }
    return directory;
  }

  /**
   * {@code agent/target/jebpf.jar}, or the file that the system property {@code jebpf.jar} names.
   */
  public static Path agentJar() {
    String given = System.getProperty("jebpf.jar", "");
    return given.isEmpty()
        ? module().resolveSibling("agent").resolve("target/jebpf.jar")
        : Path.of(given);
  }

  /** What applications compile against. */
  public static Path apiJar() {
    return module().resolveSibling("agent/api/target/jebpf-api.jar");
  }

  /** A class path of all jars that the build copied for an application. */
  public static String application(String name) {
    Path directory = module().resolve("target/applications").resolve(name);
    try (Stream<Path> files = Files.list(directory)) {
      List<String> jars =
          files.map(Path::toString).filter(file -> file.endsWith(".jar")).sorted().toList();
      return String.join(":", jars);
    } catch (IOException e) {
      throw new UncheckedIOException(
          directory + " is not there; build with: mvn -pl integration-tests -am verify", e);
    }
  }

  /**
   * A JDK of a feature release under /usr/lib/jvm, or one that build/fetch-jdks.sh has unpacked.
   */
  public static Optional<Path> jdk(int feature) {
    try (Stream<Path> homes = Files.list(Path.of("/usr/lib/jvm"))) {
      Optional<Path> installed = homes.filter(home -> isJdk(home, feature)).findFirst();
      if (installed.isPresent()) {
        return installed;
      }
    } catch (IOException none) {
      // then one that was fetched
    }
    String cache = System.getenv("JEBPF_JDKS");
    Path fetched =
        (cache == null
                ? Path.of(System.getProperty("user.home"), ".cache/jebpf/jdks")
                : Path.of(cache))
            .resolve(Integer.toString(feature));
    return Files.isExecutable(fetched.resolve("bin/java"))
        ? Optional.of(fetched)
        : Optional.empty();
  }

  private static boolean isJdk(Path home, int feature) {
    Path release = home.resolve("release");
    try {
      return Files.isExecutable(home.resolve("bin/java"))
          && Files.isReadable(release)
          && Files.readString(release).contains("JAVA_VERSION=\"" + feature + ".");
    } catch (IOException e) {
      return false;
    }
  }
}
