package io.jebpf.agent.window;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The samples of one stretch of time, aggregated by stack and labels. It belongs to one thread at a
 * time: the reader fills it, hands it over whole, the writer encodes and clears it.
 *
 * <p>A stack is built from its root: {@code node = ROOT}, then {@link #push} for each raw frame,
 * then {@link #add}. Nothing on that path allocates once the frames are known. Each table has a
 * limit; {@link #isNearlyFull} tells the owner to end the window before one is reached, and what
 * comes after the limit all the same is counted and kept in a stack that says so.
 */
public final class Window {
  public static final int ROOT = StackTree.ROOT;

  /** A node that stands for "no room": {@link #push} keeps it, {@link #add} counts it. */
  public static final int OVERFLOW = StackTree.FULL;

  static final String OVERFLOW_NAME = "[too many different stacks in this window]";
  static final String NO_FRAMES_NAME = "[no frames]";
  static final String NOT_SAMPLED_NAME = "[not sampled]";
  static final String INSIDE_NAME = "[inside jebpf]";

  /** Frames of the agent up to its step: eight from a thread's start to a step of the reader. */
  private static final int OWN_FRAMES_SHOWN = 8;

  /**
   * Bounds of the tables and with them of the memory of a window.
   *
   * @param log bytes of the times of samples, and of waits; 0 keeps no times
   */
  public record Limits(int frames, int nodes, int samples, int log) {
    /** 16,000 samples is what Pyroscope takes in one profile; all in all about 4 MB when full. */
    public static final Limits STANDARD = new Limits(32_000, 128_000, 16_000, 4 << 20);
  }

  /** How a location counts in the share of frames that have a name. */
  public enum FrameClass {
    RESOLVED,
    UNRESOLVED,
    MARKER
  }

  /** Gives a raw frame its locations. Called at the first sight of a frame in a window. */
  public interface Resolver {
    /**
     * Calls {@link Window#define} for each frame, innermost callee first; or, where none is to be
     * shown, {@link Window#hide}.
     */
    void resolve(Window window, long head, long detail);
  }

  private final Limits limits;
  private final FrameIndex frames;
  private final StackTree tree;
  private final SampleTable samples;
  private final WaitTable waits;
  private final LocationTable locations = new LocationTable();
  private final EventLog log;
  private final Map<Labels, Integer> labelNumbers = new HashMap<>();
  private final List<Labels> labels = new ArrayList<>();

  /** Per raw frame: count, how many of these are code, how many unresolved; then the locations. */
  private int[] runs = new int[4096];

  private int runsSize;
  private final Mapping mainBinary;
  private long taken;
  private long overflowed;
  private long framesSeen;
  private long framesUnresolved;
  private long weightNanos;
  private double scale = 1;
  private long waitsTaken;
  private long waitsOverflowed;

  /** Frames of the stack that is being built; counted when it is added. */
  private int stackFrames;

  private int stackUnresolved;

  private long stretch;

  /** Start in {@code runs} of the frame that is being resolved; whether it is not shown. */
  private int openRun;

  private boolean hidden;

  public Window(Limits limits, Mapping mainBinary) {
    this.limits = limits;
    this.frames = new FrameIndex(limits.frames());
    this.tree = new StackTree(limits.nodes());
    this.samples = new SampleTable(limits.samples());
    this.waits = new WaitTable(limits.samples());
    this.log = new EventLog(limits.log());
    this.mainBinary = mainBinary;
    clear();
  }

  /** The node below {@code node} for one raw frame (one node per inlined frame of it). */
  public int push(int node, long head, long detail, Resolver resolver) {
    if (node == OVERFLOW) {
      return OVERFLOW;
    }
    if (node == ROOT) { // the stack before may have been given up
      stackFrames = 0;
      stackUnresolved = 0;
    }
    int run = frames.find(head, detail);
    if (run == FrameIndex.MISSING) {
      if (frames.isFull()) {
        return OVERFLOW;
      }
      run = resolve(head, detail, resolver);
    }
    int[] table = runs;
    stackFrames += table[run + 1];
    stackUnresolved += table[run + 2];
    int below = node;
    for (int i = run + 2 + table[run]; i > run + 2; i--) {
      below = tree.child(below, table[i]);
      if (below == StackTree.FULL) {
        return OVERFLOW;
      }
    }
    return below;
  }

  /**
   * The node of a stack's raw frames, as by {@link #push} from the root on.
   *
   * @param words head and detail of each frame, the leaf first
   * @param size number of frames
   * @param last the stack before that is likely like it, and this one from now on
   */
  public int push(long[] words, int size, LastStack last, Resolver resolver) {
    int known = last.common(this, words, size);
    last.begin(this, words, size);
    int node = ROOT;
    if (known > 0) {
      node = last.node(known - 1);
      stackFrames = last.seen(known - 1);
      stackUnresolved = last.unresolved(known - 1);
    }
    for (int i = known; i < size; i++) {
      int at = 2 * (size - 1 - i);
      node = push(node, words[at], words[at + 1], resolver);
      if (node == OVERFLOW) {
        return OVERFLOW;
      }
      last.put(i, node, stackFrames, stackUnresolved);
    }
    last.end(size);
    return node;
  }

  /** Tells stretches of time of this window apart. */
  long stretch() {
    return stretch;
  }

  /**
   * The node itself, or, when so many frames of the agent are on the way to it that the rest is of
   * use to its makers only, the node that says so: the stack ends there.
   */
  public int inside(int node) {
    if (node == OVERFLOW || node == ROOT || !locations.isOwn(tree.location(node))) {
      return node;
    }
    int own = 0;
    for (int at = node; at != ROOT; at = tree.parent(at)) {
      own += locations.isOwn(tree.location(at)) ? 1 : 0;
    }
    return own < OWN_FRAMES_SHOWN ? node : tree.child(node, marker(INSIDE_NAME));
  }

  /** The node for time of which only the clocks know. */
  public int notSampled() {
    return tree.reservedChild(ROOT, marker(NOT_SAMPLED_NAME));
  }

  /** Ends a stack: counts one sample of a running thread at its leaf, taken at that time. */
  public void add(int node, int labels, long weight, long timeNanos) {
    taken++;
    weightNanos += weight;
    framesSeen += stackFrames;
    framesUnresolved += stackUnresolved;
    stackFrames = 0;
    stackUnresolved = 0;
    int leaf = node == ROOT ? tree.reservedChild(ROOT, marker(NO_FRAMES_NAME)) : node;
    int row = leaf == OVERFLOW ? SampleTable.FULL : samples.add(leaf, labels, weight);
    if (row == SampleTable.FULL) {
      overflowed++;
      int full = tree.reservedChild(ROOT, marker(OVERFLOW_NAME));
      row = samples.addReserved(full, labels(Labels.NONE), weight);
    }
    log.sample(timeNanos, row, weight);
  }

  /**
   * Ends a stack: counts a stretch of a thread's wait at its leaf, asleep from {@code from} to
   * {@code turn}, then waiting for a CPU.
   *
   * @param weight how many waits it stands for
   * @param counted whether these are new ones, or were counted with an earlier stretch
   */
  public void addWait(
      int node, int labels, double weight, boolean counted, long from, long turn, long end) {
    waitsTaken++;
    double count = counted ? weight : 0;
    double blocked = weight * (turn - from);
    double runnable = weight * (end - turn);
    stackFrames = 0; // frames are counted for samples of running threads
    stackUnresolved = 0;
    int leaf = node == ROOT ? tree.reservedChild(ROOT, marker(NO_FRAMES_NAME)) : node;
    int row = leaf == OVERFLOW ? WaitTable.FULL : waits.add(leaf, labels, count, blocked, runnable);
    if (row == WaitTable.FULL) {
      waitsOverflowed++;
      int full = tree.reservedChild(ROOT, marker(OVERFLOW_NAME));
      Labels known = this.labels.get(labels);
      Labels kept =
          Labels.of(LabelKey.STATE, known.get(LabelKey.STATE))
              .with(LabelKey.IDLE, known.get(LabelKey.IDLE));
      int state = labels(kept);
      row = waits.addReserved(full, state, count, blocked, runnable);
    }
    log.wait(row, from, turn, end, weight, counted);
  }

  /** The number of a set of labels; equal sets share it. */
  public int labels(Labels set) {
    Integer known = labelNumbers.get(set);
    if (known != null) {
      return known;
    }
    labels.add(set);
    labelNumbers.put(set, labels.size() - 1);
    return labels.size() - 1;
  }

  private int marker(String name) {
    return locations.add(Mapping.MARKERS, 0, name, "", 0);
  }

  /**
   * One location of the raw frame that is being resolved. Only to be called by a {@link Resolver}.
   */
  public void define(
      Mapping mapping, long address, String name, String file, int line, FrameClass frameClass) {
    if (runsSize + 4 > runs.length) {
      runs = Arrays.copyOf(runs, 2 * runs.length);
    }
    int run = openRun;
    runs[run]++;
    runs[run + 1] += frameClass == FrameClass.MARKER ? 0 : 1;
    runs[run + 2] += frameClass == FrameClass.UNRESOLVED ? 1 : 0;
    runs[runsSize++] = locations.add(mapping, address, name, file, line);
  }

  /** The raw frame that is being resolved is not shown. Only to be called by a {@link Resolver}. */
  public void hide() {
    hidden = true;
  }

  private int resolve(long head, long detail, Resolver resolver) {
    if (runsSize + 4 > runs.length) {
      runs = Arrays.copyOf(runs, 2 * runs.length);
    }
    openRun = runsSize;
    Arrays.fill(runs, runsSize, runsSize + 3, 0);
    runsSize += 3;
    hidden = false;
    resolver.resolve(this, head, detail);
    if (runs[openRun] == 0 && !hidden) {
      throw new IllegalStateException(
          "no location for frame " + Long.toHexString(head) + " " + Long.toHexString(detail));
    }
    frames.put(head, detail, openRun);
    return openRun;
  }

  /** True when the window should end now, so that nothing has to go into the overflow stack. */
  public boolean isNearlyFull() {
    return frames.size() > limits.frames() / 8 * 7
        || tree.size() > limits.nodes() / 8 * 7
        || samples.size() + 2 * waits.size() > limits.samples() / 4 * 3 // rows of the kind wall
        || log.isNearlyFull();
  }

  /** Neither samples nor waits. */
  public boolean isEmpty() {
    return taken == 0 && waitsTaken == 0;
  }

  /** Samples added, those in the overflow stack included. */
  public long taken() {
    return taken;
  }

  /** Samples that are in the overflow stack instead of their own. */
  public long overflowed() {
    return overflowed;
  }

  /** Frames of code in all samples, inlined ones included, markers not. */
  public long framesSeen() {
    return framesSeen;
  }

  public long framesUnresolved() {
    return framesUnresolved;
  }

  /** CPU time that the samples stand for, not scaled. */
  public long weightNanos() {
    return weightNanos;
  }

  /** What the CPU time of each row is multiplied with from now on, until the window is cleared. */
  public void scale(double factor) {
    scale = factor;
  }

  public double scale() {
    return scale;
  }

  /** Waits that are in the overflow stack instead of their own. */
  public long waitsOverflowed() {
    return waitsOverflowed;
  }

  /** Makes the window ready for the next stretch of time. */
  public void clear() {
    stretch++;
    frames.clear();
    tree.clear();
    samples.clear();
    locations.clear();
    labelNumbers.clear();
    labels.clear();
    waits.clear();
    log.clear();
    waitsTaken = 0;
    waitsOverflowed = 0;
    runs = runs.length > 65_536 ? new int[4096] : runs;
    runsSize = 0;
    taken = 0;
    overflowed = 0;
    framesSeen = 0;
    framesUnresolved = 0;
    weightNanos = 0;
    scale = 1;
    stackFrames = 0;
    stackUnresolved = 0;
    locations.addMapping(mainBinary); // pprof takes the first mapping for the main binary
  }

  // ---- for whoever puts parts of other windows together, instead of push

  /** The node below {@code node} for a location; OVERFLOW when there is no room for it. */
  public int child(int node, int location) {
    return node == OVERFLOW ? OVERFLOW : tree.child(node, location);
  }

  /** The number of a location. */
  public int location(Mapping mapping, long address, String name, String file, int line) {
    return locations.add(mapping, address, name, file, line);
  }

  // ---- what the encoder reads

  /** When what is in the rows was. */
  public EventLog log() {
    return log;
  }

  /** Numbers of label sets are below this. */
  public int labelSets() {
    return labels.size();
  }

  public Labels labelSet(int number) {
    return labels.get(number);
  }

  /** Numbers of nodes are below this; the first is the root. */
  public int nodes() {
    return tree.size();
  }

  public int labelsNumber(int row) {
    return samples.label(row);
  }

  public int waitLabelsNumber(int row) {
    return waits.label(row);
  }

  public int rows() {
    return samples.size();
  }

  public int leaf(int row) {
    return samples.node(row);
  }

  public Labels labelsOf(int row) {
    return labels.get(samples.label(row));
  }

  public long count(int row) {
    return samples.count(row);
  }

  /** CPU time of a row, scaled. */
  public long weight(int row) {
    return Math.round(samples.weight(row) * scale);
  }

  public int waitRows() {
    return waits.size();
  }

  public int waitLeaf(int row) {
    return waits.node(row);
  }

  public Labels waitLabelsOf(int row) {
    return labels.get(waits.label(row));
  }

  public double waitCount(int row) {
    return waits.count(row);
  }

  public double waitBlocked(int row) {
    return waits.blocked(row);
  }

  public double waitRunnable(int row) {
    return waits.runnable(row);
  }

  public int parent(int node) {
    return tree.parent(node);
  }

  public int location(int node) {
    return tree.location(node);
  }

  public int locations() {
    return locations.size();
  }

  public int functionOf(int location) {
    return locations.function(location);
  }

  public int mappingOf(int location) {
    return locations.mapping(location);
  }

  public int lineOf(int location) {
    return locations.line(location);
  }

  public long addressOf(int location) {
    return locations.address(location);
  }

  public int functions() {
    return locations.functions().size();
  }

  public String functionName(int function) {
    return locations.functions().get(function).name();
  }

  public String functionFile(int function) {
    return locations.functions().get(function).file();
  }

  public List<Mapping> mappings() {
    return locations.mappings();
  }

  // ---- the same at once, copied: while nothing is compiled, a call costs ten times an array's
  // item

  /** Parent of each node; the root's is of no use. */
  public int[] nodeParents() {
    return tree.parents();
  }

  public int[] nodeLocations() {
    return tree.locations();
  }

  public int[] locationFunctions() {
    return locations.functionsOf();
  }

  public int[] locationMappings() {
    return locations.mappingsOf();
  }

  public int[] locationLines() {
    return locations.linesOf();
  }

  public long[] locationAddresses() {
    return locations.addressesOf();
  }
}
