package io.jebpf.symbolizer.elf;

/** The machines we read code of, with the DWARF numbers of the registers an unwinder needs. */
public enum ElfMachine {
  X86_64(62, 7, 6, 16, 16),
  /** Unverified: nothing of it was run yet. */
  AARCH64(183, 31, 29, 30, 1028);

  final int elfNumber;
  private final int stackPointer;
  private final int framePointer;
  private final int returnAddress;
  private final int tlsModuleRelocation;

  ElfMachine(int elfNumber, int stackPointer, int framePointer, int returnAddress, int tlsModule) {
    this.elfNumber = elfNumber;
    this.stackPointer = stackPointer;
    this.framePointer = framePointer;
    this.returnAddress = returnAddress;
    this.tlsModuleRelocation = tlsModule;
  }

  /** DWARF number of the stack pointer (rsp, sp). */
  public int stackPointer() {
    return stackPointer;
  }

  /** DWARF number of the frame pointer (rbp, x29). */
  public int framePointer() {
    return framePointer;
  }

  /** DWARF number of the column that holds the return address (rip, x30). */
  public int returnAddress() {
    return returnAddress;
  }

  /** Relocation type DTPMOD64: the slot holds the TLS module number of the object. */
  int tlsModuleRelocation() {
    return tlsModuleRelocation;
  }
}
