package io.jebpf.it.matrix;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Virtual threads: deep stacks frozen and thawed piece by piece, storms of yields, pinned by a
 * native frame, locks, and stacks that grow and shrink between yields.
 */
final class VirtualLoad implements Workload {
  private final ReentrantLock lock = new ReentrantLock();
  private final Object monitor = new Object();

  @Override
  public void round() throws InterruptedException {
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      int turn = i;
      threads.add(Thread.ofVirtual().name("v" + i).start(() -> body(turn)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private void body(int turn) {
    switch (turn % 8) {
      case 0 -> MatrixLoad.sink += deep(300, 20);
      case 1 -> storm(200);
      case 2 -> locked(50);
      case 3 -> MatrixLoad.sink += sleeping(40);
      case 4 -> MatrixLoad.sink += wave(100);
      case 5 -> MatrixLoad.sink += pinned(30);
      case 6 -> nested(3);
      default -> MatrixLoad.sink += deep(60, 60);
    }
  }

  /** Yields at the bottom, then burns on the way back through frames that are thawed one by one. */
  private static long deep(int depth, int yields) {
    if (depth > 0) {
      long x = deep(depth - 1, yields);
      return MatrixLoad.burn(x, 20) + 1;
    }
    long x = 0;
    for (int i = 0; i < yields; i++) {
      Thread.yield();
      x += up(20, i);
    }
    return x;
  }

  private static long up(int depth, long x) {
    return depth == 0 ? MatrixLoad.burn(x, 200) : up(depth - 1, x) + 1;
  }

  private static void storm(int yields) {
    for (int i = 0; i < yields; i++) {
      Thread.yield();
    }
  }

  private void locked(int rounds) {
    for (int i = 0; i < rounds; i++) {
      lock.lock();
      try {
        MatrixLoad.burn(i, 100);
        Thread.yield();
      } finally {
        lock.unlock();
      }
    }
  }

  private static long sleeping(int depth) {
    if (depth == 0) {
      LockSupport.parkNanos(1000);
      return MatrixLoad.burn(1, 200);
    }
    return sleeping(depth - 1) + 1;
  }

  /** The stack grows and shrinks between yields: chunks are filled and emptied in part. */
  private static long wave(int rounds) {
    long x = 0;
    for (int i = 0; i < rounds; i++) {
      x += crest(i % 37, i);
    }
    return x;
  }

  private static long crest(int depth, int turn) {
    if (depth == 0) {
      Thread.yield();
      return MatrixLoad.burn(turn, 50);
    }
    long x = crest(depth - 1, turn);
    if (depth % 5 == 0) {
      Thread.yield();
    }
    return MatrixLoad.burn(x, 10);
  }

  /** Yields under a monitor and below a frame that is not frozen where monitors pin. */
  private long pinned(int depth) {
    synchronized (monitor) {
      if (depth == 0) {
        Thread.yield();
        return MatrixLoad.burn(1, 300);
      }
      return pinned(depth - 1) + 1;
    }
  }

  private static void nested(int depth) {
    if (depth == 0) {
      MatrixLoad.burn(1, 500);
      return;
    }
    Thread inner = Thread.ofVirtual().start(() -> nested(depth - 1));
    try {
      inner.join();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
