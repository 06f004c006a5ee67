package io.jebpf.bpf;

/**
 * One executable mapping of the process, as the kernel programs need it ({@code struct
 * jebpf_mapping}).
 *
 * @param end exclusive
 * @param bias what to subtract from a pc to get the ELF virtual address
 * @param module number of the file, never reused; 0 for none
 * @param table unwind table, from {@link UnwindTables#add}; 0 for none
 * @param rows rows of that table
 * @param flags JEBPF_MAPPING_*: {@link #FRAME_POINTERS}
 */
public record KernelMapping(
    long start, long end, long bias, int module, int table, int rows, int flags) {
  /** The code keeps rbp frames: follow them where no rule is found. */
  public static final int FRAME_POINTERS = 1;
}
