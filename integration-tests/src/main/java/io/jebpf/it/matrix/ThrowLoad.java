package io.jebpf.it.matrix;

/**
 * Exceptions: through a hundred frames, implicit ones by signal, stack overflow, finally, rethrow.
 */
final class ThrowLoad implements Workload {
  private static final RuntimeException CACHED = new IllegalStateException("cached");

  private int[] none;
  private int zero;
  private int turn;

  @Override
  public void round() {
    for (int i = 0; i < 20; i++) {
      caught(100);
    }
    for (int i = 0; i < 20; i++) {
      MatrixLoad.sink += rethrown(60);
    }
    implicit();
    for (int i = 0; i < 50; i++) {
      caughtCached(50);
    }
    if (turn++ % 64 == 0) {
      MatrixLoad.sink += overflow();
    }
  }

  private static void caught(int depth) {
    try {
      down(depth);
    } catch (IllegalArgumentException expected) {
      MatrixLoad.sink += expected.getStackTrace().length;
    }
  }

  private static void down(int depth) {
    if (depth == 0) {
      throw new IllegalArgumentException("bottom");
    }
    down(depth - 1);
  }

  private static void caughtCached(int depth) {
    try {
      downCached(depth);
    } catch (IllegalStateException expected) {
      MatrixLoad.burn(depth, 10);
    }
  }

  private static void downCached(int depth) {
    if (depth == 0) {
      throw CACHED;
    }
    downCached(depth - 1);
  }

  private static long rethrown(int depth) {
    try {
      return passing(depth);
    } catch (IllegalStateException expected) {
      return 1;
    }
  }

  /** Each frame catches, works and throws on. */
  private static long passing(int depth) {
    try {
      if (depth == 0) {
        throw CACHED;
      }
      return passing(depth - 1) + 1;
    } catch (IllegalStateException passed) {
      MatrixLoad.burn(depth, 30);
      throw passed;
    } finally {
      MatrixLoad.burn(depth, 10);
    }
  }

  private void implicit() {
    for (int i = 0; i < 100; i++) {
      try {
        MatrixLoad.sink += none[i];
      } catch (NullPointerException expected) {
        MatrixLoad.sink++;
      }
      try {
        MatrixLoad.sink += i / zero;
      } catch (ArithmeticException expected) {
        MatrixLoad.sink++;
      }
      try {
        MatrixLoad.sink += new int[3][i + 3].length + new int[i][1][3].length;
      } catch (ArrayIndexOutOfBoundsException | NegativeArraySizeException expected) {
        MatrixLoad.sink++;
      }
      try {
        Object text = i % 2 == 0 ? "text" : Integer.valueOf(i);
        MatrixLoad.sink += ((String) text).length();
      } catch (ClassCastException expected) {
        MatrixLoad.sink++;
      }
    }
  }

  private static long overflow() {
    try {
      return endless(1);
    } catch (StackOverflowError expected) {
      return 1;
    }
  }

  private static long endless(long x) {
    return endless(MatrixLoad.burn(x, 3)) + 1;
  }
}
