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
  static final int SAMPLE_STATE = 57;
  static final int SAMPLE_CONTEXT_BYTES = 58;
  static final int SAMPLE_VIRTUAL_NAME_BYTES = 60;
  static final int SAMPLE_VIRTUAL_NAME_FLAGS = 61;
  static final int SAMPLE_WAIT_START = 64;
  static final int SAMPLE_VIRTUAL_THREAD = 72;
  static final int SAMPLE_COMM = 80;
  static final int SAMPLE_VIRTUAL_NAME = 96;
  static final int SAMPLE_BYTES = 160;
  static final int RECORD_SAMPLE = 1;
  static final int RECORD_WAIT = 2;
  static final int RECORD_WAIT_END = 3;
  static final int RECORD_WAKER = 4;
  static final int RECORD_PARK = 8;
  static final int COMM_BYTES = 16;
  static final int VIRTUAL_NAME_BYTES = 64;
  static final int NAME_UTF16 = 1;
  static final int NAME_CUT = 2;
  static final int NAME_UNREAD = 4;

  // struct jebpf_wait_end
  static final int WAIT_END_SIZE = 4;
  static final int WAIT_END_START = 8;
  static final int WAIT_END_WOKEN = 16;
  static final int WAIT_END_END = 24;
  static final int WAIT_END_THREAD_START = 32;
  static final int WAIT_END_TID = 40;
  static final int WAIT_END_TICK = 44;
  static final int WAIT_END_WAKER_TID = 48;
  static final int WAIT_END_WAKER_SLOT = 52;
  static final int WAIT_END_WAKER_COMM = 56;
  static final int WAIT_END_BYTES = 72;

  // struct jebpf_park
  static final int PARK_PARKED = 0;
  static final int PARK_QUEUED = 8;
  static final int PARK_THIN = 16;
  static final int PARK_START = 24;
  static final int PARK_PERIOD = 32;
  static final int PARK_COPIES = 40;
  static final int PARK_KIND = 48;
  static final int PARK_BYTES = 56;

  // struct jebpf_clock
  static final int CLOCK_SEQUENCE = 0;
  static final int CLOCK_STATE = 4;
  static final int CLOCK_QUIET = 7;
  static final int CLOCK_SINCE = 8;
  static final int CLOCK_WAITED = 16;
  static final int CLOCK_WAKEUPS = 60;
  static final int CLOCK_FIRST = 64;
  static final int CLOCK_THREAD_START = 72;
  static final int CLOCK_WOKEN = 88;
  static final int CLOCK_TID = 96;
  static final int CLOCK_KERNEL_TID = 100;
  static final int CLOCK_COMM = 112;
  static final int CLOCK_BYTES = 128;
  static final int CLOCK_STATES = 8;
  static final int WAIT_STATES = 4; // from RUNNABLE on

  // struct jebpf_frame
  static final int FRAME_HEAD = 0;
  static final int FRAME_DETAIL = 8;
  static final int FRAME_BYTES = 16;

  // struct jebpf_context, and the table of them
  static final int CONTEXT_TRACE_ID = 0;
  static final int CONTEXT_SPAN_ID = 16;
  static final int CONTEXT_VALID = 24;
  static final int CONTEXT_FLAGS = 25;
  static final int CONTEXT_ATTRIBUTES_BYTES = 26;
  static final int CONTEXT_ATTRIBUTES = 28;
  static final int CONTEXT_BYTES = 256;
  static final int CONTEXT_TEXT_IDS = 0x80;

  // struct jebpf_text_context
  static final int TEXT_CONTEXT_TRACE = 32;
  static final int TEXT_CONTEXT_SPAN = 64;
  static final int TEXT_CONTEXT_ATTRIBUTES = 80;

  // struct jebpf_target
  static final int TARGET_TGID = 0;
  static final int TARGET_HALF = 4;
  static final int TARGET_COUNT = 8;
  static final int TARGET_GENERATION = 16;
  static final int TARGET_CLOCKS_TGID = 20;
  static final int TARGET_PERIOD = 24;
  static final int TARGET_CLOCKS_START = 32;
  static final int TARGET_READER_ASLEEP = 40;
  static final int TARGET_BYTES = 48;

  // struct jebpf_list
  static final int LIST_CLOCKS_USED = 16;
  static final int LIST_BYTES = 64;

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
  static final int CLOCKS_MAX = 16384;
  static final int STAT_COUNT = 72;
  static final int INDEX_SHIFT = 12;
  static final int GAP_COUNT = 4;

  private Layout() {}
}
