package io.jebpf.bpf;

import java.nio.ByteBuffer;

/**
 * What we use of libbpf, as plain numbers: pointers are {@code long}, every result that is negative
 * is {@code -errno}. Implemented by {@link Libbpf}; tests wrap it to make single calls fail.
 */
interface BpfCalls {
  /** Parses an object file: a {@code struct bpf_object *}. The bytes are not needed afterwards. */
  long objectOpen(byte[] elf, String name);

  int objectLoad(long object);

  void objectClose(long object);

  /** The object's BTF in its raw form; empty when it has none. */
  byte[] objectBtf(long object);

  /** A {@code struct bpf_map *}. */
  long findMap(long object, String name);

  int mapFd(long map);

  int mapEntries(long map);

  int mapSetEntries(long map, int entries);

  /**
   * Initial value of a global data section, to be changed before load; empty when there is none.
   */
  ByteBuffer mapInitialValue(long map);

  /** A {@code struct bpf_program *}. */
  long findProgram(long object, String name);

  int programFd(long program);

  /** Whether an object's load takes this program along; before load. */
  int setAutoload(long program, boolean load);

  /** Attaches a BTF tracepoint program: an fd that, closed, detaches it. */
  int attachTracepoint(int programFd);

  /**
   * Binds a task iterator program to the threads of a process: an fd of the link. Kernels before
   * 6.1 know no such choice and refuse it.
   */
  int linkTaskIterator(int programFd, int pid);

  /** Makes an iterator program of those that take no choice: an fd of the link. */
  int linkIterator(int programFd);

  /** A new run of an iterator: an fd to read from. It outlives link and program. */
  int createIterator(int linkFd);

  int mapCreate(int type, String name, int keyBytes, int valueBytes, int entries, int flags);

  int mapUpdate(int fd, int key, int value);

  /** Several updates in one call; kernels before 5.17 refuse it for maps of maps. */
  int mapUpdateBatch(int fd, int[] keys, int[] values);

  int mapDelete(int fd, int key);

  /** Puts a value into a queue. */
  int queuePush(int fd, int value);

  int mapLookup(int fd, int key, byte[] value);

  /** Runs a program of type syscall on this thread, without context: its return value. */
  int testRun(int programFd);

  int possibleCpus();

  /** 1: the kernel can load programs of this type. 0: it can not, or does not let us. */
  int probeProgram(int type);

  /**
   * 1: programs of this type may call the helper. 0: not. Trustworthy only when {@link
   * #probeProgram} says 1.
   */
  int probeHelper(int programType, int helper);

  /** What libbpf printed since the last call, at most the newest 64 KiB. */
  String takeLog();
}
