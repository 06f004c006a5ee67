package io.jebpf.it.packaging;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.it.Beside;
import io.jebpf.it.harness.Locations;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What may be in jebpf.jar and under which names. */
@Beside
final class JarContentTest {
  private static final int JAVA_8 = 52;
  private static final int JAVA_22 = 66;

  @Test
  void onlyTheEntryClassIsVisibleUnderItsName() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      Set<String> visible = new TreeSet<>();
      for (JarEntry entry : Collections.list(jar.entries())) {
        if (!entry.getName().startsWith("jebpf/")) {
          visible.add(entry.getName());
        } else {
          assertFalse(entry.getName().endsWith(".class"), entry.getName());
          assertFalse(entry.getName().contains("module-info"), entry.getName());
        }
      }
      assertEquals(Set.of("META-INF/MANIFEST.MF", "io/jebpf/Agent.class"), visible);
    }
  }

  @Test
  void everyStoredClassIsOursOrRelocatedAndLoadsOnJava22() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      int classes = 0;
      for (JarEntry entry : Collections.list(jar.entries())) {
        if (entry.getName().endsWith(".classdata")) {
          classes++;
          assertTrue(entry.getName().startsWith("jebpf/io/jebpf/"), entry.getName());
          int major = major(jar, entry.getName());
          assertTrue(major <= JAVA_22, entry.getName() + " has class file version " + major);
        }
      }
      assertTrue(classes > 100, "only " + classes + " classes");
    }
  }

  /** The host's logging is the host's: no library of ours may be the first to touch it. */
  @Test
  void noStoredClassNamesTheJdksLogging() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      for (JarEntry entry : Collections.list(jar.entries())) {
        try (InputStream in = jar.getInputStream(entry)) {
          String bytes = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
          assertFalse(bytes.contains("java/util/logging"), entry.getName());
        }
      }
    }
  }

  @Test
  void theEntryClassLoadsOnJava8() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      assertEquals(JAVA_8, major(jar, "io/jebpf/Agent.class"));
    }
  }

  @Test
  void theManifestNamesTheEntryThreeTimes() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      Attributes manifest = jar.getManifest().getMainAttributes();
      for (String key : List.of("Premain-Class", "Agent-Class", "Main-Class")) {
        assertEquals("io.jebpf.Agent", manifest.getValue(key), key);
      }
      assertEquals("true", manifest.getValue("Can-Retransform-Classes"));
      assertEquals("true", manifest.getValue("Can-Redefine-Classes"));
      assertTrue(manifest.getValue("Implementation-Version").matches("\\d+\\.\\d+.*"));
    }
  }

  @Test
  void theNativePartAndTheLicencesTravelInTheJar() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      for (String name :
          List.of(
              "io/jebpf/bpf/jebpf.bpf.o",
              "io/jebpf/bpf/ksyms.bpf.o",
              "META-INF/LICENSE",
              "META-INF/NOTICE",
              "META-INF/licenses/GPL-2.0-only.txt",
              "META-INF/licenses/protobuf.txt",
              "META-INF/licenses/libbpf.txt",
              "META-INF/licenses/libelf.txt",
              "META-INF/licenses/zlib.txt")) {
        JarEntry entry = jar.getJarEntry("jebpf/" + name);
        assertTrue(entry != null && entry.getSize() > 0, name);
      }
    }
  }

  @Test
  void theJarHasAtMost12Megabytes() throws IOException {
    long bytes = Files.size(Locations.agentJar());
    assertTrue(bytes <= 12 << 20, bytes + " bytes");
  }

  @Test
  void orderAndTimesInTheJarDependOnNothing() throws IOException {
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      List<String> names = new ArrayList<>();
      Set<Object> times = new HashSet<>();
      for (JarEntry entry : Collections.list(jar.entries())) {
        names.add(entry.getName());
        times.add(entry.getTimeLocal());
      }
      assertEquals("META-INF/MANIFEST.MF", names.getFirst());
      List<String> rest = names.subList(1, names.size());
      assertEquals(new ArrayList<>(new TreeSet<>(rest)), rest);
      assertEquals(1, times.size(), times.toString());
    }
  }

  @Test
  void packingAgainGivesTheSameBytes(@TempDir Path directory) throws Exception {
    Path agent = Locations.agentJar().getParent();
    Path again = directory.resolve("again.jar");
    String version;
    try (JarFile jar = new JarFile(Locations.agentJar().toFile())) {
      version = jar.getManifest().getMainAttributes().getValue("Implementation-Version");
    }
    ProcessBuilder packer =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-Duser.timezone=Asia/Kathmandu",
            agent.resolveSibling("src/build/java/JarPacker.java").toString(),
            agent.resolve("shaded.jar").toString(),
            again.toString(),
            version,
            "2026-11-21T00:00:00Z",
            agent.resolve("../..").toString(),
            agent.resolve("javabase").toString());
    packer.inheritIO();
    assertEquals(0, packer.start().waitFor());
    assertArrayEquals(Files.readAllBytes(Locations.agentJar()), Files.readAllBytes(again));
  }

  private static int major(JarFile jar, String name) throws IOException {
    try (InputStream in = jar.getInputStream(jar.getJarEntry(name))) {
      byte[] head = in.readNBytes(8);
      return (head[6] & 0xff) << 8 | head[7] & 0xff;
    }
  }
}
