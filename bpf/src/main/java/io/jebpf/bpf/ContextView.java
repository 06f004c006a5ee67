package io.jebpf.bpf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * What a thread worked for at a sample ({@code struct jebpf_context}): trace, span, and labels of
 * the application. A copy; the owner refills it.
 */
public final class ContextView {
  private final byte[] bytes = new byte[Layout.CONTEXT_BYTES];
  private final ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.BIG_ENDIAN);
  private int attributesEnd;
  private int attribute;

  /** Takes what a record holds; false when that is no whole context. */
  boolean at(ByteBuffer in, int offset, int length) {
    if (length < Layout.CONTEXT_ATTRIBUTES || length > Layout.CONTEXT_BYTES) {
      return false;
    }
    in.get(offset, bytes, 0, length);
    int attributes = in.getShort(offset + Layout.CONTEXT_ATTRIBUTES_BYTES);
    attributesEnd = Layout.CONTEXT_ATTRIBUTES + attributes;
    rewind();
    return bytes[Layout.CONTEXT_VALID] == 1 && attributes >= 0 && attributesEnd <= length;
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
    int at =
        attribute < 0 ? Layout.CONTEXT_ATTRIBUTES : attribute + 2 + (bytes[attribute + 1] & 0xff);
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
