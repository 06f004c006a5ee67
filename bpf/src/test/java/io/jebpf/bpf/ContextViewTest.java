package io.jebpf.bpf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Records as threads write them, in both forms. */
class ContextViewTest {
  private static final long HIGH = 0x0af7651916cd43ddL;
  private static final long LOW = 0x8448eb211c80319cL;
  private static final long SPAN = 0xb7ad6b7169203331L;
  private static final String TRACE_TEXT = "0af7651916cd43dd8448eb211c80319c";
  private static final String SPAN_TEXT = "b7ad6b7169203331";
  private static final byte[] LABEL = {3, 4, 'a', 'c', 'm', 'e'};

  private final ContextView view = new ContextView();

  private static ByteBuffer text(String trace, String span) {
    ByteBuffer record = ByteBuffer.allocate(Layout.CONTEXT_BYTES).order(ByteOrder.nativeOrder());
    for (int i = 0; i < Layout.CONTEXT_VALID; i++) {
      record.put(i, (byte) 0x55); // of a record in binary that was there before
    }
    record.put(Layout.CONTEXT_VALID, (byte) 1);
    record.put(Layout.CONTEXT_FLAGS, (byte) Layout.CONTEXT_TEXT_IDS);
    record.putShort(Layout.CONTEXT_ATTRIBUTES_BYTES, (short) LABEL.length);
    record.put(Layout.TEXT_CONTEXT_TRACE, trace.getBytes(StandardCharsets.US_ASCII));
    record.put(Layout.TEXT_CONTEXT_SPAN, span.getBytes(StandardCharsets.US_ASCII));
    record.put(Layout.TEXT_CONTEXT_ATTRIBUTES, LABEL);
    return record;
  }

  private void assertLabel() {
    assertTrue(view.next());
    assertEquals(3, view.key());
    assertEquals("acme", view.text());
    assertFalse(view.next());
  }

  @Test
  void idsInDigits() {
    assertTrue(view.at(text(TRACE_TEXT, SPAN_TEXT), 0, Layout.CONTEXT_BYTES));
    assertEquals(HIGH, view.traceHigh());
    assertEquals(LOW, view.traceLow());
    assertEquals(SPAN, view.span());
    assertLabel();
  }

  @Test
  void idsInBinary() {
    ByteBuffer record = ByteBuffer.allocate(Layout.CONTEXT_BYTES).order(ByteOrder.BIG_ENDIAN);
    record.putLong(Layout.CONTEXT_TRACE_ID, HIGH).putLong(Layout.CONTEXT_TRACE_ID + 8, LOW);
    record.putLong(Layout.CONTEXT_SPAN_ID, SPAN);
    record.order(ByteOrder.nativeOrder()).put(Layout.CONTEXT_VALID, (byte) 1);
    record.put(Layout.CONTEXT_FLAGS, (byte) 3); // sampled, random
    record.putShort(Layout.CONTEXT_ATTRIBUTES_BYTES, (short) LABEL.length);
    record.put(Layout.CONTEXT_ATTRIBUTES, LABEL);
    assertTrue(view.at(record, 0, Layout.CONTEXT_BYTES));
    assertEquals(HIGH, view.traceHigh());
    assertEquals(LOW, view.traceLow());
    assertEquals(SPAN, view.span());
    assertLabel();
  }

  /** An id that a library made up of something else is none; the labels stay. */
  @Test
  void whatIsNoDigitIsNoId() {
    assertTrue(view.at(text(TRACE_TEXT, "b7ad6b716920333x"), 0, Layout.CONTEXT_BYTES));
    assertEquals(0, view.span());
    assertEquals(0, view.traceHigh() | view.traceLow());
    assertLabel();
  }

  @Test
  void attributesBeyondTheRecordAreNotRead() {
    ByteBuffer record = text(TRACE_TEXT, SPAN_TEXT);
    record.putShort(
        Layout.CONTEXT_ATTRIBUTES_BYTES,
        (short) (Layout.CONTEXT_BYTES - Layout.TEXT_CONTEXT_ATTRIBUTES + 1));
    assertFalse(view.at(record, 0, Layout.CONTEXT_BYTES));
    record.put(Layout.CONTEXT_VALID, (byte) 0);
    record.putShort(Layout.CONTEXT_ATTRIBUTES_BYTES, (short) 0);
    assertFalse(view.at(record, 0, Layout.CONTEXT_BYTES));
  }
}
