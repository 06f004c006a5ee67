package io.jebpf.symbolizer.hotspot;

/**
 * The compressed line number table that follows a method's bytecodes: byte 0 ends it; 0xff is
 * followed by two signed numbers (bci delta, line delta); any other byte is {@code bciDelta << 3 |
 * lineDelta}. Entries are not sorted by bci.
 */
final class LineTable {
  private static final int END = 0;
  private static final int ESCAPE = 0xff;

  private LineTable() {}

  /** Outcome of {@link #lineOf}: the table in {@code bytes} ends before its end mark. */
  static final int INCOMPLETE = -1;

  /**
   * Line of {@code bci}: its own entry, else that of the greatest bci below; 0 when there is none.
   */
  static int lineOf(int bci, byte[] bytes, int length, boolean zeroIsFree) {
    Unsigned5 in = new Unsigned5(bytes, 0, length, zeroIsFree);
    int entryBci = 0;
    int entryLine = 0;
    int bestBci = -1;
    int bestLine = 0;
    while (true) {
      int code = in.nextByte();
      if (!in.ok()) {
        return INCOMPLETE;
      }
      if (code == END) {
        return Math.max(bestLine, 0);
      }
      if (code == ESCAPE) {
        entryBci += in.nextSigned();
        entryLine += in.nextSigned();
        if (!in.ok()) {
          return INCOMPLETE;
        }
      } else {
        entryBci += code >> 3;
        entryLine += code & 7;
      }
      if (entryBci == bci) {
        return Math.max(entryLine, 0);
      }
      if (entryBci < bci && entryBci >= bestBci) {
        bestBci = entryBci;
        bestLine = entryLine;
      }
    }
  }
}
