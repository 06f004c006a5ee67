package io.jebpf.it.matrix;

/**
 * Native methods of libraries with and without call frame information, critical sections, Java
 * called from native code, exceptions through native frames.
 */
final class JniLoad implements Workload {
  JniLoad() {
    System.load(MatrixLoad.library);
  }

  @Override
  public void round() {
    MatrixLoad.sink += plain(30, 300);
    MatrixLoad.sink += nested(12, 5);
    MatrixLoad.sink += critical(new int[500]);
    for (int i = 0; i < 20; i++) {
      try {
        MatrixLoad.sink += nested(10, -1);
      } catch (IllegalStateException expected) {
        MatrixLoad.sink++;
      }
    }
    byte[] bytes = new byte[100];
    for (int i = 0; i < 50; i++) {
      MatrixLoad.sink += many(i, 2.0, this, 3, 4L, 5.0f, bytes, 6, 7, 8, 9L, 10.0);
    }
  }

  /** Recurses in C, then burns. */
  static native long plain(int depth, int steps);

  /** Java and C in turn, {@code depth} times; at the end Java burns, or throws when negative. */
  static native long nested(int depth, int kind);

  static native long critical(int[] values);

  static synchronized native long many(
      int a,
      double b,
      Object c,
      int d,
      long e,
      float f,
      byte[] g,
      int h,
      int i,
      int j,
      long k,
      double l);

  /** Called from C. */
  static long back(int depth, int kind) {
    if (depth > 0) {
      return nested(depth - 1, kind) + 1;
    }
    if (kind < 0) {
      throw new IllegalStateException("through native frames");
    }
    return MatrixLoad.burn(depth, 500);
  }
}
