package io.jebpf.symbolizer.demangle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.jebpf.symbolizer.TestTools;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemanglerTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          _ZN10JavaThread3runEv | JavaThread::run()
          _ZNK7oopDesc4sizeEv | oopDesc::size() const
          _ZN1AC2Ei | A::A(int)
          _ZN1AD0Ev | A::~A()
          _Z1fPFvPKcE | f(void (*)(char const*))
          _Z1fPA5_i | f(int (*) [5])
          _Z1fM1AKFvvE | f(void (A::*)() const)
          _ZN1AcvT_IiEEv | A::operator int<int>()
          _ZltIiEvT_ | void operator< <int>(int)
          _Z1fIJidEEvDpT_ | void f<int, double>(int, double)
          _Z1fIRiEvOT_ | void f<int&>(int&)
          _ZN12_GLOBAL__N_11fEv | (anonymous namespace)::f()
          _ZZ1fvENKUliE_clEi | f()::{lambda(int)#1}::operator()(int) const
          _ZNSs6appendEPKc | \
          std::basic_string<char, std::char_traits<char>, std::allocator<char> >::append(char const*)
          _ZNSt6vectorIS_IiSaIiEESaIS1_EE5clearEv | \
          std::vector<std::vector<int, std::allocator<int> >, \
          std::allocator<std::vector<int, std::allocator<int> > > >::clear()
          _ZTV10JavaThread | vtable for JavaThread
          _ZThn16_N1A1fEv | non-virtual thunk to A::f()
          _ZN1A1fEv.part.0.cold | A::f() [clone .part.0] [clone .cold]
          _Z1fILb1ELj3ELin2EEvv | void f<true, 3u, -2>()
          _ZNSt7__cxx114listIiE4sizeB5cxx11Ev | std::__cxx11::list<int>::size[abi:cxx11]()
          """)
  void readsNames(String mangled, String expected) {
    assertEquals(expected, Demangler.demangle(mangled));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "_ZN10JavaThread3runEv | JavaThread::run",
        "_ZNK7oopDesc4sizeEv | oopDesc::size",
        "_Z1fIJidEEvDpT_ | f<int, double>",
        "_ZN12_GLOBAL__N_11fEv | (anonymous namespace)::f",
        "_ZZ1fvENKUliE_clEi | f::{lambda(int)#1}::operator()",
        "_ZN1A1fEv.part.0.cold | A::f [clone .part.0] [clone .cold]",
        "_ZN1AcvT_IiEEv | A::operator int<int>",
        "memcpy | memcpy",
      })
  void namesOfFunctionsAreWithoutParameters(String mangled, String expected) {
    assertEquals(expected, Demangler.functionName(mangled));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "_",
        "_Z",
        "main",
        "_ZN",
        "_ZN3fo",
        "_Z1fS_",
        "_Z1fT_",
        "_Z99999999999999999999f",
        "_RNvC6_123foo3bar",
        "_ZN1A1fEv.",
        "_ZN1A1fEv@GLIBC_2",
        "_Z1fI",
        "__pthread_create"
      })
  void leavesOtherNamesAlone(String name) {
    assertEquals(name, Demangler.demangle(name));
  }

  @Test
  void depthAndLengthAreBounded() {
    String pointers = "_Z1f" + "P".repeat(5000) + "i";
    assertEquals(pointers, Demangler.demangle(pointers));
    // Each parameter holds the one before it twice.
    StringBuilder doubling = new StringBuilder("_Z1f1A");
    doubling.append("1BIS_S_E");
    for (int i = 0; i < 30; i++) {
      String last = i == 0 ? "S1_" : "S" + Integer.toString(i + 1, 36).toUpperCase() + "_";
      doubling.append("S0_I").append(last).append(last).append('E');
    }
    assertTrue(Demangler.demangle(doubling.toString()).length() <= Out.CHARS_MAX);
  }

  @Test
  void damagedNamesNeitherThrowNorHang() {
    long seed = Long.getLong("jebpf.seed", 20261121L);
    Random random = new Random(seed);
    List<String> names =
        List.of(
            "_ZN7PackSet11split_packsIZNS_12filter_packsIZN9SuperWord28filter_packs_for_impl"
                + "ementedEvEUlPK9Node_ListE_EEvPKcS8_T_EUlS5_E_EEvS8_S9_.constprop.0",
            "_ZN4llvm9hasNItemsINS_12PredIteratorIKNS_10BasicBlockENS_5Value18user_iterator_implIK"
                + "NS_4UserEEEEEPFbRKPS3_EEEbOT_SG_jOT0_PNSt9enable_ifIXntsr3std10is_base_ofISt26"
                + "random_access_iterator_tagNSt15iterator_traitsINSt16remove_referenceIDtfp_EE4ty"
                + "peEE17iterator_categoryEEE5valueEvE4typeE",
            "_ZN1AcvT_IiEEv",
            "_Z1fIJidEEvDpT_",
            "_ZNSt6vectorIS_IiSaIiEESaIS1_EE5clearEv");
    String alphabet = "_ZNSTIEJXLDpKPRFMAUltv0123456789abcdefgzsr.";
    for (int i = 0; i < 200_000; i++) {
      StringBuilder name = new StringBuilder(names.get(random.nextInt(names.size())));
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        int at = 2 + random.nextInt(name.length() - 2);
        name.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
      }
      if (random.nextInt(4) == 0) {
        name.setLength(2 + random.nextInt(name.length() - 2));
      }
      String damaged = name.toString();
      try {
        Demangler.demangle(damaged);
      } catch (Throwable e) {
        throw new AssertionError(damaged + " with -Djebpf.seed=" + seed, e);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"libjvm.so", "libstdc++.so"})
  void agreesWithBinutils(String library) throws Exception {
    TestTools.need("nm");
    TestTools.need("c++filt");
    Path file = TestTools.library(library);
    assumeTrue(Files.exists(file), library + " is not installed");
    TreeSet<String> names = new TreeSet<>();
    for (String option : List.of("--debug-syms", "--dynamic")) {
      TestTools.lines(
          line -> names.add(line.substring(line.lastIndexOf(' ') + 1).split("@")[0]),
          "nm",
          option,
          "--defined-only",
          file.toString());
    }
    List<String> mangled = new ArrayList<>(names);
    Path list = directory.resolve("names");
    Files.write(list, mangled, StandardCharsets.ISO_8859_1);
    List<String> expected = new ArrayList<>();
    TestTools.lines(expected::add, "sh", "-c", "c++filt < " + list);
    assertEquals(mangled.size(), expected.size());
    List<String> different = new ArrayList<>();
    long start = System.nanoTime();
    for (int i = 0; i < mangled.size(); i++) {
      String ours = Demangler.demangle(mangled.get(i));
      if (!ours.equals(expected.get(i))) {
        different.add(mangled.get(i) + "\n c++filt " + expected.get(i) + "\n ours    " + ours);
      }
    }
    long millis = (System.nanoTime() - start) / 1_000_000;
    System.err.printf(
        "%s: %d names, %d differ from c++filt, %d ms%n",
        file, mangled.size(), different.size(), millis);
    assertTrue(mangled.size() > 1000);
    assertTrue(
        different.size() <= mangled.size() / 1000,
        () -> String.join("\n", different.subList(0, Math.min(20, different.size()))));
  }
}
