package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The kernel's knobs, against facts that were measured on these builds and against the header. */
class KernelKnobsTest {
  private static final long ABSENT = 0xffff;
  private static final long NONE = 0xffff_ffffL;

  /** As measured on these builds; early-access builds change theirs from week to week. */
  private static final Map<Integer, Map<String, Long>> MEASURED =
      Map.of(
          17,
          parse(
              """
              heap_block_bytes 16, heap_block_used 8, blob_name 96, blob_size 12,
              blob_frame_size 28, blob_frame_complete 20, flag_frame_complete_i16 0,
              blob_code_begin 32, blob_code_end 40, blob_code_offset 65535, blob_data_offset 24,
              blob_kind 65535, nmethod_method 112, nmethod_compile_id 304, nmethod_orig_pc 300,
              nmethod_deopt_begin 128, nmethod_deopt_mh_begin 136, nmethod_deopt_offset 65535,
              nmethod_deopt_mh_offset 65535, nmethod_stub_offset 252, nmethod_verified_entry 224,
              nmethod_verified_entry_offset 65535, method_const 8, const_method_bytes 48,
              const_method_constants 8, const_method_code_size 32, thread_anchor_sp 656,
              thread_anchor_pc 664, thread_anchor_fp 672, thread_state 824, thread_osthread 560,
              thread_vframe_array_head 712, thread_cont_entry 65535, osthread_id 208,
              cont_entry_parent 65535, state_in_java 8, kind_nmethod 65535, kind_upcall 65535,
              cont_barrier 0, cont_return_pc 0, tls_thread_offset 32\
              """),
          21,
          parse(
              """
              heap_block_bytes 16, heap_block_used 8, blob_name 64, blob_size 72,
              blob_frame_size 88, blob_frame_complete 80, flag_frame_complete_i16 0,
              blob_code_begin 8, blob_code_end 16, blob_data_offset 84, blob_kind 65535,
              nmethod_method 112, nmethod_compile_id 308, nmethod_orig_pc 304,
              nmethod_deopt_begin 128, nmethod_deopt_mh_begin 136, nmethod_stub_offset 260,
              nmethod_verified_entry 224, method_const 8, const_method_bytes 56,
              const_method_code_size 34, thread_anchor_sp 928, thread_state 1100,
              thread_osthread 792, thread_vframe_array_head 984, osthread_id 192,
              cont_entry_parent 8, state_in_java 8\
              """),
          25,
          parse(
              """
              heap_block_bytes 8, heap_block_used 4, blob_name 8, blob_size 24,
              blob_frame_size 44, blob_frame_complete 54, flag_frame_complete_i16 1,
              blob_code_begin 65535, blob_code_end 65535, blob_code_offset 36,
              blob_data_offset 40, blob_kind 56, nmethod_method 80, nmethod_compile_id 212,
              nmethod_orig_pc 208, nmethod_deopt_begin 65535, nmethod_deopt_mh_begin 65535,
              nmethod_deopt_offset 176, nmethod_deopt_mh_offset 180, nmethod_stub_offset 168,
              nmethod_verified_entry 65535, nmethod_verified_entry_offset 154, method_const 8,
              const_method_bytes 56, const_method_constants 8, const_method_code_size 34,
              thread_anchor_sp 1152, thread_anchor_pc 1160, thread_anchor_fp 1168,
              thread_state 1324, thread_osthread 1016, thread_vframe_array_head 1208,
              thread_cont_entry 1560, osthread_id 12, cont_entry_parent 8, state_in_java 8,
              thread_saved_pc 1336, kind_nmethod 1, kind_buffer 2, kind_adapter 3, kind_vtable 4, kind_mh_adapter 5,
              kind_runtime_stub 6, kind_deoptimization 7, kind_safepoint 8, kind_exception 9,
              kind_uncommon_trap 10, kind_upcall 11, cont_entry_frame_bytes 80,
              tls_thread_offset 32\
              """));

  private static Map<String, Long> parse(String text) {
    Map<String, Long> values = new LinkedHashMap<>();
    for (String entry : text.split(",\\s*")) {
      String[] words = entry.trim().split(" ");
      values.put(words[0], Long.parseLong(words[1]));
    }
    return values;
  }

  @ParameterizedTest(name = "JDK {0} {1} symtab={2}")
  @CsvSource({
    "17,-XX:+UseG1GC,true",
    "17,-XX:+UseZGC -Xint,false",
    "17,-XX:-SegmentedCodeCache -XX:+UseSerialGC,false",
    "25,-XX:+UseG1GC,true",
    "25,-XX:+UseZGC,false",
    "25,-Xint -XX:+UseShenandoahGC,false",
    "25,-XX:-SegmentedCodeCache -XX:+UseParallelGC,true",
    "25,-XX:TieredStopAtLevel=1 -XX:-ProfileInterpreter,true",
    "21,-XX:+UseG1GC,true",
    "21,-XX:+UseZGC -XX:+ZGenerational,true",
    "28,-XX:+UseG1GC,true",
    "28,-XX:+UseZGC,true",
  })
  void describesTheJvm(int release, String options, boolean symtab) throws Exception {
    Optional<Path> home = ChildJvm.jdk(release);
    Assumptions.assumeTrue(
        home.isPresent(),
        "no JDK " + release + " under /usr/lib/jvm, nor from build/fetch-jdks.sh");
    try (ChildJvm child = ChildJvm.start(home.get(), 200, options.split(" "));
        ProcMemory processMemory = new ProcMemory(child.pid())) {
      HotspotVm vm = Opened.vm(processMemory, new TestLibjvm(child.pid(), symtab));
      Knobs knobs = Knobs.of(vm);
      measuredValues(release, symtab, knobs);
      namesAreWhatTheySay(new StringReader(new TargetMemory(processMemory)), knobs);
      rangesNest(options.contains("-XX:-SegmentedCodeCache") ? 1 : 3, knobs, options);
      entryCodelets(knobs);
      if (release >= 21) {
        continuations(vm, processMemory, knobs);
        // present with the symbol table alone, like the fields of chunks
        boolean chunks = knobs.at("chunk_max_thawing") != ABSENT;
        long thawEnd = knobs.at("thaw_end_high") - knobs.at("thaw_end_low");
        long moved = knobs.at("thaw_moved") - knobs.at("thaw_end_low");
        long movedLast = knobs.at("thaw_moved_last") - knobs.at("thaw_end_low");
        assertTrue(
            chunks ? 64 < moved && moved < movedLast && movedLast < thawEnd : thawEnd == 0,
            "finalize_thaw " + moved + " " + movedLast + " " + thawEnd);
      }
    }
  }

  private static void measuredValues(int release, boolean symtab, Knobs knobs) {
    Map<String, Long> expected = new LinkedHashMap<>(MEASURED.getOrDefault(release, Map.of()));
    if (!symtab) {
      expected.put("tls_thread_offset", 0L);
    }
    Map<String, Long> actual = new LinkedHashMap<>();
    expected.keySet().forEach(name -> actual.put(name, knobs.at(name)));
    assertEquals(expected, actual);
    assertEquals(symtab, knobs.at("tls_module_id") > 0);
  }

  private static void namesAreWhatTheySay(StringReader strings, Knobs knobs) {
    assertEquals("nmethod", strings.at(knobs.at("name_nmethod")));
    assertEquals("native nmethod", strings.at(knobs.at("name_native_nmethod")));
    assertEquals("I2C/C2I adapters", strings.at(knobs.at("name_adapter")));
    assertEquals("vtable chunks", strings.at(knobs.at("name_vtable")));
    assertEquals("MethodHandles adapters", strings.at(knobs.at("name_mh_adapter")));
  }

  private static void rangesNest(int heapsUsual, Knobs knobs, String options) {
    int heaps = 0;
    for (; knobs.values.containsKey("heaps[" + heaps + "].low"); heaps++) {
      long low = knobs.at("heaps[" + heaps + "].low");
      long high = knobs.at("heaps[" + heaps + "].high");
      assertTrue(low >= knobs.at("code_low") && high <= knobs.at("code_high") && low < high);
      assertEquals(7, knobs.at("heaps[" + heaps + "].shift"));
      assertNotEquals(0, knobs.at("heaps[" + heaps + "].segmap"));
    }
    boolean fewerCompilers = options.contains("-Xint") || options.contains("TieredStop");
    assertTrue(heaps == heapsUsual || fewerCompilers && heaps > 0 && heaps < 3, heaps + " heaps");
    for (String inside : List.of("interpreter_low", "interpreter_high", "call_stub_return")) {
      long at = knobs.at(inside);
      assertTrue(at >= knobs.at("code_low") && at <= knobs.at("code_high"), inside);
    }
  }

  private static void entryCodelets(Knobs knobs) {
    long count = knobs.at("entry_codelet_count");
    assertTrue(count >= 15 && count < 64, count + " entry codelets");
    int building = 0;
    long before = 0;
    for (int i = 0; i < count; i++) {
      String prefix = "entry_codelets[" + i + "].";
      long start = knobs.at(prefix + "start");
      long bytes = knobs.at(prefix + "size");
      assertTrue(start >= before, "sorted and disjoint");
      before = start + bytes;
      assertTrue(start >= knobs.at("interpreter_low") && before <= knobs.at("interpreter_high"));
      long popRax = knobs.at(prefix + "pop_rax");
      long pushRax = knobs.at(prefix + "push_rax");
      long built = knobs.at(prefix + "built");
      if (pushRax == NONE) {
        assertEquals(NONE, popRax);
        assertEquals(NONE, built);
      } else {
        building++;
        assertTrue(
            popRax < pushRax && pushRax + 5 < built && built < bytes,
            popRax + " " + pushRax + " " + built + " of " + bytes);
      }
    }
    // Java and native methods, each with and without synchronized; 28 has one more.
    assertTrue(building == 4 || building == 5, building + " entries that build a frame");
  }

  private static void continuations(HotspotVm vm, ProcMemory processMemory, Knobs knobs) {
    long barrier = knobs.at("cont_barrier");
    long low = knobs.at("cont_stubs_low");
    long high = knobs.at("cont_stubs_high");
    assertTrue(barrier > low && knobs.at("cont_barrier_exc") > barrier);
    assertTrue(knobs.at("cont_barrier_exc") < high && high - low < 16384);
    TargetMemory memory = new TargetMemory(processMemory);
    CodeHeaps heaps = vm.heaps().readingWith(memory);
    if (knobs.at("cont_return_pc") == 0) { // 21 makes the stub with the first virtual thread
      assertEquals(21, vm.jdkMajor());
      return;
    }
    long enterSpecial = heaps.blobAt(knobs.at("cont_return_pc"));
    long method = memory.value(enterSpecial, vm.layout().nmethod().method());
    assertEquals(
        "jdk.internal.vm.Continuation.enterSpecial",
        new Methods(memory, vm.layout().method()).at(method).function());
  }

  @Test
  void setsEveryFieldOfTheHeaderAndNoOther() throws IOException {
    Path header = Path.of("../bpf/src/main/c/jebpf_types.h");
    Assumptions.assumeTrue(Files.exists(header), "built outside the repository");
    String text = Files.readString(header);
    Set<String> expected = new TreeSet<>(fields(text, "jebpf_config"));
    expected.removeAll(
        Set.of(
            "depth_max",
            "context_table",
            "show_carrier",
            "waker_ns",
            "tick_iterator",
            "check_paths",
            "place_mask",
            "pad",
            "heaps",
            "entry_codelets"));
    fields(text, "jebpf_code_heap").stream()
        .filter(field -> !field.equals("pad"))
        .forEach(field -> expected.add("heaps." + field));
    fields(text, "jebpf_codelet").forEach(field -> expected.add("entry_codelets." + field));

    long self = ProcessHandle.current().pid();
    try (ProcMemory memory = new ProcMemory(self)) {
      Set<String> actual = new TreeSet<>();
      for (String name : Knobs.of(Opened.vm(memory, new TestLibjvm(self, true))).values.keySet()) {
        actual.add(name.replaceAll("\\[\\d+\\]", ""));
      }
      assertEquals(expected, actual);
    }
  }

  private static List<String> fields(String header, String struct) {
    Matcher body =
        Pattern.compile("struct " + struct + " \\{(.*?)\\n\\};", Pattern.DOTALL).matcher(header);
    assertTrue(body.find(), struct);
    Matcher field =
        Pattern.compile("^\\t(?:__u\\d+|struct \\w+) (\\w+)(?:\\[\\w+\\])?;", Pattern.MULTILINE)
            .matcher(body.group(1));
    List<String> names = new ArrayList<>();
    while (field.find()) {
      names.add(field.group(1));
    }
    assertTrue(names.size() > 3, struct + ": " + names);
    return names;
  }

  @Test
  void findsDebugNonSafepoints() throws Exception {
    Path home = Path.of(System.getProperty("java.home"));
    for (String sign : List.of("+", "-")) {
      try (ChildJvm child =
              ChildJvm.start(
                  home, 0, "-XX:+UnlockDiagnosticVMOptions", "-XX:" + sign + "DebugNonSafepoints");
          ProcMemory memory = new ProcMemory(child.pid())) {
        JvmFlag flag =
            Opened.vm(memory, new TestLibjvm(child.pid(), false))
                .debugNonSafepoints()
                .orElseThrow();
        assertEquals(sign.equals("+"), flag.value());
        assertTrue(flag.address() > ABSENT);
      }
    }
  }
}
