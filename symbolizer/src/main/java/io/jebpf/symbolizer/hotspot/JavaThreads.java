package io.jebpf.symbolizer.hotspot;

import io.jebpf.symbolizer.ThreadNames;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/**
 * The JVM's threads: from a kernel tid to the JavaThread, and from there to {@code Thread.name}.
 * Threads come and go meanwhile; every pointer is checked against what it must lead back to.
 *
 * <p>Owner: the reader thread.
 */
public final class JavaThreads implements ThreadNames.Source {
  private static final int THREADS_MAX = 65_536;
  private static final int SUPERCLASSES_MAX = 16;

  /** How names of HotSpot's own threads begin that are no JavaThreads, by the kernel. */
  private static final List<String> UNLISTED =
      List.of(
          "VM Thread",
          "VM Periodic Tas",
          "GC Thread#",
          "G1 ",
          "ZWorker",
          "ZDriver",
          "ZDirector",
          "ZStat",
          "ZUncommitter",
          "Shenandoah GC");

  private final TargetMemory memory;
  private final HotspotLayout layout;
  private final Oops oops;
  private final long listAddress;
  private final long threadKlassAddress;
  private final long stringKlassAddress;
  private final FieldOffsets fields;

  /** Bytes into Thread and String objects; 0 until known, which they are once the JVM is up. */
  private int threadName;

  private int stringValue;
  private int stringCoder;

  /** The list as it was when all of it was shown last. */
  private byte[] shown = {};

  JavaThreads(
      TargetMemory memory,
      HotspotLayout layout,
      VmStructs structs,
      Oops oops,
      FieldOffsets fields) {
    this.memory = memory;
    this.layout = layout;
    this.oops = oops;
    this.fields = fields;
    this.listAddress = structs.staticAddress("ThreadsSMRSupport::_java_thread_list");
    this.threadKlassAddress = klassAddress(structs, "Thread");
    this.stringKlassAddress = klassAddress(structs, "String");
  }

  /** Where the JVM keeps its class; 0 when it does not say. */
  static long klassAddress(VmStructs structs, String name) {
    return structs.staticAddress(
        "vmClasses::_klasses[static_cast<int>(vmClassID::" + name + "_klass_knum)]");
  }

  @Override
  public boolean isUnlisted(String comm) {
    for (int i = 0; i < UNLISTED.size(); i++) {
      if (comm.startsWith(UNLISTED.get(i))) {
        return true;
      }
    }
    return false;
  }

  @Override
  public boolean isThread(long javaThread, int tid) {
    memory.begin();
    return osThreadId(javaThread) == tid && memory.ok();
  }

  private int osThreadId(long javaThread) {
    long osThread = memory.value(javaThread, layout.thread().osthread());
    return (int) memory.value(osThread, layout.thread().osthreadId());
  }

  @Override
  public boolean hasChanged() {
    return !Arrays.equals(shown, pointers());
  }

  /** The JVM's list of threads, 8 bytes each; empty when it cannot be read. */
  private byte[] pointers() {
    memory.begin();
    long list = memory.pointer(listAddress);
    long count = memory.value(list, layout.thread().listLength());
    long threads = memory.value(list, layout.thread().listThreads());
    if (!memory.ok() || count < 0) {
      return new byte[0];
    }
    byte[] pointers = new byte[8 * (int) Math.min(count, THREADS_MAX)];
    return memory.bytes(threads, pointers, 0, pointers.length) ? pointers : new byte[0];
  }

  @Override
  public boolean each(Visitor visitor) {
    byte[] pointers = pointers();
    shown = pointers;
    if (pointers.length == 0) {
      return false;
    }
    for (int at = 0; at < pointers.length; at += 8) {
      long javaThread = Bytes.i64(pointers, at);
      memory.begin();
      int tid = osThreadId(javaThread);
      if (memory.ok() && tid > 0) {
        visitor.thread(tid, javaThread);
      }
    }
    return true;
  }

  @Override
  public String name(long javaThread) {
    if (!offsetsKnown()) {
      return "";
    }
    memory.begin();
    long thread = threadObject(javaThread);
    if (!memory.ok() || !isInstance(thread, memory.pointer(threadKlassAddress))) {
      return "";
    }
    long name = oops.reference(thread, threadName);
    long stringKlass = memory.pointer(stringKlassAddress);
    if (name == 0 || oops.klass(name) != stringKlass || !memory.ok()) {
      return "";
    }
    boolean utf16 = memory.u8(name + stringCoder) != 0;
    long value = oops.reference(name, stringValue);
    String text = oops.text(value, utf16);
    boolean unmoved =
        threadObject(javaThread) == thread && oops.reference(thread, threadName) == name;
    return memory.ok() && unmoved ? text : "";
  }

  private long threadObject(long javaThread) {
    return oops.handle(memory.value(javaThread, layout.thread().threadObj()));
  }

  private boolean isInstance(long object, long wanted) {
    if (object == 0 || wanted == 0) {
      return false;
    }
    long klass = oops.klass(object);
    for (int i = 0; i < SUPERCLASSES_MAX && memory.ok() && klass != 0; i++) {
      if (klass == wanted) {
        return true;
      }
      klass = memory.value(klass, layout.method().klassSuper());
    }
    return false;
  }

  private boolean offsetsKnown() {
    if (threadName == 0 || stringValue == 0 || stringCoder == 0) {
      memory.begin();
      long thread = memory.pointer(threadKlassAddress);
      long string = memory.pointer(stringKlassAddress);
      threadName = offset(thread, "name", LibjvmNames.THREAD_NAME_OFFSET);
      stringValue = offset(string, "value", LibjvmNames.STRING_VALUE_OFFSET);
      stringCoder = offset(string, "coder", LibjvmNames.STRING_CODER_OFFSET);
    }
    return threadName != 0 && stringValue != 0 && stringCoder != 0;
  }

  private int offset(long klass, String field, String symbol) {
    OptionalInt offset = fields.of(klass, field, symbol);
    return offset.orElse(0);
  }
}
