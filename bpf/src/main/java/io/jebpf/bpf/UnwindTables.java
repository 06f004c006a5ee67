package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Unwind tables in the kernel: the rules shared by all, and one inner map of rows per file. Owner:
 * one thread. Closed with its {@link KernelPrograms}, which frees all tables.
 */
public final class UnwindTables {
  private static final int MAP_TYPE_ARRAY = 2;
  private static final int MMAPABLE = 1 << 10; // BPF_F_MMAPABLE
  private static final int INNER_MAP =
      1 << 12; // BPF_F_INNER_MAP: each inner map may have its own size

  /** A program that is not position independent lies at 4 MiB: 1,024 pages and its own. */
  private static final int INDEX_PAGES_SMALL = 8192;

  private record Rule(int cfa, int cfaOffset, int rbp, int rbpOffset, int raOffset) {}

  private final KernelCalls kernel;
  private final BpfCalls bpf;
  private final ByteBuffer rules;
  private final int outerFd;
  private final Map<Rule, Integer> known = new HashMap<>();

  /**
   * Oldest free number first: a walk that is going on may still hold the number of a removed table.
   */
  private final ArrayDeque<Integer> free = new ArrayDeque<>();

  /** A table that waits for {@link #commit}. */
  private record Staged(int number, int fd) {}

  private final List<Staged> stage = new ArrayList<>();
  private boolean batching;
  private int nextRule = 1; // 0 is "no rule"
  private int nextTable = 1; // 0 is "no table"
  private long rulesRefused;
  private volatile boolean closed;

  UnwindTables(KernelCalls kernel, BpfCalls bpf, ByteBuffer rules, int outerFd) {
    this.kernel = kernel;
    this.bpf = bpf;
    this.rules = rules;
    this.outerFd = outerFd;
    known.put(new Rule(0, 0, 0, 0, 0), 0);
  }

  /**
   * Number of a rule, the same for the same rule. When there are more than 8,191 different ones: 0,
   * "no rule" (such pcs then end a walk with that reason), and {@link #rulesRefused} counts.
   *
   * @param cfa enum jebpf_cfa; 0 gives rule 0
   * @param rbp enum jebpf_rbp
   */
  public int rule(int cfa, int cfaOffset, int rbp, int rbpOffset, int raOffset) {
    if (cfa == 0) {
      return 0;
    }
    Rule rule = new Rule(cfa, cfaOffset, rbp, rbpOffset, raOffset);
    Integer old = known.get(rule);
    if (old != null) {
      return old;
    }
    if (nextRule == Layout.RULES_MAX) {
      rulesRefused++;
      return 0;
    }
    int at = nextRule * Layout.RULE_BYTES;
    rules.putInt(at + Layout.RULE_CFA_OFFSET, cfaOffset);
    rules.putInt(at + Layout.RULE_RBP_OFFSET, rbpOffset);
    rules.putInt(at + Layout.RULE_RA_OFFSET, raOffset);
    rules.put(at + Layout.RULE_CFA, (byte) cfa);
    rules.put(at + Layout.RULE_RBP, (byte) rbp);
    known.put(rule, nextRule);
    return nextRule++;
  }

  /** Calls of {@link #rule} that found the rules full. */
  public long rulesRefused() {
    return rulesRefused;
  }

  /** Different rules in use, rule 0 included. */
  public int rules() {
    return nextRule;
  }

  /** The rows of a table, read one by one: a large table is not copied to be handed over. */
  public interface Rows {
    /** ELF virtual address; ascending (unsigned). */
    int start(int row);

    /** Number from {@link UnwindTables#rule}. */
    int rule(int row);
  }

  /** As {@link #add(Rows, int)}, from arrays. */
  public int add(int[] starts, int[] globalRules, int rows) throws KernelException {
    if (rows > starts.length || rows > globalRules.length) {
      throw new IllegalArgumentException(
          rows + " rows of " + starts.length + " starts and " + globalRules.length + " rules");
    }
    Rows table =
        new Rows() {
          @Override
          public int start(int row) {
            return starts[row];
          }

          @Override
          public int rule(int row) {
            return globalRules[row];
          }
        };
    return add(table, rows);
  }

  /**
   * Puts a table into the kernel. It is complete before any walk can see it.
   *
   * @param rows how many rows it has
   * @return the table's number, for {@link KernelMapping}
   */
  public int add(Rows table, int rows) throws KernelException {
    requireOpen();
    checkRows(table, rows);
    if (nextTable == Layout.TABLES_MAX && free.isEmpty()) {
      throw new KernelException(
          "adding unwind table " + Layout.TABLES_MAX,
          Errno.ENOSPC,
          "the process maps more files with code than jebpf has tables for; stacks end in the"
              + " others");
    }
    int pages = indexPages(table, rows);
    int fd =
        bpf.mapCreate(
            MAP_TYPE_ARRAY,
            "unwind_table",
            Integer.BYTES,
            Layout.ROW_BYTES,
            rows + pages,
            INNER_MAP | MMAPABLE);
    if (fd < 0) {
      throw new KernelException(
          "bpf(BPF_MAP_CREATE, unwind table of " + rows + " rows)", -fd, Advice.forMap(-fd));
    }
    boolean staged = false;
    try {
      fill(fd, table, rows, pages);
      int number = free.isEmpty() ? nextTable : free.peekFirst();
      if (batching) {
        stage.add(new Staged(number, fd));
        staged = true;
      } else {
        put(number, fd);
      }
      if (free.isEmpty()) {
        nextTable++;
      } else {
        free.removeFirst();
      }
      return number;
    } finally {
      if (!staged) {
        kernel.close(fd); // the outer map holds the table
      }
    }
  }

  private void put(int number, int fd) throws KernelException {
    int error = bpf.mapUpdate(outerFd, number, fd);
    if (error < 0) {
      throw new KernelException(
          "bpf(BPF_MAP_UPDATE_ELEM, unwind_tables[" + number + "])", -error, "");
    }
  }

  /**
   * From here to {@link #commit}, tables are collected, and walks do not see them: each call that
   * changes a map of maps makes the kernel wait for every CPU, which was measured at 10 ms.
   */
  public void beginBatch() {
    requireOpen();
    batching = true;
  }

  /** Puts the collected tables into the kernel: all in one call, or one by one where it must be. */
  public void commit() throws KernelException {
    batching = false;
    int[] numbers = new int[stage.size()];
    int[] fds = new int[stage.size()];
    for (int i = 0; i < fds.length; i++) {
      numbers[i] = stage.get(i).number();
      fds[i] = stage.get(i).fd();
    }
    try {
      requireOpen();
      if (fds.length > 0 && bpf.mapUpdateBatch(outerFd, numbers, fds) != 0) {
        for (int i = 0; i < fds.length; i++) {
          put(numbers[i], fds[i]);
        }
      }
    } finally {
      stage.clear();
      for (int fd : fds) {
        kernel.close(fd); // the outer map holds the table
      }
    }
  }

  /**
   * Elements of the index behind the rows; none where addresses are so sparse that it is not worth
   * it.
   */
  private static int indexPages(Rows table, int rows) {
    int pages = (table.start(rows - 1) >>> Layout.INDEX_SHIFT) + 2;
    return pages <= INDEX_PAGES_SMALL || pages <= rows ? pages : 0;
  }

  private void fill(int fd, Rows table, int rows, int pages) throws KernelException {
    long length = (long) (rows + pages) * Layout.ROW_BYTES;
    try (Mmap mapped = Mmap.temporary(kernel, "unwind_table", fd, length)) {
      ByteBuffer out = mapped.buffer();
      int at = 0;
      for (int i = 0; i < rows; i++, at += Layout.ROW_BYTES) {
        out.putInt(at + Layout.ROW_START, table.start(i));
        out.putShort(at + Layout.ROW_RULE, (short) table.rule(i));
      }
      int below = 0;
      for (int page = 0; page < pages; page++, at += Layout.ROW_BYTES) {
        long address = (long) page << Layout.INDEX_SHIFT;
        while (below < rows && Integer.toUnsignedLong(table.start(below)) <= address) {
          below++;
        }
        out.putInt(at + Layout.ROW_START, below);
      }
    }
  }

  private void checkRows(Rows table, int rows) throws KernelException {
    if (rows <= 0) {
      throw new IllegalArgumentException("a table of " + rows + " rows");
    }
    if (rows > Layout.TABLE_ROWS_MAX) {
      throw new KernelException(
          "adding an unwind table of " + rows + " rows",
          Errno.E2BIG,
          "at most " + Layout.TABLE_ROWS_MAX + " are searched; stacks end in this file");
    }
    int before = 0;
    for (int i = 0; i < rows; i++) {
      int rule = table.rule(i);
      int start = table.start(i);
      if (rule < 0 || rule >= nextRule) {
        throw new IllegalArgumentException("row " + i + " names rule " + rule + " of " + nextRule);
      }
      if (i > 0 && Integer.compareUnsigned(start, before) <= 0) {
        throw new IllegalArgumentException("row " + i + " does not start above the row before it");
      }
      before = start;
    }
  }

  /**
   * Removes a table that no mapping names any more. Its number is used again, as late as possible.
   */
  public void remove(int table) {
    requireOpen();
    if (table <= 0 || table >= nextTable || free.contains(table)) {
      throw new IllegalArgumentException("there is no unwind table " + table);
    }
    bpf.mapDelete(outerFd, table); // can fail only if it is gone already
    free.addLast(table);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the unwind tables are closed");
    }
  }

  /** The outer map's fd is about to be closed, and its number may become another's. */
  void close() {
    closed = true;
    stage.forEach(staged -> kernel.close(staged.fd()));
    stage.clear();
  }
}
