package io.jebpf.symbolizer.hotspot;

/**
 * Decodes the class file's variant of UTF-8 (NUL in two bytes, supplementary characters as two
 * encoded surrogates). What is malformed becomes U+FFFD, so every result can be encoded as UTF-8.
 */
final class ModifiedUtf8 {
  private static final char REPLACEMENT = '\ufffd';

  private ModifiedUtf8() {}

  static String decode(byte[] bytes, int offset, int length) {
    char[] chars = new char[length];
    int count = 0;
    int end = offset + length;
    for (int i = offset; i < end; ) {
      int first = Bytes.u8(bytes, i);
      int size = first < 0x80 ? 1 : (first & 0xe0) == 0xc0 ? 2 : (first & 0xf0) == 0xe0 ? 3 : 0;
      if (size == 1) {
        chars[count++] = (char) first;
        i++;
      } else if (size == 0 || !continued(bytes, i + 1, i + size, end)) {
        chars[count++] = REPLACEMENT;
        i++;
      } else {
        int value = first & (size == 2 ? 0x1f : 0x0f);
        for (int j = 1; j < size; j++) {
          value = value << 6 | bytes[i + j] & 0x3f;
        }
        chars[count++] = (char) value;
        i += size;
      }
    }
    replaceLoneSurrogates(chars, count);
    return new String(chars, 0, count);
  }

  private static boolean continued(byte[] bytes, int from, int to, int end) {
    if (to > end) {
      return false;
    }
    for (int i = from; i < to; i++) {
      if ((bytes[i] & 0xc0) != 0x80) {
        return false;
      }
    }
    return true;
  }

  static void replaceLoneSurrogates(char[] chars, int count) {
    for (int i = 0; i < count; i++) {
      if (Character.isHighSurrogate(chars[i])
          && i + 1 < count
          && Character.isLowSurrogate(chars[i + 1])) {
        i++;
      } else if (Character.isSurrogate(chars[i])) {
        chars[i] = REPLACEMENT;
      }
    }
  }
}
