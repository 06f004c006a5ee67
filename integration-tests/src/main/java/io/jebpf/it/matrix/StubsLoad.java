package io.jebpf.it.matrix;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.zip.Adler32;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** Hand-written assembly of the JVM: copies, fills, digests, ciphers, big numbers, searches. */
final class StubsLoad implements Workload {
  private final byte[] bytes = new byte[8192];
  private final SecretKeySpec key = new SecretKeySpec(new byte[16], "AES");
  private int turn;

  @Override
  public void round() throws GeneralSecurityException {
    copies();
    fills();
    digests();
    cipher("AES/CBC/PKCS5Padding");
    cipher("AES/CTR/NoPadding");
    gcm();
    numbers();
    searches();
    floats();
  }

  private void copies() {
    long[] longs = new long[1000];
    int[] ints = new int[1000];
    short[] shorts = new short[1000];
    Object[] objects = new Object[1000];
    String[] strings = new String[1000];
    Arrays.fill(strings, "s");
    for (int i = 0; i < 30; i++) {
      System.arraycopy(longs, 0, longs, 1 + i, 900);
      System.arraycopy(ints, 3 + i, ints, 1, 900);
      System.arraycopy(shorts, 1, shorts, 7 + i, 900);
      System.arraycopy(bytes, 1, bytes, 2 + i, 8000);
      System.arraycopy(strings, 0, objects, 50 + i, 900);
      System.arraycopy(objects, 60, strings, 0, 900);
    }
    MatrixLoad.sink += longs[5] + ints[5] + shorts[5] + strings.length;
  }

  private void fills() {
    for (int i = 0; i < 30; i++) {
      Arrays.fill(bytes, (byte) i);
      Arrays.fill(bytes, i, 4000, (byte) 1);
      MatrixLoad.sink += Arrays.hashCode(bytes) + new byte[3000 + i].length;
      MatrixLoad.sink += Arrays.mismatch(bytes, bytes.clone());
    }
  }

  private void digests() throws GeneralSecurityException {
    for (String name : new String[] {"MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256"}) {
      MatrixLoad.sink += MessageDigest.getInstance(name).digest(bytes)[0];
    }
    CRC32 crc = new CRC32();
    CRC32C crcC = new CRC32C();
    Adler32 adler = new Adler32();
    crc.update(bytes);
    crcC.update(bytes);
    adler.update(bytes);
    MatrixLoad.sink += crc.getValue() + crcC.getValue() + adler.getValue();
  }

  private void cipher(String name) throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance(name);
    cipher.init(Cipher.ENCRYPT_MODE, key);
    MatrixLoad.sink += cipher.doFinal(bytes)[0];
  }

  private void gcm() throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
    byte[] nonce = ByteBuffer.allocate(12).putInt(turn++).array();
    cipher.init(Cipher.ENCRYPT_MODE, key, new GCMParameterSpec(128, nonce));
    MatrixLoad.sink += cipher.doFinal(bytes)[0];
  }

  private void numbers() {
    BigInteger big = new BigInteger(1, Arrays.copyOf(bytes, 256)).setBit(2047).setBit(0);
    MatrixLoad.sink += big.multiply(big).bitLength() + big.shiftLeft(5).shiftRight(3).bitCount();
    MatrixLoad.sink += BigInteger.TWO.modPow(BigInteger.valueOf(65537), big).bitLength();
  }

  private void searches() {
    String text = "the quick brown fox jumps over the lazy dog ".repeat(20) + "needle";
    byte[] coded = Base64.getEncoder().encode(bytes);
    MatrixLoad.sink += text.indexOf("needle") + text.compareTo(text + "x") + coded.length;
    MatrixLoad.sink += Base64.getDecoder().decode(coded).length;
    MatrixLoad.sink += text.getBytes(StandardCharsets.UTF_16).length;
    MatrixLoad.sink += new String(bytes, StandardCharsets.UTF_8).length();
    MatrixLoad.sink += text.toUpperCase(java.util.Locale.ROOT).hashCode();
  }

  private static void floats() {
    double sum = 0;
    for (int i = 1; i < 300; i++) {
      sum += Math.sin(i) + Math.cos(i) + Math.tan(i) + Math.exp(1.0 / i) + Math.pow(i, 1.7);
      sum += Math.log(i) + Math.log10(i) + Math.sqrt(i) + (double) i % 3.7 + (float) i % 2.3f;
      sum += (long) (sum * 1e300) + (int) (float) sum;
    }
    MatrixLoad.sink += (long) sum;
  }
}
