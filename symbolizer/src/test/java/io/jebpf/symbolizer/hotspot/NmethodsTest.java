package io.jebpf.symbolizer.hotspot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One nmethod with two PcDescs, in each of the layouts that HotSpot has had since 17. */
class NmethodsTest {
  enum Release {
    UP_TO_22,
    FROM_23,
    FROM_25,
    FROM_26
  }

  private static final long NMETHOD = FakeMemory.BASE + 0x1000;
  private static final long CODE = NMETHOD + 0x100;
  private static final long DATA = FakeMemory.BASE + 0x4000;
  private static final long MUTABLE = FakeMemory.BASE + 0x6000;
  private static final long OUTER = 0x7000_1000L;
  private static final long INNER = 0x7000_2000L;
  private static final int COMPILE_ID = 77;
  private static final int INNER_SCOPE = 9;
  private static final int OUTER_SCOPE = 1;

  private final FakeMemory memory = new FakeMemory();
  private boolean zeroIsFree;

  private Nmethods build(Release release) {
    zeroIsFree = release != Release.UP_TO_22;
    boolean old = release == Release.UP_TO_22;
    long pcs = old ? NMETHOD + 0x600 : DATA;
    long scopes = old ? NMETHOD + 0x500 : DATA + 64;
    long metadata =
        switch (release) {
          case UP_TO_22 -> NMETHOD + 0x400;
          case FROM_23 -> NMETHOD + 0x300 + 0x10;
          case FROM_25, FROM_26 -> MUTABLE + 0x20;
        };
    memory.i8(NMETHOD - 4, 1);
    memory.i32(NMETHOD + 24, 0x800).i64(NMETHOD + 80, OUTER).i32(NMETHOD + 100, COMPILE_ID);
    memory.i32(NMETHOD + 40, 0x300).i64(NMETHOD + 16, MUTABLE).i32(NMETHOD + 48, 0x30);
    memory.i32(NMETHOD + 28, 0x20);
    memory.i64(NMETHOD + 104, scopes).i64(NMETHOD + 112, DATA).i32(NMETHOD + 120, 128);
    memory.i32(NMETHOD + 124, old ? 0x600 : 0).i32(NMETHOD + 128, old ? 0x600 + 64 : 64);
    memory.i32(NMETHOD + 132, old ? 0x400 : 0x10).i32(NMETHOD + 136, 120);
    memory.i64(NMETHOD + 56, CODE).i64(NMETHOD + 64, CODE + 200);
    memory.i32(NMETHOD + 36, (int) (CODE - NMETHOD));
    int[][] descs = {{-1, 0}, {16, OUTER_SCOPE}, {40, INNER_SCOPE}, {101, 0}};
    for (int i = 0; i < descs.length; i++) {
      memory.i32(pcs + 16L * i, descs[i][0]).i32(pcs + 16L * i + 4, descs[i][1]);
    }
    memory.put(scopes + OUTER_SCOPE, scope(0, 1, 200));
    memory.put(scopes + INNER_SCOPE, scope(OUTER_SCOPE, 2, -1));
    memory.i64(metadata, OUTER).i64(metadata + 8, INNER);
    return new Nmethods(new TargetMemory(memory), layout(release));
  }

  private byte[] scope(int sender, int methodIndex, int bci) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int number : new int[] {sender, methodIndex, bci + 1}) {
      Unsigned5Test.encode(out, number, zeroIsFree);
    }
    return out.toByteArray();
  }

  private HotspotLayout layout(Release release) {
    boolean old = release == Release.UP_TO_22;
    Slot none = Slot.ABSENT;
    BlobKinds kinds = new BlobKinds(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    BlobLayout blob =
        new BlobLayout(
            8,
            new Slot(0, 4, false),
            new Slot(4, 1, false),
            64,
            Slot.pointer(8),
            Slot.i32(24),
            Slot.i32(44),
            none,
            none,
            old ? Slot.pointer(56) : none,
            old ? Slot.pointer(64) : none,
            Slot.i32(36),
            Slot.i32(40),
            Slot.pointer(16),
            Slot.i32(48),
            Slot.i32(28),
            kinds);
    NmethodLayout nmethod =
        new NmethodLayout(
            144,
            Slot.pointer(80),
            Slot.i32(100),
            none,
            none,
            new Slot(140, 1, false),
            none,
            none,
            none,
            none,
            none,
            none,
            none,
            none,
            old ? Slot.pointer(104) : none,
            old ? none : Slot.i32(128),
            Slot.i32(124),
            old ? Slot.i32(128) : none,
            old || release == Release.FROM_23 ? Slot.i32(132) : none,
            old ? none : Slot.pointer(112),
            old ? none : Slot.i32(120),
            release == Release.FROM_26 ? Slot.i32(136) : none,
            16,
            Slot.i32(0),
            Slot.i32(4));
    MethodLayout method =
        new MethodLayout(
            none,
            none,
            0,
            none,
            none,
            none,
            none,
            0,
            zeroIsFree,
            0,
            none,
            none,
            none,
            none,
            0,
            none,
            none);
    ThreadLayout thread =
        new ThreadLayout(
            none, none, none, none, none, none, none, none, none, none, none, none, none, none,
            none, none, none, none, 0);
    return new HotspotLayout(blob, nmethod, method, thread);
  }

  @ParameterizedTest
  @EnumSource(Release.class)
  void firstDescriptionAtOrAfterThePc(Release release) {
    Nmethods nmethods = build(release);
    var outer = new Nmethods.Decoding.Scopes(List.of(new Nmethods.Scope(OUTER, 200)), false);
    var inlined =
        new Nmethods.Decoding.Scopes(
            List.of(new Nmethods.Scope(INNER, -1), new Nmethods.Scope(OUTER, 200)), false);
    var methodOnly = new Nmethods.Decoding.MethodOnly(OUTER, false);
    assertEquals(outer, nmethods.decode(NMETHOD, COMPILE_ID, 0));
    assertEquals(outer, nmethods.decode(NMETHOD, COMPILE_ID, 16));
    assertEquals(inlined, nmethods.decode(NMETHOD, COMPILE_ID, 17));
    assertEquals(inlined, nmethods.decode(NMETHOD, COMPILE_ID, 40));
    assertEquals(methodOnly, nmethods.decode(NMETHOD, COMPILE_ID, 41));
    assertEquals(methodOnly, nmethods.decode(NMETHOD, COMPILE_ID, 5_000));
  }

  @Test
  void theFirstCompilersCodeIsTold() {
    for (int level = 0; level <= 4; level++) {
      Nmethods nmethods = build(Release.FROM_25);
      memory.i8(NMETHOD + 140, level);
      boolean c1 = level > 0 && level < 4;
      var scopes = (Nmethods.Decoding.Scopes) nmethods.decode(NMETHOD, COMPILE_ID, 17);
      assertEquals(c1, scopes.c1(), "level " + level);
      assertEquals(
          new Nmethods.Decoding.MethodOnly(OUTER, c1), nmethods.decode(NMETHOD, COMPILE_ID, 41));
    }
  }

  @ParameterizedTest
  @EnumSource(Release.class)
  void otherCodeIsNeverNamed(Release release) {
    Nmethods nmethods = build(release);
    var replaced = new Nmethods.Decoding.Replaced();
    assertEquals(replaced, nmethods.decode(NMETHOD, COMPILE_ID + 1, 16));
    memory.reads = 0;
    nmethods.decode(NMETHOD, COMPILE_ID, 17);
    int reads = memory.reads;
    for (int n = 2; n < reads; n++) {
      build(release);
      memory.reads = 0;
      memory.runAt = n; // the compiler puts another method there while we decode
      memory.run = () -> memory.i32(NMETHOD + 100, COMPILE_ID + 5);
      boolean seen = n <= reads - 2;
      var decoding = nmethods.decode(NMETHOD, COMPILE_ID, 17);
      assertTrue(!seen || decoding.equals(replaced), "read " + n + ": " + decoding);
    }
    build(release);
    memory.runAt = -1;
    memory.i8(NMETHOD - 4, 0); // freed
    assertEquals(replaced, nmethods.decode(NMETHOD, COMPILE_ID, 17));
  }

  @ParameterizedTest
  @EnumSource(Release.class)
  void anyFailingReadIsAnOutcome(Release release) {
    Nmethods nmethods = build(release);
    memory.reads = 0;
    var whole = nmethods.decode(NMETHOD, COMPILE_ID, 17);
    int reads = memory.reads;
    for (int n = 0; n < reads; n++) {
      memory.reads = 0;
      memory.failAt = n;
      var decoding = nmethods.decode(NMETHOD, COMPILE_ID, 17);
      assertTrue(!decoding.equals(whole), "read " + n + " failed and nobody noticed");
    }
  }

  /** Records at 16 (outer) and 40 (inner): what lies between is told by the code. */
  @ParameterizedTest
  @EnumSource(Release.class)
  void aRecordDoesNotSpeakBeyondAReturn(Release release) {
    Nmethods nmethods = build(release);
    var outer = new Nmethods.Decoding.Scopes(List.of(new Nmethods.Scope(OUTER, 200)), false);
    for (int at = 0; at < 64; at++) {
      memory.i8(CODE + at, 0x90);
    }
    assertEquals(2, scopesAt(nmethods, 20).scopes().size(), "nothing ends between");
    memory.i8(CODE + 25, 0xc3);
    for (int at = 17; at <= 25; at++) {
      assertEquals(outer, scopesAt(nmethods, at), "before the return, at " + at);
    }
    assertEquals(2, scopesAt(nmethods, 26).scopes().size(), "behind it");
    assertEquals(2, scopesAt(nmethods, 40).scopes().size(), "a record of its own");
    memory.i8(CODE + 30, 0xc3);
    assertEquals(outer, scopesAt(nmethods, 28), "no record in its block: the compiled method");
    memory.i8(CODE + 39, 0xe9);
    assertEquals(2, scopesAt(nmethods, 35).scopes().size(), "no instruction ends at the record");
  }

  private static Nmethods.Decoding.Scopes scopesAt(Nmethods nmethods, int pcOffset) {
    return (Nmethods.Decoding.Scopes) nmethods.decode(NMETHOD, COMPILE_ID, pcOffset);
  }

  @Test
  void damagedScopesGiveTheMethodOnly() {
    Nmethods nmethods = build(Release.FROM_25);
    byte[][] damaged = {
      scope(INNER_SCOPE, 2, 5), // its own sender
      scope(INNER_SCOPE + 1, 2, 5), // sender behind
      scope(OUTER_SCOPE, 0, 5), // no method
      scope(OUTER_SCOPE, 3, 5), // metadata ends before
      scope(OUTER_SCOPE, 1 << 30, 5),
      {0, 0, 0},
    };
    for (byte[] bytes : damaged) {
      memory.put(DATA + 64 + INNER_SCOPE, bytes);
      assertInstanceOf(
          Nmethods.Decoding.MethodOnly.class, nmethods.decode(NMETHOD, COMPILE_ID, 17));
    }
  }
}
