package io.jebpf.boot;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;

/**
 * The agent jar read as the module {@code io.jebpf}: class {@code a.B} is stored as {@code
 * jebpf/a/B.classdata}, resource {@code a/c.txt} as {@code jebpf/a/c.txt}, so that the
 * application's class loader, which has the jar on its path, finds neither under its name. Stays
 * open as long as the JVM lives. Thread-safe, as JarFile is.
 */
final class AgentJar implements ModuleFinder {
  static final String MODULE = "io.jebpf";

  private static final String PREFIX = "jebpf/";
  private static final String PACKAGES = PREFIX + "packages";
  private static final String MXBEAN_PACKAGE = "io.jebpf.agent.jmx";

  private final JarFile jar;
  private final URI location;
  private final ModuleReference reference;

  private AgentJar(JarFile jar, URI location, Set<String> packages) {
    this.jar = jar;
    this.location = location;
    this.reference = new Reference(descriptor(packages), location);
  }

  static AgentJar open(File file) throws IOException {
    JarFile jar = new JarFile(file, false);
    try {
      return new AgentJar(jar, file.toURI(), packages(jar));
    } catch (IOException | RuntimeException e) {
      jar.close();
      throw e;
    }
  }

  /** The list that the build wrote: one package a line. */
  private static Set<String> packages(JarFile jar) throws IOException {
    JarEntry entry = jar.getJarEntry(PACKAGES);
    if (entry == null) {
      throw new IOException(
          jar.getName() + " has no entry " + PACKAGES + ": it is not a jebpf.jar");
    }
    Set<String> packages = new HashSet<>();
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(jar.getInputStream(entry), StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        packages.add(line);
      }
    }
    return packages;
  }

  private static ModuleDescriptor descriptor(Set<String> packages) {
    ModuleDescriptor.Builder builder = ModuleDescriptor.newModule(MODULE).packages(packages);
    builder.requires("java.base");
    for (String name : AgentLayer.resolvedOf(AgentLayer.WANTED)) {
      builder.requires(name);
    }
    if (packages.contains(MXBEAN_PACKAGE)) {
      builder.exports(MXBEAN_PACKAGE); // JMX calls an MXBean only through an exported interface
    }
    return builder.build();
  }

  @Override
  public Optional<ModuleReference> find(String name) {
    return name.equals(MODULE) ? Optional.of(reference) : Optional.empty();
  }

  @Override
  public Set<ModuleReference> findAll() {
    return Set.of(reference);
  }

  private static String stored(String name) {
    return PREFIX + (name.endsWith(".class") ? name + "data" : name);
  }

  private final class Reference extends ModuleReference {
    Reference(ModuleDescriptor descriptor, URI location) {
      super(descriptor, location);
    }

    @Override
    public ModuleReader open() {
      return new Reader();
    }
  }

  private final class Reader implements ModuleReader {
    @Override
    public Optional<URI> find(String name) {
      String stored = stored(name);
      return jar.getJarEntry(stored) == null
          ? Optional.empty()
          : Optional.of(URI.create("jar:" + location + "!/" + stored));
    }

    @Override
    public Optional<InputStream> open(String name) throws IOException {
      JarEntry entry = jar.getJarEntry(stored(name));
      return entry == null ? Optional.empty() : Optional.of(jar.getInputStream(entry));
    }

    @Override
    public Optional<ByteBuffer> read(String name) throws IOException {
      JarEntry entry = jar.getJarEntry(stored(name));
      if (entry == null) {
        return Optional.empty();
      }
      byte[] bytes = new byte[(int) entry.getSize()]; // known, so nothing is copied twice
      try (InputStream in = jar.getInputStream(entry)) {
        int read = in.readNBytes(bytes, 0, bytes.length);
        if (read != bytes.length) {
          throw new EOFException(name + " has " + read + " bytes, not " + bytes.length);
        }
        return Optional.of(ByteBuffer.wrap(bytes));
      }
    }

    @Override
    public Stream<String> list() {
      return jar.stream()
          .map(JarEntry::getName)
          .filter(name -> name.startsWith(PREFIX))
          .map(name -> name.substring(PREFIX.length()))
          .map(name -> name.endsWith(".classdata") ? name.substring(0, name.length() - 4) : name);
    }

    @Override
    public void close() {
      // the jar serves the profiler's classes until the JVM ends
    }
  }
}
