package io.jebpf.bpf;

/**
 * Offsets, sizes and limits of {@code jebpf_types.h}, in bytes. A test compares each with the BTF
 * of the compiled object and with the text of the header.
 */
final class Layout {
  // struct jebpf_sample
  static final int SAMPLE_TYPE = 0;
  static final int SAMPLE_SIZE = 4;
  static final int SAMPLE_TIME = 8;
  static final int SAMPLE_WEIGHT = 16;
  static final int SAMPLE_THREAD_START = 24;
  static final int SAMPLE_JAVA_THREAD = 32;
  static final int SAMPLE_TID = 40;
  static final int SAMPLE_CPU = 44;
  static final int SAMPLE_WALK = 48;
  static final int SAMPLE_KERNEL_FRAMES = 52;
  static final int SAMPLE_USER_FRAMES = 54;
  static final int SAMPLE_END = 56;
  static final int SAMPLE_COMM = 64;
  static final int SAMPLE_BYTES = 80;
  static final int RECORD_SAMPLE = 1;
  static final int COMM_BYTES = 16;

  // struct jebpf_frame
  static final int FRAME_HEAD = 0;
  static final int FRAME_DETAIL = 8;
  static final int FRAME_BYTES = 16;

  // struct jebpf_target
  static final int TARGET_TGID = 0;
  static final int TARGET_HALF = 4;
  static final int TARGET_COUNT = 8;
  static final int TARGET_GENERATION = 16;
  static final int TARGET_PERIOD = 24;
  static final int TARGET_BYTES = 32;

  // struct jebpf_mapping
  static final int MAPPING_START = 0;
  static final int MAPPING_END = 8;
  static final int MAPPING_BIAS = 16;
  static final int MAPPING_MODULE = 24;
  static final int MAPPING_TABLE = 28;
  static final int MAPPING_ROWS = 32;
  static final int MAPPING_FLAGS = 36;
  static final int MAPPING_BYTES = 40;

  // struct jebpf_rule
  static final int RULE_CFA_OFFSET = 0;
  static final int RULE_RBP_OFFSET = 4;
  static final int RULE_RA_OFFSET = 8;
  static final int RULE_CFA = 12;
  static final int RULE_RBP = 13;
  static final int RULE_BYTES = 16;

  // struct jebpf_row
  static final int ROW_START = 0;
  static final int ROW_RULE = 4;
  static final int ROW_BYTES = 8;

  // struct jebpf_whoami
  static final int WHOAMI_TGID = 0;
  static final int WHOAMI_TID = 4;
  static final int WHOAMI_NS_TGID = 8;
  static final int WHOAMI_NS_TID = 12;
  static final int WHOAMI_BYTES = 16;

  // limits
  static final int MAPPINGS_MAX = 8192;
  static final int TABLES_MAX = 1024;
  static final int TABLE_ROWS_MAX = 1 << 20;
  static final int RULES_MAX = 8192;
  static final int STAT_COUNT = 32;

  private Layout() {}
}
