package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Names of a JVM's threads, read out of its heap, under the ways it may store references. */
class JavaThreadsTest {
  @ParameterizedTest(name = "JDK {0} {1} symtab={2}")
  @CsvSource({
    "25,-XX:+UseG1GC,true",
    "25,-XX:+UseG1GC,false",
    "25,-XX:+UseCompactObjectHeaders,false",
    "25,-XX:-UseCompressedOops,true",
    "25,-XX:-UseCompressedClassPointers -XX:-UseCompressedOops,true",
    "25,-Xmx512m -XX:+UseSerialGC,true",
    "25,-XX:+UseZGC,false",
    "25,-XX:+UseZGC -XX:+UseCompactObjectHeaders,true",
    "25,-XX:+UseShenandoahGC,true",
    "25,-XX:-CompactStrings,true",
    "17,-XX:+UseG1GC,true",
    "17,-XX:+UseG1GC,false",
    "17,-XX:-UseCompressedClassPointers -XX:-UseCompressedOops,false",
    "17,-XX:+UseZGC,true",
    "21,-XX:+UseZGC -XX:+ZGenerational,true",
    "21,-XX:+UseG1GC,false",
    "28,-XX:+UseG1GC,true",
    "28,-XX:+UseZGC,false",
  })
  void readsNamesAndRenamings(int release, String options, boolean symtab) throws Exception {
    Optional<Path> home = ChildJvm.jdk(release);
    Assumptions.assumeTrue(
        home.isPresent(),
        "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    try (ChildJvm child = ChildJvm.start(home.get(), 0, options.split(" "));
        ProcMemory memory = new ProcMemory(child.pid())) {
      HotspotVm vm = Opened.vm(memory, new TestLibjvm(child.pid(), symtab));
      JavaThreads threads = vm.threads();
      Set<String> names = names(threads);
      assertTrue(
          names.containsAll(
              Set.of(
                  "main",
                  "Reference Handler",
                  "a thread name of well over sixteen bytes",
                  "gr\u00fc\u00dfe-latin1",
                  "\u7ebf\u7a0b-\u2603-utf16 \ud83d\ude00",
                  "renamed-0")),
          names.toString());
      child.rename("a new name after a collection");
      Set<String> after = names(threads);
      assertTrue(after.contains("a new name after a collection"), after.toString());
      assertTrue(!after.contains("renamed-0"), after.toString());
    }
  }

  private static Set<String> names(JavaThreads threads) {
    Set<String> names = new TreeSet<>();
    assertTrue(
        threads.each(
            (tid, thread) -> {
              assertTrue(threads.isThread(thread, tid));
              assertTrue(!threads.isThread(thread, tid + 1));
              names.add(threads.name(thread));
            }));
    return names;
  }

  @ParameterizedTest(name = "JDK {0}")
  @CsvSource({"17", "21", "25", "28"})
  void fieldOffsetsFromSymbolsAndFromClassesAgree(int release) throws Exception {
    Optional<Path> home = ChildJvm.jdk(release);
    Assumptions.assumeTrue(
        home.isPresent(),
        "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    try (ChildJvm child = ChildJvm.start(home.get(), 0);
        ProcMemory processMemory = new ProcMemory(child.pid())) {
      TestLibjvm libjvm = new TestLibjvm(child.pid(), true);
      TargetMemory memory = new TargetMemory(processMemory);
      VmStructs structs = VmStructs.read(memory, libjvm).orElseThrow();
      HotspotLayout layout = HotspotLayout.of(structs, release);
      FieldOffsets offsets = new FieldOffsets(memory, libjvm, layout, structs);
      long thread = klass(memory, structs, "Thread");
      long string = klass(memory, structs, "String");
      OptionalInt name = offsets.bySymbol(LibjvmNames.THREAD_NAME_OFFSET);
      assertTrue(name.isPresent());
      assertEquals(name, offsets.byDescription(thread, "name"));
      assertEquals(
          offsets.bySymbol(LibjvmNames.STRING_VALUE_OFFSET),
          offsets.byDescription(string, "value"));
      assertEquals(
          offsets.bySymbol(LibjvmNames.STRING_CODER_OFFSET),
          offsets.byDescription(string, "coder"));
      assertEquals(OptionalInt.empty(), offsets.byDescription(string, "no such field"));
    }
  }

  private static long klass(TargetMemory memory, VmStructs structs, String name) {
    return memory.pointer(
        structs.staticAddress(
            "vmClasses::_klasses[static_cast<int>(vmClassID::" + name + "_klass_knum)]"));
  }

  @Test
  void garbageIsNoThread() throws Exception {
    long self = ProcessHandle.current().pid();
    try (ProcMemory memory = new ProcMemory(self)) {
      JavaThreads threads = Opened.vm(memory, new TestLibjvm(self, true)).threads();
      for (long address : new long[] {0, -1, 4096, 0x7fff_ffff_f000L, Long.MIN_VALUE}) {
        assertTrue(!threads.isThread(address, 1));
        assertEquals("", threads.name(address));
      }
    }
  }
}
