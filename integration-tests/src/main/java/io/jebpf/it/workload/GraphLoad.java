package io.jebpf.it.workload;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.LongUnaryOperator;

/**
 * Calls of many shapes. Before the work starts each path runs once with tracing on: its leaf walks
 * the stack with the JVM's own StackWalker and notes every pair "caller:line callee". The notes are
 * written to a file; a profile may contain no other pair. Arguments: seconds of CPU, file for the
 * notes.
 */
public final class GraphLoad {
  private static final StackWalker WALKER =
      StackWalker.getInstance(StackWalker.Option.SHOW_HIDDEN_FRAMES);
  private static final Set<String> CALLS = new TreeSet<>();
  private static boolean tracing;

  private static final List<Shape> SHAPES = List.of(new Circle(), new Square(), new Tilted());

  private GraphLoad() {}

  interface Shape {
    long area(int steps);

    default long twice(int steps) {
      return area(steps) ^ area(steps + 1);
    }
  }

  static class Circle implements Shape {
    @Override
    public long area(int steps) {
      return leaf(steps);
    }
  }

  static class Square implements Shape {
    @Override
    public long area(int steps) {
      return locked(steps) + 1;
    }

    private synchronized long locked(int steps) {
      return leaf(steps);
    }
  }

  static final class Tilted extends Square {
    @Override
    public long area(int steps) {
      return super.area(steps) - 1;
    }
  }

  static final class Built {
    final long value;

    Built(int steps) {
      value = leaf(steps);
    }
  }

  public static void main(String[] args) throws Exception {
    tracing = true;
    rounds(1, 10);
    tracing = false;
    Files.write(Path.of(args[1]), CALLS);
    AgentGate.await();
    long end = Burn.cpuNanos() + Long.parseLong(args[0]) * 1_000_000_000L;
    while (Burn.cpuNanos() < end) {
      rounds(50, 300);
    }
  }

  static void rounds(int times, int steps) {
    for (int i = 0; i < times; i++) {
      round(steps);
    }
  }

  static void round(int steps) {
    long x = even(9, steps) + odd(4, steps);
    for (Shape shape : SHAPES) {
      x += shape.area(steps);
      x += shape.twice(steps);
    }
    x += apply(value -> leaf(steps) + value, x);
    x += apply(GraphLoad::referenced, steps);
    x += new Built(steps).value;
    x += thrown(steps);
    x += streamed(steps);
    x += inner(steps);
    Burn.sink = x;
  }

  static long even(int n, int steps) {
    return n == 0 ? leaf(steps) : odd(n - 1, steps);
  }

  static long odd(int n, int steps) {
    return n == 0 ? leaf(steps) : even(n - 1, steps);
  }

  static long apply(LongUnaryOperator operator, long value) {
    return operator.applyAsLong(value);
  }

  static long referenced(long value) {
    return leaf((int) value);
  }

  static long thrown(int steps) {
    try {
      return throwing(steps);
    } catch (IllegalStateException e) {
      return leaf(steps);
    } finally {
      Burn.sink = leaf(steps);
    }
  }

  static long throwing(int steps) {
    if (leaf(steps) != 0) {
      throw STOP;
    }
    return 0;
  }

  static long streamed(int steps) {
    List<Long> values = new ArrayList<>(List.of(3L, 1L, 2L));
    values.sort((a, b) -> compare(a, b, steps));
    return values.get(0);
  }

  static int compare(long a, long b, int steps) {
    Burn.sink = leaf(steps);
    return Long.compare(a, b);
  }

  static long inner(int steps) {
    long x = 0;
    for (int i = 0; i < 3; i++) {
      x += small(steps);
    }
    return x;
  }

  private static long small(int steps) {
    return smaller(steps) + 1;
  }

  private static long smaller(int steps) {
    return leaf(steps) + 2;
  }

  static long leaf(int steps) {
    if (tracing) {
      trace();
    }
    return work(steps);
  }

  static long work(int steps) {
    long x = Burn.sink | 1;
    for (int i = 0; i < steps; i++) {
      x ^= x << 13;
      x ^= x >>> 7;
      x ^= x << 17;
    }
    return x;
  }

  private static void trace() {
    List<StackWalker.StackFrame> frames = WALKER.walk(stream -> stream.skip(1).toList());
    for (int i = 1; i < frames.size(); i++) {
      StackWalker.StackFrame caller = frames.get(i);
      CALLS.add(name(caller) + ":" + caller.getLineNumber() + " " + name(frames.get(i - 1)));
    }
  }

  private static String name(StackWalker.StackFrame frame) {
    return frame.getClassName() + "." + frame.getMethodName();
  }

  private static final IllegalStateException STOP = new IllegalStateException("stop");
}
