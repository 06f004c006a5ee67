package io.jebpf.symbolizer.modules;

import io.jebpf.symbolizer.elf.ElfFunctions;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfMachine;
import io.jebpf.symbolizer.elf.ElfSymbol;
import io.jebpf.symbolizer.elf.ElfSymbols;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * Recognises functions in a stripped glibc (x86-64) by what they do: the two at the root of each
 * thread's stack, and those in which threads wait for each other.
 *
 * <pre>
 *   pthread_create or a function it calls:   lea reg,[start_thread] ... call __clone_internal
 *   __clone_internal:                        call clone3
 *   clone3:                                  mov eax,435; syscall
 *   below pthread_cond_wait and its like:    mov eax,202; syscall
 * </pre>
 */
final class GlibcThreads {
  private static final int FUNCTION_BYTES_MAX = 16_384;
  private static final int CALLS_MAX = 256;

  /** Between taking start_thread's address and the call that passes it on. */
  private static final int ARGUMENT_REACH = 96;

  private static final int FUTEX = 202;

  /** Between the number of a system call and the call. */
  private static final int NUMBER_REACH = 16;

  /** From the system call's number to the last part of the function; the next one is further. */
  private static final int CLONE3_BEFORE = 36;

  private static final byte[] CLONE3_CALL = {(byte) 0xb8, (byte) 0xb3, 1, 0, 0, 0x0f, 0x05};

  private GlibcThreads() {}

  /**
   * clone3 has three unwind entries, with a gap at the system call; the child's part and the error
   * part come after it.
   */
  static boolean isClone3(ElfImage image, ElfFunctions.Function function) {
    long from = function.start() - CLONE3_BEFORE;
    long bytes = Math.min(function.end() + CLONE3_CALL.length - from, FUNCTION_BYTES_MAX);
    byte[] code = new byte[(int) bytes];
    if (!image.read(from, code, 0, code.length)) {
      return false;
    }
    for (int at = 0; at + CLONE3_CALL.length <= code.length; at++) {
      int same = 0;
      while (same < CLONE3_CALL.length && code[at + same] == CLONE3_CALL[same]) {
        same++;
      }
      if (same == CLONE3_CALL.length) {
        return true;
      }
    }
    return false;
  }

  /** Whether the function makes system calls, and all of them are futex. */
  static boolean isFutexCall(ElfImage image, ElfFunctions.Function function) {
    byte[] code = code(image, function);
    boolean found = false;
    for (int at = 0; at + 7 <= code.length; at++) {
      if (code[at] == (byte) 0xb8 && i32(code, at + 1) >>> 10 == 0) { // mov eax,number
        int end = Math.min(code.length - 2, at + NUMBER_REACH);
        for (int call = at + 5; call <= end; call++) {
          if (code[call] == 0x0f && code[call + 1] == 0x05) {
            if (i32(code, at + 1) != FUTEX) {
              return false;
            }
            found = true;
            break;
          }
        }
      }
    }
    return found;
  }

  /** Virtual address of start_thread; 0 when it is not found exactly once. */
  static long startThread(ElfImage image) {
    Optional<ElfSymbol> create = ElfSymbols.find(image, "pthread_create");
    if (image.machine() != ElfMachine.X86_64 || create.isEmpty()) {
      return 0;
    }
    Optional<ElfFunctions.Function> entry = ElfFunctions.at(image, create.get().value());
    if (entry.isEmpty()) {
      return 0;
    }
    Set<Long> found = new HashSet<>();
    addStarts(image, entry.get(), found);
    for (long callee : calls(image, entry.get())) {
      ElfFunctions.at(image, callee).ifPresent(function -> addStarts(image, function, found));
    }
    return found.size() == 1 ? found.iterator().next() : 0;
  }

  /** Functions whose address is taken shortly before a call that leads to clone3. */
  private static void addStarts(ElfImage image, ElfFunctions.Function function, Set<Long> found) {
    byte[] code = code(image, function);
    for (int at = 0; at + 7 <= code.length; at++) {
      boolean lea = (code[at] & 0xfb) == 0x48 && code[at + 1] == (byte) 0x8d;
      if (lea && (code[at + 2] & 0xc7) == 5) {
        long target = function.start() + at + 7 + i32(code, at + 3);
        boolean isStart =
            image.isCode(target)
                && ElfFunctions.at(image, target).filter(f -> f.start() == target).isPresent();
        if (isStart && leadsToClone(image, function, code, at + 7)) {
          found.add(target);
        }
      }
    }
  }

  private static boolean leadsToClone(
      ElfImage image, ElfFunctions.Function function, byte[] code, int from) {
    int end = Math.min(code.length, from + ARGUMENT_REACH) - 5;
    for (int at = from; at <= end; at++) {
      long callee = callee(function, code, at);
      if (callee != 0 && image.isCode(callee)) {
        Optional<ElfFunctions.Function> called = ElfFunctions.at(image, callee);
        if (called.isPresent() && called.get().start() == callee) {
          for (long next : calls(image, called.get())) {
            if (ElfFunctions.at(image, next).filter(f -> isClone3(image, f)).isPresent()) {
              return true;
            }
          }
        }
      }
    }
    return false;
  }

  /** Targets of direct calls: of what looks like one, those that hit a function's start. */
  private static Set<Long> calls(ElfImage image, ElfFunctions.Function function) {
    byte[] code = code(image, function);
    Set<Long> targets = new HashSet<>();
    for (int at = 0; at + 5 <= code.length && targets.size() < CALLS_MAX; at++) {
      long target = callee(function, code, at);
      if (target != 0
          && image.isCode(target)
          && ElfFunctions.at(image, target).filter(f -> f.start() == target).isPresent()) {
        targets.add(target);
      }
    }
    return targets;
  }

  private static long callee(ElfFunctions.Function function, byte[] code, int at) {
    return code[at] == (byte) 0xe8 ? function.start() + at + 5 + i32(code, at + 1) : 0;
  }

  private static byte[] code(ElfImage image, ElfFunctions.Function function) {
    long bytes = Math.min(function.end() - function.start(), FUNCTION_BYTES_MAX);
    byte[] code = new byte[(int) bytes];
    return image.read(function.start(), code, 0, code.length) ? code : new byte[0];
  }

  private static int i32(byte[] code, int at) {
    return code[at] & 0xff
        | (code[at + 1] & 0xff) << 8
        | (code[at + 2] & 0xff) << 16
        | code[at + 3] << 24;
  }
}
