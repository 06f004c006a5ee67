package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * What a thread worked for at a sample ({@code struct jebpf_context}): trace, span, and labels of
 * the application. A copy; the owner refills it.
 */
public final class ContextView {
  private static final int ID_DIGITS = 16;
  private static final int HEXADECIMAL = 16;

  private final byte[] bytes = new byte[Layout.CONTEXT_BYTES];
  private final ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
  private int attributesStart;
  private int attributesEnd;
  private int attribute;

  /** Takes what a record holds; false when that is no whole context. */
  boolean at(ByteBuffer in, int offset, int length) {
    if (length < Layout.CONTEXT_ATTRIBUTES || length > Layout.CONTEXT_BYTES) {
      return false;
    }
    in.get(offset, bytes, 0, length);
    int attributes = in.getShort(offset + Layout.CONTEXT_ATTRIBUTES_BYTES);
    boolean text = (bytes[Layout.CONTEXT_FLAGS] & Layout.CONTEXT_TEXT_IDS) != 0;
    attributesStart = text ? Layout.TEXT_CONTEXT_ATTRIBUTES : Layout.CONTEXT_ATTRIBUTES;
    attributesEnd = attributesStart + attributes;
    rewind();
    boolean whole = bytes[Layout.CONTEXT_VALID] == 1 && attributes >= 0 && attributesEnd <= length;
    if (whole && text) {
      readDigits();
    }
    return whole;
  }

  /** Puts the ids where a record without digits has them; all 0 when they are no digits. */
  private void readDigits() {
    boolean digits =
        readId(Layout.TEXT_CONTEXT_TRACE, Layout.CONTEXT_TRACE_ID)
            && readId(Layout.TEXT_CONTEXT_TRACE + ID_DIGITS, Layout.CONTEXT_TRACE_ID + Long.BYTES)
            && readId(Layout.TEXT_CONTEXT_SPAN, Layout.CONTEXT_SPAN_ID);
    if (!digits) {
      Arrays.fill(bytes, 0, Layout.CONTEXT_VALID, (byte) 0);
    }
  }

  private boolean readId(int from, int to) {
    long id = 0;
    for (int at = from; at < from + ID_DIGITS; at++) {
      int digit = Character.digit(bytes[at], HEXADECIMAL);
      if (digit < 0) {
        return false;
      }
      id = id << 4 | digit;
    }
    words.putLong(to, id);
    return true;
  }

  /** First half of the trace's id; both halves are 0 when the thread works for no trace. */
  public long traceHigh() {
    return words.getLong(Layout.CONTEXT_TRACE_ID);
  }

  public long traceLow() {
    return words.getLong(Layout.CONTEXT_TRACE_ID + Long.BYTES);
  }

  /** 0 when the thread works for no span. */
  public long span() {
    return words.getLong(Layout.CONTEXT_SPAN_ID);
  }

  /** Before the first attribute again. */
  public void rewind() {
    attribute = -1;
  }

  /** Moves to the next attribute; false when there is none left, or the rest is not whole. */
  public boolean next() {
    int at = attribute < 0 ? attributesStart : attribute + 2 + (bytes[attribute + 1] & 0xff);
    if (at + 2 > attributesEnd || at + 2 + (bytes[at + 1] & 0xff) > attributesEnd) {
      return false;
    }
    attribute = at;
    return true;
  }

  /** Number of the attribute's key. */
  public int key() {
    return bytes[attribute] & 0xff;
  }

  public String text() {
    return new String(bytes, attribute + 2, bytes[attribute + 1] & 0xff, StandardCharsets.UTF_8);
  }
}
