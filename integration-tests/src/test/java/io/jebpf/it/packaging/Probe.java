package io.jebpf.it.packaging;

import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.Locations;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Compiles the programs of src/test/probe and makes jars of them. */
final class Probe {
  private static final Path SOURCES = Locations.module().resolve("src/test/probe");
  private static final String AGENT_MAIN = "io/jebpf/agent/AgentMain";

  private Probe() {}

  /** A child that runs {@code host.Host}, which every JVM from 8 on can load. */
  static ChildJvm host(Path directory, Object... arguments) throws IOException {
    Path classes = directory.resolve("host-classes");
    compile("8", classes, "host/Host.java");
    return ChildJvm.in(directory).classPath(classes.toString()).program("host.Host", arguments);
  }

  /** A copy of jebpf.jar whose AgentMain is the one of src/test/probe. */
  static Path agentJar(Path jar) throws IOException {
    Path classes = Files.createTempDirectory(jar.toAbsolutePath().getParent(), "agent-classes");
    compile("22", classes, AGENT_MAIN + ".java");
    byte[] entry = Files.readAllBytes(classes.resolve(AGENT_MAIN + ".class"));
    return copy(Locations.agentJar(), jar, "jebpf/" + AGENT_MAIN + ".classdata", entry);
  }

  /** A copy of a jar without one of its entries. */
  static Path without(Path jar, Path copy, String entry) throws IOException {
    return copy(jar, copy, entry, new byte[0]);
  }

  /** Empty bytes leave the entry out. */
  private static Path copy(Path jar, Path copy, String replaced, byte[] bytes) throws IOException {
    boolean found = false;
    try (ZipFile in = new ZipFile(jar.toFile());
        OutputStream file = Files.newOutputStream(copy);
        ZipOutputStream out = new ZipOutputStream(file)) {
      for (ZipEntry entry : Collections.list(in.entries())) {
        boolean replace = entry.getName().equals(replaced);
        found |= replace;
        if (replace && bytes.length == 0) {
          continue;
        }
        out.putNextEntry(new ZipEntry(entry.getName()));
        if (replace) {
          out.write(bytes);
        } else {
          try (InputStream old = in.getInputStream(entry)) {
            old.transferTo(out);
          }
        }
        out.closeEntry();
      }
    }
    if (!found) {
      throw new IllegalStateException(jar + " has no entry " + replaced);
    }
    return copy;
  }

  private static void compile(String release, Path classes, String source) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    int exit =
        compiler.run(
            null,
            null,
            null,
            "--release",
            release,
            "-Xlint:-options",
            "-d",
            classes.toString(),
            SOURCES.resolve(source).toString());
    if (exit != 0) {
      throw new IllegalStateException("cannot compile " + source);
    }
  }
}
