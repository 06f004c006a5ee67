package io.jebpf.agent.pprof;

import io.jebpf.agent.window.Window;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What the encoders of a window's kinds of profiles have in common: in which order its parts are
 * written, so that what is alike stands together and takes little space once compressed, and the
 * names of its functions as bytes. Stacks come as a walk through their tree, functions by package
 * and class, locations by function. Good until the window changes. Owner: one thread.
 *
 * <p>The first window meets a JVM in which none of this is compiled, so it is made of what costs
 * little even then: copies of the window's tables in place of calls, the JDK's maps, and sorting by
 * counting. Within their class functions come as they were seen: sorting all by name made a profile
 * 0.3 % smaller and took a fifth of the time.
 */
public final class WindowOrder {
  /** The empty text. It is the first. */
  static final int NO_TEXT = 0;

  /** In place of a text that no function has. */
  static final int OTHER_TEXT = -1;

  private static final String CLASS_END = "::";

  final int[] parents; // of nodes
  final int[] nodeLocations;
  final int[] functionsOf; // locations
  final int[] mappingsOf;
  final int[] linesOf;
  final long[] addressesOf;

  /** Of a function: text of its name, and of its file. */
  final int[] nameTexts;

  final int[] fileTexts;

  private final int[] nodeRanks;
  private final int[] functions;
  private final int[] locations;

  /** Texts of functions: entries of a string table, one behind the other, and where each begins. */
  private final ProtoBuffer entries = new ProtoBuffer(1 << 16);

  private int[] entryStarts = new int[1024];
  private final Map<String, Integer> textNumbers = new HashMap<>(1024);

  public WindowOrder(Window window) {
    this.parents = window.nodeParents();
    this.nodeLocations = window.nodeLocations();
    this.functionsOf = window.locationFunctions();
    this.mappingsOf = window.locationMappings();
    this.linesOf = window.locationLines();
    this.addressesOf = window.locationAddresses();
    this.nameTexts = new int[window.functions()];
    this.fileTexts = new int[window.functions()];
    this.nodeRanks = nodeRanks(parents);
    addText("");
    this.functions = functionsByClass(window);
    this.locations = locationsByFunction();
  }

  /**
   * Place of a stack, given by its leaf, in a walk through the tree that goes to the callees first.
   */
  private static int[] nodeRanks(int[] parents) {
    int nodes = parents.length;
    int[] sizes = new int[nodes];
    Arrays.fill(sizes, 1);
    for (int node = nodes - 1; node > Window.ROOT; node--) { // a parent has the lower number
      sizes[parents[node]] += sizes[node];
    }
    int[] ranks = new int[nodes];
    int[] next = new int[nodes]; // rank of the next child
    next[Window.ROOT] = 1;
    for (int node = Window.ROOT + 1; node < nodes; node++) {
      int parent = parents[node];
      int rank = next[parent];
      ranks[node] = rank;
      next[node] = rank + 1;
      next[parent] = rank + sizes[node];
    }
    return ranks;
  }

  /**
   * Rows in the order of their ranks; those of one rank as they came. By counting: the library's
   * sorting of numbers brings a dozen classes for doing it in parallel.
   *
   * @param ranks of each row
   * @param ranksMax more than any of them
   */
  static int[] rows(int[] ranks, int ranksMax) {
    int[] starts = new int[ranksMax + 1]; // of each rank's rows
    for (int rank : ranks) {
      starts[rank + 1]++;
    }
    for (int rank = 0; rank < ranksMax; rank++) {
      starts[rank + 1] += starts[rank];
    }
    int[] order = new int[ranks.length];
    for (int row = 0; row < order.length; row++) {
      order[starts[ranks[row]]++] = row;
    }
    return order;
  }

  /**
   * Native functions first, then those with a file. Packages, in them classes, in these functions
   * are in the order in which they come up.
   */
  private int[] functionsByClass(Window window) {
    Map<String, Integer> classes = new HashMap<>(1024);
    Map<String, Integer> packages = new HashMap<>(256);
    packages.put("", 0); // of native functions
    int[] classOf = new int[nameTexts.length];
    int[] packageOf = new int[nameTexts.length]; // a class's; there are no more of them
    for (int i = 0; i < classOf.length; i++) {
      String name = window.functionName(i);
      String file = window.functionFile(i);
      nameTexts[i] = text(name);
      fileTexts[i] = text(file);
      String ofClass = file;
      String ofPackage = "";
      if (file.isEmpty()) {
        ofClass = name.substring(0, Math.max(0, name.lastIndexOf(CLASS_END)));
      }
      Integer number = classes.get(ofClass);
      if (number == null) {
        number = classes.size();
        classes.put(ofClass, number);
        if (!file.isEmpty()) { // with its slash, so that it is none of native functions
          ofPackage = file.substring(0, file.lastIndexOf('/') + 1) + '/';
        }
        packageOf[number] = number(packages, ofPackage);
      }
      classOf[i] = number;
    }
    int[] ranks = new int[classes.size()];
    int[] byPackage = rows(Arrays.copyOf(packageOf, ranks.length), packages.size());
    for (int i = 0; i < ranks.length; i++) {
      ranks[byPackage[i]] = i;
    }
    for (int i = 0; i < classOf.length; i++) {
      classOf[i] = ranks[classOf[i]];
    }
    return rows(classOf, ranks.length);
  }

  private static int number(Map<String, Integer> numbers, String key) {
    Integer known = numbers.putIfAbsent(key, numbers.size());
    return known != null ? known : numbers.size() - 1;
  }

  private int text(String text) {
    Integer known = textNumbers.get(text);
    return known != null ? known : addText(text);
  }

  private int addText(String text) {
    int number = textNumbers.size();
    textNumbers.put(text, number);
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    entries.bytes(PprofField.PROFILE_STRING_TABLE, utf8, lengthOf(utf8));
    if (number + 1 == entryStarts.length) {
      entryStarts = Arrays.copyOf(entryStarts, 2 * entryStarts.length);
    }
    entryStarts[number + 1] = entries.size();
    return number;
  }

  /** How much of a text readers take: whole characters. */
  static int lengthOf(byte[] utf8) {
    int length = Math.min(utf8.length, ProfileEncoder.STRING_BYTES_MAX);
    while (length < utf8.length && (utf8[length] & 0xc0) == 0x80) { // in the middle of one
      length--;
    }
    return length;
  }

  private int[] locationsByFunction() {
    int[] ranks = new int[functions.length];
    for (int i = 0; i < functions.length; i++) {
      ranks[functions[i]] = i;
    }
    int[] ranksOf = new int[functionsOf.length];
    for (int i = 0; i < ranksOf.length; i++) {
      ranksOf[i] = ranks[functionsOf[i]];
    }
    return rows(ranksOf, ranks.length);
  }

  int nodeRank(int node) {
    return nodeRanks[node];
  }

  /** More than any rank of a node. */
  int nodeRanksMax() {
    return nodeRanks.length;
  }

  /** How many texts functions have. */
  int texts() {
    return textNumbers.size();
  }

  /** The number of a text, when a function has it; otherwise {@link #OTHER_TEXT}. */
  int textNumber(String text) {
    Integer known = textNumbers.get(text);
    return known != null ? known : OTHER_TEXT;
  }

  /** Writes a text as an entry of a string table. */
  void writeText(int text, ProtoBuffer into) {
    into.append(entries, entryStarts[text], entryStarts[text + 1] - entryStarts[text]);
  }

  /** All functions of the window, in their order. */
  int[] functions() {
    return functions;
  }

  /** All locations of the window, in the order of their functions. */
  int[] locations() {
    return locations;
  }
}
