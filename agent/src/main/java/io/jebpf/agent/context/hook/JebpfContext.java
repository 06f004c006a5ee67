package io.jebpf.agent.context.hook;

import java.lang.invoke.CallSite;
import java.lang.invoke.ConstantCallSite;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.BinaryOperator;
import java.util.function.LongConsumer;

/**
 * What instrumented classes call: writes what the current thread works for into the thread's slot
 * of the table (drawn in {@code jebpf_types.h}), where the kernel side finds it.
 *
 * <p>Not used under this name: the agent defines it as {@code java.lang.JebpfContext}, where every
 * class loader finds it (also those that delegate nothing but {@code java.*}), and where it may use
 * the JDK's own Unsafe. It stays when the agent has gone, and does nothing then. So it must use
 * nothing but java.base and have no other classes: no lambdas, no nested ones.
 *
 * <p>Each slot has one writer, its thread; the reader looks while that thread is stopped, so the
 * order in which the compiler leaves the stores is all that matters. No method throws.
 */
public final class JebpfContext {
  private static final int GROUPS = 8192;
  private static final int WAYS = 8;
  private static final int GROUP_BYTES = 8 * WAYS;
  private static final int RECORD_BYTES = 256;
  private static final int SLOT_BYTES = 2 * RECORD_BYTES;
  private static final long OWNERS_BYTES = (long) GROUPS * GROUP_BYTES;
  private static final long TAIL = OWNERS_BYTES + (long) GROUPS * WAYS * SLOT_BYTES;

  // struct jebpf_context
  private static final int SPAN = 16;
  private static final int HEAD = 24; // valid, trace flags, bytes of attributes
  private static final int FLAGS = 25;
  private static final int SIZE = 26;
  private static final int ATTRIBUTES = 28;

  // the same with ids as text
  private static final int TEXT_IDS = 0x80; // in the trace flags
  private static final int TRACE_TEXT = 32;
  private static final int SPAN_TEXT = 64;
  private static final int TEXT_ATTRIBUTES = 80;

  private static final int ATTRIBUTES_BYTES = RECORD_BYTES - TEXT_ATTRIBUTES; // fit into both

  private static final long TAKEN = -1; // owner's word while a slot is being taken

  // words of the tail
  private static final int NO_SLOT = 0; // contexts not set: the thread's group was full
  private static final int NO_ROOM = 1; // labels not set: no room in the record, or too many keys
  private static final int NAMES_FULL = 2; // root spans not named: too many different names
  private static final int FAILED = 3; // of the code that reads a library's objects
  private static final int TAKEN_OVER = 4; // slots of threads that ended inside a scope
  private static final int TRACES = 64; // first of the table of traces
  private static final int TRACE_SLOTS = 32_768;

  private static final int KEYS_MAX = 64;
  private static final int ENDPOINT = 0; // number of that key
  private static final int NESTED = 255; // stands for an endpoint inside another one

  private static final int TRACE_DIGITS = 32;
  private static final int SPAN_DIGITS = 16;
  private static final int SHORT_TRACE_DIGITS = 16;

  private static final Unsafe U = Unsafe.getUnsafe();
  private static final long VALUE = U.objectFieldOffset(String.class, "value");
  private static final long CODER = U.objectFieldOffset(String.class, "coder");
  private static final long TEXT = bytesOffset();

  /** Address of the table; 0: there is no agent, nothing is to be done. */
  private static long table;

  /** The same where ids are kept as text: 0 where other profilers read them too. */
  private static long textTable;

  private static volatile long lastTable;

  /**
   * Address of two words for each slot: where the thread-local pointer of its thread is by which
   * other profilers find its record (OTEP 4947), and which thread of the kernel's that is. 0 for
   * virtual threads: what is thread-local there belongs to the carrier. 0: there are no such words.
   */
  private static long pointers;

  /** What the last profiler of this JVM that had such words needed for it. */
  private static volatile long[] shared = {};

  private static volatile LongConsumer ownPointer;

  /**
   * By slot the virtual thread that took it last, so that a slot can be had again whose thread
   * ended inside a scope: the thread, or a WeakReference to one that has the slot for long. The
   * agent empties the places of free slots once a second.
   */
  private static Object[] holders = {};

  /** Gives a call site its target; see {@link #link}. */
  private static volatile BiFunction<MethodHandles.Lookup, Object[], MethodHandle> linker;

  private static volatile BinaryOperator<String> endpoints;

  private static volatile String[] keys = {"endpoint"};

  /** Names of root spans, by their number minus 1. */
  private static volatile String[] names = {};

  private static volatile int namesMax;
  private static final ConcurrentHashMap<String, Integer> NUMBERS = new ConcurrentHashMap<>();

  private JebpfContext() {}

  /** By reflection: the method's result is an int up to JDK 24, and a long after. */
  private static long bytesOffset() {
    try {
      Object offset =
          Unsafe.class.getMethod("arrayBaseOffset", Class.class).invoke(U, byte[].class);
      return ((Number) offset).longValue();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e); // ends the instrumentation, nothing else
    }
  }

  // ---- for the agent, by reflection

  /** Starts (or, with address 0, stops) everything. */
  public static void start(long address, int rootNamesMax) {
    if (address != 0 && holders.length == 0) {
      holders = new Object[GROUPS * WAYS];
    }
    namesMax = rootNamesMax;
    textTable = pointers == 0 ? address : 0;
    table = address;
    if (address != 0) {
      lastTable = address;
    }
  }

  /** The table of this JVM's last profiler, 0: there was none. It serves the next one too. */
  public static long lastTable() {
    return lastTable;
  }

  /**
   * Other profilers are to find contexts too, from the next {@link #start} on and as long as the
   * JVM lives: they may look at a thread's pointer at any time.
   *
   * @param addresses the first is {@link #pointers}
   * @param own fills the two words for the calling thread; null: no thread's are any more
   */
  public static void share(long[] addresses, LongConsumer own) {
    shared = addresses;
    ownPointer = own;
    pointers = addresses[0];
  }

  /** Empty when contexts were never shared. */
  public static long[] shared() {
    return shared;
  }

  public static Object[] holders() {
    return holders;
  }

  public static void endpoints(BinaryOperator<String> with) {
    endpoints = with;
  }

  public static void linker(BiFunction<MethodHandles.Lookup, Object[], MethodHandle> with) {
    linker = with;
  }

  /** Keys of attributes, by their number. */
  public static String[] keys() {
    return keys;
  }

  public static String[] names() {
    return names;
  }

  // ---- for instrumented classes

  /**
   * Bootstrap method of their call sites. The target comes from the agent; without one, or when it
   * fails, the call site does what the class did before it was instrumented.
   *
   * @param prefix what stands before the names of the library's packages
   */
  public static CallSite link(
      MethodHandles.Lookup lookup, String name, MethodType type, String prefix) {
    try {
      BiFunction<MethodHandles.Lookup, Object[], MethodHandle> with = linker;
      if (with != null) {
        MethodHandle target = with.apply(lookup, new Object[] {name, type, prefix});
        if (target != null) {
          return new ConstantCallSite(target);
        }
      }
    } catch (Throwable e) { // must not reach the application
      failed();
    }
    return new ConstantCallSite(unlinked(type));
  }

  private static MethodHandle unlinked(MethodType type) {
    try {
      if (type.parameterCount() == 2 && type.parameterType(0) == ThreadLocal.class) {
        return MethodHandles.publicLookup()
            .findVirtual(ThreadLocal.class, "set", MethodType.methodType(void.class, Object.class));
      }
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e); // ThreadLocal.set is there
    }
    return MethodHandles.empty(type);
  }

  /**
   * The thread works for this span from now on. Ids are hexadecimal digits, and are kept as such:
   * to read them would take longer than all the rest, and most are never looked at.
   */
  public static void span(String trace, String span) {
    long base = textTable;
    if (base == 0) {
      if (table != 0) {
        spanOfAnyForm(trace, span);
      }
      return;
    }
    if (trace.length() == TRACE_DIGITS
        && span.length() == SPAN_DIGITS
        && isLatin1(trace)
        && isLatin1(span)) {
      long id = Thread.currentThread().threadId();
      long group = id & (GROUPS - 1);
      long owner = base + group * GROUP_BYTES;
      long word = U.getLong(owner);
      long record = base + OWNERS_BYTES + group * SLOT_BYTES + (~word & 1) * RECORD_BYTES;
      // as a thread's next spans are, mostly: in its group's first slot, and without labels
      if (word >>> 1 == id && U.getShort((record ^ RECORD_BYTES) + SIZE) == 0) {
        putText(record, trace, span, 0);
        U.storeFence();
        U.putLong(owner, word ^ 1);
      } else {
        spanOfAnySlot(base, trace, span);
      }
    } else {
      spanOfAnyForm(trace, span);
    }
  }

  private static void putText(long record, String trace, String span, int size) {
    Object text = U.getReference(trace, VALUE);
    U.putLong(record + TRACE_TEXT, U.getLongUnaligned(text, TEXT));
    U.putLong(record + TRACE_TEXT + 8, U.getLongUnaligned(text, TEXT + 8));
    U.putLong(record + TRACE_TEXT + 16, U.getLongUnaligned(text, TEXT + 16));
    U.putLong(record + TRACE_TEXT + 24, U.getLongUnaligned(text, TEXT + 24));
    text = U.getReference(span, VALUE);
    U.putLong(record + SPAN_TEXT, U.getLongUnaligned(text, TEXT));
    U.putLong(record + SPAN_TEXT + 8, U.getLongUnaligned(text, TEXT + 8));
    U.putInt(record + HEAD, 1 | TEXT_IDS << 8 | size << 16);
  }

  private static void spanOfAnySlot(long base, String trace, String span) {
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long owner = find(base, id);
    if (owner == 0) {
      owner = take(base, thread, id);
      if (owner == 0) {
        return;
      }
    }
    long word = U.getLong(owner);
    long record = slot(base, owner, id) + (~word & 1) * RECORD_BYTES;
    int size = copyAttributes(word, record, TEXT_ATTRIBUTES);
    putText(record, trace, span, size);
    U.storeFence();
    U.putLong(owner, id << 1 | ~word & 1);
  }

  private static void spanOfAnyForm(String trace, String span) {
    int digits = trace.length();
    if (span.length() != SPAN_DIGITS
        || (digits != TRACE_DIGITS && digits != SHORT_TRACE_DIGITS)
        || !isLatin1(span)
        || !isLatin1(trace)) {
      none();
      return;
    }
    Object text = U.getReference(trace, VALUE);
    long high = digits == TRACE_DIGITS ? bytes(text, TEXT) : 0;
    long low = bytes(text, TEXT + digits - SHORT_TRACE_DIGITS);
    set(high, low, bytes(U.getReference(span, VALUE), TEXT), (byte) 0);
  }

  /** The same with numbers. */
  public static void span(long traceHigh, long traceLow, long span, byte flags) {
    if (table != 0) {
      set(
          Long.reverseBytes(traceHigh),
          Long.reverseBytes(traceLow),
          Long.reverseBytes(span),
          flags);
    }
  }

  /** The thread works for no span any more. */
  public static void none() {
    long base = textTable;
    if (base == 0) {
      if (table != 0) {
        noneOfAnySlot();
      }
      return;
    }
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long group = id & (GROUPS - 1);
    long word = U.getLong(base + group * GROUP_BYTES);
    long record = base + OWNERS_BYTES + group * SLOT_BYTES + (word & 1) * RECORD_BYTES;
    // as for span(), and of a thread that keeps its slot
    if (word >>> 1 == id && U.getShort(record + SIZE) == 0 && !thread.isVirtual()) {
      U.putInt(record + HEAD, 0); // not valid
    } else {
      noneOfAnySlot();
    }
  }

  private static void noneOfAnySlot() {
    long base = table;
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long owner = find(base, id);
    if (owner == 0) {
      return;
    }
    long record = record(base, owner, id);
    if (U.getShort(record + SIZE) == 0) {
      leave(base, thread, owner, record);
    } else {
      set(0, 0, 0, (byte) 0);
    }
  }

  /** A root span has started, or has another name. */
  public static void named(String trace, String name) {
    long base = table;
    if (base == 0 || namesMax == 0 || trace.length() != TRACE_DIGITS || !isLatin1(trace)) {
      return;
    }
    int number = number(base, name);
    if (number != 0) {
      Object text = U.getReference(trace, VALUE);
      putName(base, bytes(text, TEXT), bytes(text, TEXT + 16), number);
    }
  }

  /**
   * Puts a label on the thread.
   *
   * @return what {@link #pop} needs to take it away again
   */
  public static int push(String key, String text) {
    long base = table;
    if (base == 0 || key == null || text == null) {
      return -1;
    }
    int number = keyNumber(key);
    if (number < 0) {
      count(base, NO_ROOM);
      return -1;
    }
    return add(base, number, text);
  }

  public static void pop(int token) {
    long base = table;
    if (base == 0 || token < 0) {
      return;
    }
    long id = Thread.currentThread().threadId();
    long owner = find(base, id);
    if (owner != 0) {
      shrink(base, record(base, owner, id), owner, token);
    }
  }

  /** A request begins; what it calls may begin one again. */
  public static void enter(String method, String path) {
    long base = table;
    BinaryOperator<String> with = endpoints;
    if (base != 0 && with != null) {
      try {
        String endpoint = with.apply(method, path);
        if (endpoint != null) {
          enter(base, endpoint);
        }
      } catch (Throwable e) { // must not reach the application
        failed();
      }
    }
  }

  private static void enter(long base, String endpoint) {
    long id = Thread.currentThread().threadId();
    long owner = find(base, id);
    boolean inside = owner != 0 && lastOfEndpoint(record(base, owner, id), true) >= 0;
    add(base, inside ? NESTED : ENDPOINT, inside ? "" : endpoint);
  }

  /** Ends what {@link #enter} began. */
  public static void exit() {
    long base = table;
    if (base == 0) {
      return;
    }
    long id = Thread.currentThread().threadId();
    long owner = find(base, id);
    if (owner != 0) {
      long record = record(base, owner, id);
      int at = lastOfEndpoint(record, false);
      if (at >= 0) {
        shrink(base, record, owner, at);
      }
    }
  }

  /** Reading a library's object failed: the application must not notice. */
  public static void failed() {
    long base = table;
    if (base != 0) {
      count(base, FAILED);
    }
  }

  // ---- slots

  /** Address of the owner's word of the thread's slot, 0 when it has none. */
  private static long find(long base, long id) {
    long owner = base + (id & (GROUPS - 1)) * GROUP_BYTES;
    if (U.getLong(owner) >>> 1 == id) {
      return owner;
    }
    for (long end = owner + GROUP_BYTES; (owner += 8) < end; ) {
      if (U.getLong(owner) >>> 1 == id) {
        return owner;
      }
    }
    return 0;
  }

  /** A free slot of the thread's group, marked as being taken; 0 when there is none. */
  private static long take(long base, Thread thread, long id) {
    long owner = base + (id & (GROUPS - 1)) * GROUP_BYTES;
    for (long end = owner + GROUP_BYTES; owner < end; owner += 8) {
      if (U.getLong(owner) == 0 && U.compareAndSetLong(null, owner, 0, TAKEN)) {
        return took(base, owner, thread);
      }
    }
    return takeOver(base, owner - GROUP_BYTES, thread);
  }

  /** A slot whose thread has ended: of a full group, so rare. */
  private static long takeOver(long base, long group, Thread thread) {
    for (long owner = group; owner < group + GROUP_BYTES; owner += 8) {
      long word = U.getLong(owner);
      boolean ended = word != 0 && hasEnded(holders[(int) (owner - base >> 3)], word);
      if ((ended || word == 0) && U.compareAndSetLong(null, owner, word, TAKEN)) {
        if (ended) {
          count(base, TAKEN_OVER);
        }
        return took(base, owner, thread);
      }
    }
    count(base, NO_SLOT);
    return 0;
  }

  /** Whether the thread that has a slot has ended; its id is no other thread's, ever. */
  private static boolean hasEnded(Object holder, long word) {
    Object thread = holder instanceof WeakReference<?> weak ? weak.get() : holder;
    return thread instanceof Thread known && known.threadId() == word >>> 1 && !known.isAlive();
  }

  private static long took(long base, long owner, Thread thread) {
    int slot = (int) (owner - base >> 3);
    if (thread.isVirtual() && holders[slot] != thread) {
      holders[slot] = thread; // of platform threads there is a list
    }
    if (pointers != 0) {
      point(pointers + 2 * (owner - base), thread);
    }
    return owner;
  }

  /** Notes where this thread's pointer is. */
  private static void point(long words, Thread thread) {
    U.putLong(words, 0);
    LongConsumer own = ownPointer;
    if (own != null && !thread.isVirtual()) {
      try {
        own.accept(words);
      } catch (Throwable e) { // must not reach the application
        failed();
      }
    }
  }

  /** Shows other profilers a thread's record, or with 0 that it has none. */
  private static void show(long base, long owner, long record) {
    long words = pointers;
    long pointer = words == 0 ? 0 : U.getLong(words + 2 * (owner - base));
    if (pointer != 0) {
      U.storeFence();
      U.putLong(pointer, record);
    }
  }

  /**
   * Nothing is left in a slot. A platform thread keeps it until it ends: taking one is the larger
   * part of an attach. Virtual threads may be too many for that.
   */
  private static void leave(long base, Thread thread, long owner, long record) {
    if (thread.isVirtual()) {
      release(owner);
    } else {
      show(base, owner, 0);
      U.storeFence();
      U.putInt(record + HEAD, 0); // not valid
    }
  }

  private static void release(long owner) {
    U.storeFence();
    U.putLong(owner, 0);
  }

  /** Address of the first of a slot's two records. */
  private static long slot(long base, long owner, long id) {
    long group = id & (GROUPS - 1);
    long way = (owner - base - group * GROUP_BYTES) >> 3;
    return base + OWNERS_BYTES + (way * GROUPS + group) * SLOT_BYTES;
  }

  /** Address of the record in use. */
  private static long record(long base, long owner, long id) {
    return slot(base, owner, id) + (U.getLong(owner) & 1) * RECORD_BYTES;
  }

  /** Fills the record that is not in use, then makes it the one in use. */
  private static void set(long high, long low, long span, byte flags) {
    long base = table;
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long owner = find(base, id);
    if (owner == 0) {
      if ((high | low | span) == 0) {
        return;
      }
      owner = take(base, thread, id);
      if (owner == 0) {
        return;
      }
    }
    long word = U.getLong(owner);
    long next = ~word & 1;
    long record = slot(base, owner, id) + next * RECORD_BYTES;
    int size = copyAttributes(word, record, ATTRIBUTES);
    U.putLong(record, high);
    U.putLong(record + 8, low);
    U.putLong(record + SPAN, span);
    U.putInt(record + HEAD, 1 | (flags & 0xff) << 8 | size << 16);
    U.storeFence();
    U.putLong(owner, id << 1 | next);
    show(base, owner, record);
  }

  // ---- attributes: one after the other, {key number, length, text}

  /** Address of a record's first attribute. */
  private static long attributes(long record) {
    boolean text = (U.getByte(record + FLAGS) & TEXT_IDS) != 0;
    return record + (text ? TEXT_ATTRIBUTES : ATTRIBUTES);
  }

  /** Copies those of the record in use to the other one; returns their bytes. */
  private static int copyAttributes(long word, long record, int at) {
    long now = record ^ RECORD_BYTES;
    int size = word == TAKEN ? 0 : U.getShort(now + SIZE);
    if (size != 0) {
      U.copyMemory(attributes(now), record + at, size);
    }
    return size;
  }

  /** Appends one; returns the size before, -1 when there was no room. */
  private static int add(long base, int key, String text) {
    Thread thread = Thread.currentThread();
    long id = thread.threadId();
    long owner = find(base, id);
    boolean taken = owner == 0;
    if (taken) {
      owner = take(base, thread, id);
      if (owner == 0) {
        return -1;
      }
    }
    long record = slot(base, owner, id) + (taken ? 0 : U.getLong(owner) & 1) * RECORD_BYTES;
    boolean empty = taken || U.getByte(record + HEAD) == 0;
    if (empty) {
      U.putInt(record + HEAD, 0);
      U.putLong(record, 0);
      U.putLong(record + 8, 0);
      U.putLong(record + SPAN, 0);
    }
    int size = U.getShort(record + SIZE);
    int room = ATTRIBUTES_BYTES - size - 2;
    long at = attributes(record) + size;
    int length = room < 0 ? -1 : copy(text, at + 2, room);
    if (length < 0) {
      count(base, NO_ROOM);
      if (taken) {
        release(owner);
      }
      return -1;
    }
    U.putByte(at, (byte) key);
    U.putByte(at + 1, (byte) length);
    U.storeFence();
    U.putShort(record + SIZE, (short) (size + 2 + length));
    if (empty) {
      U.storeFence();
      U.putByte(record + HEAD, (byte) 1);
    }
    if (taken) {
      U.storeFence();
      U.putLong(owner, id << 1);
    }
    if (empty) {
      show(base, owner, record);
    }
    return size;
  }

  /** Writes a text as UTF-8; returns its bytes, -1 when there is no room for it. */
  private static int copy(String text, long to, int room) {
    int length = text.length();
    if (length > room) {
      return -1;
    }
    if (isLatin1(text)) {
      Object value = U.getReference(text, VALUE);
      int at = 0;
      while (at < length) {
        byte unit = U.getByte(value, TEXT + at);
        if (unit < 0) {
          break;
        }
        U.putByte(to + at++, unit);
      }
      if (at == length) {
        return length;
      }
    }
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (bytes.length > room) {
      return -1;
    }
    for (int i = 0; i < bytes.length; i++) {
      U.putByte(to + i, bytes[i]);
    }
    return bytes.length;
  }

  /** Takes all attributes from there on away, and the slot when nothing is left in it. */
  private static void shrink(long base, long record, long owner, int size) {
    if (size > U.getShort(record + SIZE)) {
      return;
    }
    if (size == 0 && !hasSpan(record)) {
      leave(base, Thread.currentThread(), owner, record);
    } else {
      U.storeFence();
      U.putShort(record + SIZE, (short) size);
    }
  }

  private static boolean hasSpan(long record) {
    return (U.getByte(record + FLAGS) & TEXT_IDS) != 0
        || (U.getLong(record) | U.getLong(record + 8) | U.getLong(record + SPAN)) != 0;
  }

  /**
   * Where the last attribute begins, if that is an endpoint's; -1 if not. Or, with {@code any},
   * where any endpoint's begins.
   */
  private static int lastOfEndpoint(long record, boolean any) {
    int size = U.getShort(record + SIZE);
    long first = attributes(record);
    int last = -1;
    for (int at = 0; at < size; at += 2 + (U.getByte(first + at + 1) & 0xff)) {
      int key = U.getByte(first + at) & 0xff;
      if (key == ENDPOINT || key == NESTED) {
        last = at;
        if (any) {
          return at;
        }
      } else if (!any) {
        last = -1;
      }
    }
    return last;
  }

  private static int keyNumber(String key) {
    String[] known = keys;
    for (int i = 1; i < known.length; i++) {
      if (known[i].equals(key)) {
        return i;
      }
    }
    return newKey(key);
  }

  private static synchronized int newKey(String key) {
    String[] known = keys;
    for (int i = 1; i < known.length; i++) {
      if (known[i].equals(key)) {
        return i;
      }
    }
    if (known.length >= KEYS_MAX) {
      return -1;
    }
    String[] next = new String[known.length + 1];
    System.arraycopy(known, 0, next, 0, known.length);
    next[known.length] = key;
    keys = next;
    return known.length;
  }

  // ---- names of root spans: {high, low, number ^ check} by trace

  private static int number(long base, String name) {
    if (name == null) {
      return 0;
    }
    Integer known = NUMBERS.get(name);
    return known != null ? known : newName(base, name);
  }

  private static synchronized int newName(long base, String name) {
    Integer known = NUMBERS.get(name);
    if (known != null) {
      return known;
    }
    String[] before = names;
    if (before.length >= namesMax) {
      count(base, NAMES_FULL);
      return 0;
    }
    String[] next = new String[before.length + 1];
    System.arraycopy(before, 0, next, 0, before.length);
    next[before.length] = name;
    names = next;
    NUMBERS.put(name, next.length);
    return next.length;
  }

  /** Two threads may write the same place: then the words do not fit each other. */
  private static void putName(long base, long high, long low, int number) {
    long at = base + TAIL + 8L * TRACES + (mix(high, low) & (TRACE_SLOTS - 1)) * 24;
    U.putLong(at, high);
    U.putLong(at + 8, low);
    U.putLong(at + 16, mix(high, low) & -65_536L ^ number);
  }

  private static long mix(long high, long low) {
    long mixed = (high ^ Long.rotateLeft(low, 29)) * 0x9E3779B97F4A7C15L;
    return mixed ^ mixed >>> 32;
  }

  // ---- digits

  private static boolean isLatin1(String text) {
    return U.getByte(text, CODER) == 0;
  }

  /** The bytes that 16 hexadecimal digits stand for, in memory order. */
  private static long bytes(Object text, long at) {
    return four(U.getLongUnaligned(text, at)) | four(U.getLongUnaligned(text, at + 8)) << 32;
  }

  private static long four(long digits) {
    long n = (digits & 0x0f0f0f0f0f0f0f0fL) + 9 * (digits >>> 6 & 0x0101010101010101L);
    n = (n << 4 | n >>> 8) & 0x00ff00ff00ff00ffL;
    n = (n | n >>> 8) & 0x0000ffff0000ffffL;
    return (n | n >>> 16) & 0xffffffffL;
  }

  private static void count(long base, int word) {
    U.getAndAddLong(null, base + TAIL + 8L * word, 1);
  }
}
