package io.jebpf.agent.context;

import io.jebpf.bpf.ContextTable;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Gives slots back whose thread ended without closing its scopes, and lets go of threads that need
 * not be known any more. Of virtual threads the hook leaves the thread that took a slot (see {@code
 * JebpfContext}); of platform threads the JVM has a list. Owner: thread "jebpf-reader".
 *
 * <p>A slot can be taken from a thread that has ended by anybody, from a living one by nobody.
 */
final class ContextSlots {
  private static final VarHandle HOLDER = MethodHandles.arrayElementVarHandle(Object[].class);

  /** Threads that a pass has room for beyond those that were just counted. */
  private static final int NEW_THREADS = 64;

  private final ContextTable table;
  private final Object[] holders;
  private Map<Integer, Long> platform = new HashMap<>(); // owners by slot at the last pass

  ContextSlots(ContextTable table, Object[] holders) {
    this.table = table;
    this.holders = holders;
  }

  /** Looks at every slot; returns how many were given back. Takes about 0.2 ms. */
  int reclaim() {
    int reclaimed = 0;
    Map<Integer, Long> before = platform;
    platform = new HashMap<>();
    for (int slot = 0; slot < ContextTable.SLOTS; slot++) {
      long owner = table.owner(slot);
      if (owner == 0) {
        forget(slot);
      } else {
        reclaimed += look(slot, owner) ? 1 : 0;
      }
    }
    before.entrySet().retainAll(platform.entrySet()); // most scopes are shorter
    return reclaimed + (before.isEmpty() ? 0 : reclaimPlatform(before));
  }

  /** Nobody takes slots any more: keeps no thread from the collector. */
  void letGo() {
    for (int slot = 0; slot < holders.length; slot++) {
      holders[slot] = null;
    }
  }

  /** A free slot's last thread is not to be kept from the collector. */
  private void forget(int slot) {
    if (holders[slot] != null && table.seize(slot, 0)) {
      holders[slot] = null;
      table.free(slot);
    }
  }

  /** A slot in use; true when it is not any more. */
  private boolean look(int slot, long owner) {
    Object holder = holders[slot];
    Object known = holder instanceof WeakReference<?> weak ? weak.get() : holder;
    if (holder instanceof WeakReference<?> && known == null) {
      return giveBack(slot, owner); // what is collected has ended, or never goes on
    }
    if (!(known instanceof Thread thread) || thread.threadId() != owner) {
      platform.put(slot, owner);
      return false;
    }
    if (!thread.isAlive()) {
      return giveBack(slot, owner);
    }
    if (holder == known) { // a thread that nobody else knows must not live because of us
      HOLDER.compareAndSet(holders, slot, holder, new WeakReference<>(thread));
    }
    return false;
  }

  private boolean giveBack(int slot, long owner) {
    long tid = table.pointingThread(slot);
    if (tid != 0 && Files.exists(Path.of("/proc/self/task/" + tid))) {
      table.empty(slot); // of native code that is no Java thread any more, or about to end
      return false;
    }
    if (!table.seize(slot, owner)) {
      return false;
    }
    holders[slot] = null;
    table.free(slot);
    return true;
  }

  /** Whoever had a slot before the threads were listed, and is not on the list, has ended. */
  private int reclaimPlatform(Map<Integer, Long> suspects) {
    Set<Long> living = living();
    int reclaimed = 0;
    for (Map.Entry<Integer, Long> suspect : suspects.entrySet()) {
      if (!living.contains(suspect.getValue())) {
        reclaimed += giveBack(suspect.getKey(), suspect.getValue()) ? 1 : 0;
      }
    }
    return reclaimed;
  }

  private static Set<Long> living() {
    ThreadGroup all = Thread.currentThread().getThreadGroup();
    while (all.getParent() != null) {
      all = all.getParent();
    }
    Thread[] threads = {};
    int count = 0;
    while (count == threads.length) { // a full array may be too short
      threads = new Thread[Math.max(all.activeCount(), count) + NEW_THREADS];
      count = all.enumerate(threads, true);
    }
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < count; i++) {
      ids.add(threads[i].threadId());
    }
    return ids;
  }
}
