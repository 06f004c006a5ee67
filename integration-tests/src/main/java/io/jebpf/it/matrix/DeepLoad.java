package io.jebpf.it.matrix;

/** Recursion of 2,000 frames of different sizes, with work at the bottom and on the way. */
final class DeepLoad implements Workload {
  private static final int DEPTH = 2000;

  @Override
  public void round() {
    MatrixLoad.sink += one(DEPTH, 1);
  }

  private static long one(int depth, long x) {
    return depth == 0 ? MatrixLoad.burn(x, 200_000) : two(depth - 1, x, 2, 3, 4, 5, 6, 7) + 1;
  }

  private static long two(int depth, long x, long a, long b, long c, long d, double e, double f) {
    return depth == 0
        ? MatrixLoad.burn(x + a + b, 200_000)
        : three(depth - 1, new long[] {x, c, d}) + (long) (e * f);
  }

  private static long three(int depth, long[] x) {
    return depth == 0 ? MatrixLoad.burn(x[0], 200_000) : one(depth - 1, x[0] + x[1]) ^ x[2];
  }
}
