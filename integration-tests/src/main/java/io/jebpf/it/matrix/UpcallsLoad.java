package io.jebpf.it.matrix;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Downcalls by java.lang.foreign whose function calls Java back, nested several times: libc's qsort
 * with a comparator in Java that itself sorts. By reflection, because these sources are compiled
 * for a release in which that package is a preview.
 */
final class UpcallsLoad implements Workload {
  private static final String FOREIGN = "java.lang.foreign.";
  private static final int VALUES = 24;
  private static final int NESTED = 3;

  private static Object[] arrays; // one segment of ints per level
  private static MethodHandle sort; // (segment, long, long, segment)void
  private static Object comparator;
  private static int level;

  UpcallsLoad() throws ReflectiveOperationException {
    Class<?> linkerType = Class.forName(FOREIGN + "Linker");
    Class<?> segment = Class.forName(FOREIGN + "MemorySegment");
    Class<?> layout = Class.forName(FOREIGN + "MemoryLayout");
    Class<?> values = Class.forName(FOREIGN + "ValueLayout");
    Class<?> descriptor = Class.forName(FOREIGN + "FunctionDescriptor");
    Class<?> arenaType = Class.forName(FOREIGN + "Arena");
    Class<?> options = Class.forName(FOREIGN + "Linker$Option");
    Object linker = linkerType.getMethod("nativeLinker").invoke(null);
    Object arena = arenaType.getMethod("global").invoke(null);
    Object address = values.getField("ADDRESS").get(null);
    Object longs = values.getField("JAVA_LONG").get(null);
    Object ints = values.getField("JAVA_INT").get(null);
    Method ofVoid = descriptor.getMethod("ofVoid", layout.arrayType());
    Method of = descriptor.getMethod("of", layout, layout.arrayType());
    Object none = Array.newInstance(options, 0);

    Object lookup = linkerType.getMethod("defaultLookup").invoke(linker);
    Optional<?> found =
        (Optional<?>)
            Class.forName(FOREIGN + "SymbolLookup")
                .getMethod("find", String.class)
                .invoke(lookup, "qsort");
    Object shape = ofVoid.invoke(null, layouts(layout, address, longs, longs, address));
    sort =
        ((MethodHandle)
                linkerType
                    .getMethod("downcallHandle", segment, descriptor, options.arrayType())
                    .invoke(linker, found.orElseThrow(NoSuchElementException::new), shape, none))
            .asType(
                MethodType.methodType(
                    void.class, Object.class, long.class, long.class, Object.class));
    MethodHandle compare =
        MethodHandles.lookup()
            .findStatic(
                UpcallsLoad.class,
                "compare",
                MethodType.methodType(int.class, Object.class, Object.class))
            .asType(MethodType.methodType(int.class, segment, segment));
    Object compared = of.invoke(null, ints, layouts(layout, address, address));
    comparator =
        linkerType
            .getMethod("upcallStub", MethodHandle.class, descriptor, arenaType, options.arrayType())
            .invoke(linker, compare, compared, arena, none);
    Method allocate = arenaType.getMethod("allocate", long.class, long.class);
    arrays = Stream.generate(() -> allocated(allocate, arena)).limit(NESTED + 1).toArray();
  }

  private static Object layouts(Class<?> layout, Object... each) {
    Object array = Array.newInstance(layout, each.length);
    System.arraycopy(each, 0, array, 0, each.length);
    return array;
  }

  private static Object allocated(Method allocate, Object arena) {
    try {
      return allocate.invoke(arena, VALUES * 4L, 8L);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void round() throws Throwable {
    level = 0;
    sortLevel(VALUES);
  }

  private static void sortLevel(int count) throws Throwable {
    sort.invokeExact(arrays[level], (long) count, 4L, comparator);
  }

  /** Called by qsort, and calls it, until the innermost level. */
  static int compare(Object a, Object b) {
    if (level < NESTED) {
      level++;
      try {
        sortLevel(level == NESTED ? VALUES : 3);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      } finally {
        level--;
      }
    }
    return (int) MatrixLoad.burn(level, 20) & 1;
  }
}
