package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Java's constants against the compiler's: BTF of the test object, which includes the shared
 * header.
 */
class LayoutTest {
  private static Btf btf;

  @BeforeAll
  static void parse() {
    BpfCalls bpf = Kernel.runtime().bpf();
    long object = bpf.objectOpen(Kernel.testObject(), "layout");
    assertTrue(object > 0, "opening needs no rights");
    btf = Btf.parse(bpf.objectBtf(object));
    bpf.objectClose(object);
  }

  private static void check(String struct, String field, int offset, int bytes) {
    Btf.Field found = btf.field(btf.struct(struct), field).orElseThrow();
    assertEquals(offset, found.offset(), struct + "." + field);
    assertEquals(bytes, found.bytes() * found.elements(), struct + "." + field);
  }

  private static void checkSize(String struct, int bytes) {
    assertNotEquals(0, btf.struct(struct), struct);
    assertEquals(bytes, btf.size(btf.struct(struct)), struct);
  }

  @Test
  void sample() {
    check("jebpf_sample", "type", Layout.SAMPLE_TYPE, 4);
    check("jebpf_sample", "bytes", Layout.SAMPLE_SIZE, 4);
    check("jebpf_sample", "time_ns", Layout.SAMPLE_TIME, 8);
    check("jebpf_sample", "weight_ns", Layout.SAMPLE_WEIGHT, 8);
    check("jebpf_sample", "thread_start_ns", Layout.SAMPLE_THREAD_START, 8);
    check("jebpf_sample", "java_thread", Layout.SAMPLE_JAVA_THREAD, 8);
    check("jebpf_sample", "tid", Layout.SAMPLE_TID, 4);
    check("jebpf_sample", "cpu", Layout.SAMPLE_CPU, 4);
    check("jebpf_sample", "walk_ns", Layout.SAMPLE_WALK, 4);
    check("jebpf_sample", "kernel_frames", Layout.SAMPLE_KERNEL_FRAMES, 2);
    check("jebpf_sample", "user_frames", Layout.SAMPLE_USER_FRAMES, 2);
    check("jebpf_sample", "end", Layout.SAMPLE_END, 1);
    check("jebpf_sample", "state", Layout.SAMPLE_STATE, 1);
    check("jebpf_sample", "context_bytes", Layout.SAMPLE_CONTEXT_BYTES, 2);
    check("jebpf_sample", "wait_start_ns", Layout.SAMPLE_WAIT_START, 8);
    check("jebpf_sample", "virtual_thread", Layout.SAMPLE_VIRTUAL_THREAD, 8);
    check("jebpf_sample", "virtual_name_bytes", Layout.SAMPLE_VIRTUAL_NAME_BYTES, 1);
    check("jebpf_sample", "virtual_name_flags", Layout.SAMPLE_VIRTUAL_NAME_FLAGS, 1);
    check("jebpf_sample", "comm", Layout.SAMPLE_COMM, Layout.COMM_BYTES);
    check("jebpf_sample", "virtual_name", Layout.SAMPLE_VIRTUAL_NAME, Layout.VIRTUAL_NAME_BYTES);
    checkSize("jebpf_sample", Layout.SAMPLE_BYTES);
    check("jebpf_frame", "head", Layout.FRAME_HEAD, 8);
    check("jebpf_frame", "detail", Layout.FRAME_DETAIL, 8);
    checkSize("jebpf_frame", Layout.FRAME_BYTES);
  }

  @Test
  void context() {
    check("jebpf_context", "trace_id", Layout.CONTEXT_TRACE_ID, 16);
    check("jebpf_context", "span_id", Layout.CONTEXT_SPAN_ID, 8);
    check("jebpf_context", "valid", Layout.CONTEXT_VALID, 1);
    check("jebpf_context", "attributes_bytes", Layout.CONTEXT_ATTRIBUTES_BYTES, 2);
    check("jebpf_context", "attributes", Layout.CONTEXT_ATTRIBUTES, 256 - 28);
    check("jebpf_context", "trace_flags", Layout.CONTEXT_FLAGS, 1);
    checkSize("jebpf_context", Layout.CONTEXT_BYTES);
    check("jebpf_text_context", "valid", Layout.CONTEXT_VALID, 1);
    check("jebpf_text_context", "trace_flags", Layout.CONTEXT_FLAGS, 1);
    check("jebpf_text_context", "attributes_bytes", Layout.CONTEXT_ATTRIBUTES_BYTES, 2);
    check("jebpf_text_context", "trace_digits", Layout.TEXT_CONTEXT_TRACE, 32);
    check("jebpf_text_context", "span_digits", Layout.TEXT_CONTEXT_SPAN, 16);
    check("jebpf_text_context", "attributes", Layout.TEXT_CONTEXT_ATTRIBUTES, 256 - 80);
    checkSize("jebpf_text_context", Layout.CONTEXT_BYTES);
  }

  @Test
  void clocksAndWaits() {
    check("jebpf_wait_end", "bytes", Layout.WAIT_END_SIZE, 4);
    check("jebpf_wait_end", "wait_start_ns", Layout.WAIT_END_START, 8);
    check("jebpf_wait_end", "woken_ns", Layout.WAIT_END_WOKEN, 8);
    check("jebpf_wait_end", "end_ns", Layout.WAIT_END_END, 8);
    check("jebpf_wait_end", "thread_start_ns", Layout.WAIT_END_THREAD_START, 8);
    check("jebpf_wait_end", "tid", Layout.WAIT_END_TID, 4);
    check("jebpf_wait_end", "tick_ns", Layout.WAIT_END_TICK, 4);
    check("jebpf_wait_end", "waker_tid", Layout.WAIT_END_WAKER_TID, 4);
    check("jebpf_wait_end", "waker_slot", Layout.WAIT_END_WAKER_SLOT, 4);
    check("jebpf_wait_end", "waker_comm", Layout.WAIT_END_WAKER_COMM, Layout.COMM_BYTES);
    checkSize("jebpf_wait_end", Layout.WAIT_END_BYTES);
    check("jebpf_park", "parked_ns", Layout.PARK_PARKED, 8);
    check("jebpf_park", "queued_ns", Layout.PARK_QUEUED, 8);
    check("jebpf_park", "thin_ns", Layout.PARK_THIN, 8);
    check("jebpf_park", "start_ns", Layout.PARK_START, 8);
    check("jebpf_park", "period_ns", Layout.PARK_PERIOD, 8);
    check("jebpf_park", "copies", Layout.PARK_COPIES, 8);
    check("jebpf_park", "kind", Layout.PARK_KIND, 8);
    checkSize("jebpf_park", Layout.PARK_BYTES);
    check("jebpf_clock", "sequence", Layout.CLOCK_SEQUENCE, 4);
    check("jebpf_clock", "state", Layout.CLOCK_STATE, 1);
    check("jebpf_clock", "quiet", Layout.CLOCK_QUIET, 1);
    check("jebpf_clock", "since_ns", Layout.CLOCK_SINCE, 8);
    check("jebpf_clock", "first_ns", Layout.CLOCK_FIRST, 8);
    check("jebpf_clock", "woken_ns", Layout.CLOCK_WOKEN, 8);
    check("jebpf_clock", "waited_ns", Layout.CLOCK_WAITED, 8 * Layout.WAIT_STATES);
    check("jebpf_clock", "wakeups", Layout.CLOCK_WAKEUPS, 4);
    check("jebpf_clock", "thread_start_ns", Layout.CLOCK_THREAD_START, 8);
    check("jebpf_clock", "tid", Layout.CLOCK_TID, 4);
    check("jebpf_clock", "kernel_tid", Layout.CLOCK_KERNEL_TID, 4);
    check("jebpf_clock", "comm", Layout.CLOCK_COMM, Layout.COMM_BYTES);
    checkSize("jebpf_clock", Layout.CLOCK_BYTES);
    check("jebpf_list", "clocks_used", Layout.LIST_CLOCKS_USED, 4);
    checkSize("jebpf_list", Layout.LIST_BYTES);
  }

  @Test
  void target() {
    check("jebpf_target", "tgid", Layout.TARGET_TGID, 4);
    check("jebpf_target", "mappings_half", Layout.TARGET_HALF, 4);
    check("jebpf_target", "mappings_count", Layout.TARGET_COUNT, 8);
    check("jebpf_target", "generation", Layout.TARGET_GENERATION, 4);
    check("jebpf_target", "clocks_tgid", Layout.TARGET_CLOCKS_TGID, 4);
    check("jebpf_target", "clocks_start_ns", Layout.TARGET_CLOCKS_START, 8);
    check("jebpf_target", "period_ns", Layout.TARGET_PERIOD, 8);
    check("jebpf_target", "reader_asleep", Layout.TARGET_READER_ASLEEP, 4);
    checkSize("jebpf_target", Layout.TARGET_BYTES);
    check("jebpf_whoami", "tgid", Layout.WHOAMI_TGID, 4);
    check("jebpf_whoami", "tid", Layout.WHOAMI_TID, 4);
    check("jebpf_whoami", "ns_tgid", Layout.WHOAMI_NS_TGID, 4);
    check("jebpf_whoami", "ns_tid", Layout.WHOAMI_NS_TID, 4);
    checkSize("jebpf_whoami", Layout.WHOAMI_BYTES);
  }

  @Test
  void mapping() {
    check("jebpf_mapping", "start", Layout.MAPPING_START, 8);
    check("jebpf_mapping", "end", Layout.MAPPING_END, 8);
    check("jebpf_mapping", "bias", Layout.MAPPING_BIAS, 8);
    check("jebpf_mapping", "module", Layout.MAPPING_MODULE, 4);
    check("jebpf_mapping", "table", Layout.MAPPING_TABLE, 4);
    check("jebpf_mapping", "row_count", Layout.MAPPING_ROWS, 4);
    check("jebpf_mapping", "flags", Layout.MAPPING_FLAGS, 4);
    checkSize("jebpf_mapping", Layout.MAPPING_BYTES);
  }

  @Test
  void unwindTables() {
    check("jebpf_rule", "cfa_offset", Layout.RULE_CFA_OFFSET, 4);
    check("jebpf_rule", "rbp_offset", Layout.RULE_RBP_OFFSET, 4);
    check("jebpf_rule", "ra_offset", Layout.RULE_RA_OFFSET, 4);
    check("jebpf_rule", "cfa", Layout.RULE_CFA, 1);
    check("jebpf_rule", "rbp", Layout.RULE_RBP, 1);
    checkSize("jebpf_rule", Layout.RULE_BYTES);
    check("jebpf_row", "start", Layout.ROW_START, 4);
    check("jebpf_row", "rule", Layout.ROW_RULE, 2);
    checkSize("jebpf_row", Layout.ROW_BYTES);
  }

  @Test
  void enums() {
    Map<String, Integer> stats = btf.constants("jebpf_stat");
    assertEquals(Layout.STAT_COUNT, stats.remove("JEBPF_STAT_COUNT"));
    assertEquals(
        KernelStat.values().length, stats.size(), "a counter without a sentence: " + stats);
    for (KernelStat stat : KernelStat.values()) {
      assertEquals(stats.get("JEBPF_STAT_" + stat.name()), stat.index(), stat.name());
    }
    Map<String, Integer> ends = btf.constants("jebpf_end");
    assertEquals(WalkEnd.values().length, ends.remove("JEBPF_END_COUNT"));
    for (WalkEnd end : WalkEnd.values()) {
      assertEquals(ends.get("JEBPF_END_" + end.name()), end.index(), end.name());
    }
    Map<String, Integer> gaps = btf.constants("jebpf_gap");
    for (WalkGap gap : WalkGap.values()) {
      assertEquals(gaps.get("JEBPF_GAP_" + gap.name()), gap.number(), gap.name());
      assertTrue(gap.number() - 64 < Layout.GAP_COUNT, gap.name());
    }
    Map<String, Integer> unread = btf.constants("jebpf_unread");
    assertEquals(WalkUnread.values().length, unread.size());
    for (WalkUnread what : WalkUnread.values()) {
      assertEquals(unread.get("JEBPF_UNREAD_" + what.name()), what.number(), what.name());
      assertEquals(what.ordinal() + 1, what.number(), what.name());
    }
    assertEquals(Layout.RECORD_SAMPLE, btf.constants("jebpf_record").get("JEBPF_RECORD_SAMPLE"));
    assertEquals(Layout.RECORD_WAIT, btf.constants("jebpf_record").get("JEBPF_RECORD_WAIT"));
    assertEquals(
        Layout.RECORD_WAIT_END, btf.constants("jebpf_record").get("JEBPF_RECORD_WAIT_END"));
    assertEquals(Layout.RECORD_PARK, btf.constants("jebpf_record").get("JEBPF_RECORD_PARK"));
    Map<String, Integer> kinds = btf.constants("jebpf_park_kind");
    assertEquals(ParkKind.values().length, kinds.size());
    for (ParkKind kind : ParkKind.values()) {
      assertEquals(kinds.get("JEBPF_PARK_" + kind.name()), kind.ordinal(), kind.name());
    }
    Map<String, Integer> sleeps = btf.constants("jebpf_until");
    assertEquals(Alarm.Until.values().length, sleeps.size());
    for (Alarm.Until until : Alarm.Until.values()) {
      assertEquals(sleeps.get("JEBPF_UNTIL_" + until.name()), until.ordinal(), until.name());
    }
    Map<String, Integer> states = btf.constants("jebpf_state");
    assertEquals(ThreadState.values().length, states.size());
    for (ThreadState state : ThreadState.values()) {
      assertEquals(states.get("JEBPF_STATE_" + state.name()), state.ordinal(), state.name());
    }
  }

  @Test
  void limits() {
    Map<String, Integer> limits = btf.constants("limits");
    assertEquals(limits.get("MAPPINGS_MAX"), Layout.MAPPINGS_MAX);
    assertEquals(limits.get("TABLES_MAX"), Layout.TABLES_MAX);
    assertEquals(limits.get("CLOCKS_MAX"), Layout.CLOCKS_MAX);
    assertEquals(limits.get("TABLE_ROWS_MAX"), Layout.TABLE_ROWS_MAX);
    assertEquals(limits.get("INDEX_SHIFT"), Layout.INDEX_SHIFT);
    assertEquals(limits.get("GAP_COUNT"), Layout.GAP_COUNT);
    assertEquals(limits.get("RULES_MAX"), Layout.RULES_MAX);
    assertEquals(limits.get("COMM_BYTES"), Layout.COMM_BYTES);
    assertEquals(limits.get("CONTEXT_BYTES"), Layout.CONTEXT_BYTES);
    assertEquals(limits.get("CONTEXT_TEXT_IDS"), Layout.CONTEXT_TEXT_IDS);
    assertEquals(limits.get("CONTEXT_GROUPS"), ContextTable.GROUPS);
    assertEquals(limits.get("CONTEXT_WAYS"), ContextTable.WAYS);
    assertEquals(limits.get("VIRTUAL_NAME_BYTES"), Layout.VIRTUAL_NAME_BYTES);
    assertEquals(limits.get("NAME_UTF16"), Layout.NAME_UTF16);
    assertEquals(limits.get("NAME_CUT"), Layout.NAME_CUT);
    assertEquals(limits.get("NAME_UNREAD"), Layout.NAME_UNREAD);
    assertEquals(limits.get("FRAME_POINTERS"), KernelMapping.FRAME_POINTERS);
  }
}
