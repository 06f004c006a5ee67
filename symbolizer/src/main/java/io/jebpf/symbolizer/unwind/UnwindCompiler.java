package io.jebpf.symbolizer.unwind;

import io.jebpf.symbolizer.elf.ElfCursor;
import io.jebpf.symbolizer.elf.ElfImage;
import io.jebpf.symbolizer.elf.ElfUnwindSections;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compiles {@code .eh_frame} of an object to an {@link UnwindTable}: all rules are worked out here,
 * once, so that the kernel side only looks one up.
 *
 * <p>Functions are taken in the order of their addresses (8 bytes each while compiling) and decoded
 * one after the other through a buffer of 8 KiB. Where no function is described, the table has an
 * explicit row without a rule; linkage table slots, which some linkers do not describe, get the
 * rule of a function that was just called.
 */
public final class UnwindCompiler {
  /** libjvm has 53,000; 1 M rows is the limit of a table anyway. */
  private static final int FUNCTIONS_MAX = 1 << 20;

  private static final int CIES_KEPT_MAX = 256;

  /** Instructions of one function take a byte or more each, and each gives a row at most. */
  private static final int ROWS_PER_FUNCTION_MAX = 1 << 16;

  /** Rows for the gap before a function and for what follows the last one. */
  private static final int ROWS_SPARE = 64;

  private static final int DATA_RELATIVE_SDATA4 = 0x3b;
  private static final int ENCODING_UDATA4 = 3;

  private final ElfImage image;
  private final ElfUnwindSections sections;
  private final ElfCursor in;
  private final ElfCursor cieIn;
  private final CfaMachine machine;
  private final Map<Long, CommonPart> cies = new HashMap<>();
  private final UnwindTableBuilder table;
  private long lastPosition = -1;
  private Optional<CommonPart> lastCommon = Optional.empty();
  private int functions;
  private int skipped;
  private final CfaMachine.Rows rows = this::row;
  private long covered; // end of the last function, or 0
  private long limit; // end of the present function

  /** A CIE with the state its instructions lead to. */
  private record CommonPart(Cie cie, int[] state) {}

  private UnwindCompiler(
      ElfImage image, ElfUnwindSections sections, ElfCursor in, ElfCursor cieIn) {
    this.image = image;
    this.sections = sections;
    this.in = in;
    this.cieIn = cieIn;
    this.machine = new CfaMachine(image.machine(), sections.ehFrame());
    this.table = new UnwindTableBuilder((int) Math.min(sections.ehFrameBytes() / 7, 1 << 18));
  }

  /** Compiles an image's table; {@link UnwindTable#EMPTY} when it has no unwind information. */
  public static UnwindTable compile(ElfImage image) {
    Optional<ElfUnwindSections> sections = ElfUnwindSections.of(image);
    if (sections.isEmpty()) {
      return UnwindTable.EMPTY;
    }
    long address = sections.get().ehFrame();
    long bytes = sections.get().ehFrameBytes();
    Optional<ElfCursor> in = image.cursor(address, bytes);
    Optional<ElfCursor> cieIn = image.cursor(address, bytes);
    return in.isEmpty() || cieIn.isEmpty()
        ? UnwindTable.EMPTY
        : new UnwindCompiler(image, sections.get(), in.get(), cieIn.get()).compile();
  }

  private UnwindTable compile() {
    long[] order = fromHeader();
    if (order.length == 0) {
      order = fromWalk();
    }
    for (int i = 0; i < order.length; i++) {
      long next = i + 1 < order.length ? order[i + 1] >>> 32 : 0x1_0000_0000L;
      if (next > order[i] >>> 32) { // of two at one address the last counts
        function(order[i] >>> 32, order[i] & 0xffff_ffffL, next);
      }
    }
    gap(covered, 0x1_0000_0000L);
    return table.build(functions, skipped);
  }

  /** The functions by the sorted table of {@code .eh_frame_hdr}: start << 32 | position. */
  private long[] fromHeader() {
    Optional<ElfCursor> cursor =
        sections.headerBytes() < 12
            ? Optional.empty()
            : image.cursor(sections.header(), sections.headerBytes());
    if (cursor.isEmpty()) {
      return new long[0];
    }
    ElfCursor header = cursor.get();
    int version = header.u8();
    header.u8(); // encoding of the address of .eh_frame: 4 bytes, or the table is not used
    int countEncoding = header.u8();
    int tableEncoding = header.u8();
    header.u32();
    long count = header.u32();
    if (version != 1
        || countEncoding != ENCODING_UDATA4
        || tableEncoding != DATA_RELATIVE_SDATA4
        || count > header.remaining() / 8
        || count > FUNCTIONS_MAX) {
      return new long[0];
    }
    long[] order = new long[(int) count];
    long before = 0;
    for (int i = 0; i < order.length; i++) {
      long start = sections.header() + header.i32();
      long position = sections.header() + header.i32() - sections.ehFrame();
      boolean sound = start >>> 32 == 0 && position >= 0 && position < in.length();
      if (!sound || position >>> 32 != 0 || start < before || header.failed()) {
        return new long[0]; // damaged, or beyond 4 GiB: the records themselves decide
      }
      order[i] = start << 32 | position;
      before = start;
    }
    return order;
  }

  /** The functions by reading all of {@code .eh_frame}. */
  private long[] fromWalk() {
    long[] order = new long[1024];
    int count = 0;
    long position = 0;
    while (position >= 0 && in.length() - position > 4 && count < FUNCTIONS_MAX) {
      in.seek(position);
      long length = in.u32();
      if (length == 0xffff_ffffL) {
        length = in.u64();
      }
      if (length == 0 || in.failed() || length < 0 || length > in.remaining()) {
        break;
      }
      long next = in.position() + length;
      long here = in.position();
      long back = in.u32();
      if (back != 0) {
        Optional<CommonPart> common = common(here - back);
        if (common.isPresent()) {
          int encoding = common.get().cie.pointerEncoding();
          long start = Pointer.read(in, encoding, sections.ehFrame());
          if (start >>> 32 == 0 && position >>> 32 == 0 && !in.failed()) {
            if (count == order.length) {
              order = Arrays.copyOf(order, count + (count >> 1));
            }
            order[count++] = start << 32 | position;
          } else {
            skipped++;
          }
        } else {
          skipped++;
        }
      }
      position = next;
    }
    order = Arrays.copyOf(order, count);
    for (int i = 0; i < count; i++) {
      order[i] ^= Long.MIN_VALUE; // sorts as unsigned
    }
    Arrays.sort(order);
    for (int i = 0; i < count; i++) {
      order[i] ^= Long.MIN_VALUE;
    }
    return order;
  }

  /** The CIE at a position and the state it sets up; empty when it is not understood. */
  private Optional<CommonPart> common(long position) {
    if (position == lastPosition) { // nearly all functions of an object share one
      return lastCommon;
    }
    CommonPart known = cies.get(position);
    if (known == null) {
      Optional<Cie> cie = position < 0 ? Optional.empty() : Cie.read(cieIn, position);
      if (cie.isEmpty() || !machine.begin(cie.get(), cieIn)) {
        return Optional.empty();
      }
      if (cies.size() == CIES_KEPT_MAX) {
        cies.clear();
      }
      known = new CommonPart(cie.get(), machine.initialState());
      cies.put(position, known);
    }
    lastPosition = position;
    lastCommon = Optional.of(known);
    return lastCommon;
  }

  /** Compiles the description at a position; {@code next} is where the next function starts. */
  private void function(long start, long position, long next) {
    in.seek(position);
    long length = in.u32();
    if (length == 0xffff_ffffL) {
      length = in.u64();
    }
    long here = in.position();
    long end = here + length;
    long back = in.u32();
    if (in.failed() || back == 0 || length < 8 || length > in.length() - here) {
      skipped++;
      return;
    }
    Optional<CommonPart> common = common(here - back);
    if (common.isEmpty()) {
      skipped++;
      return;
    }
    Cie cie = common.get().cie;
    long begin = Pointer.read(in, cie.pointerEncoding(), sections.ehFrame());
    long bytes = Pointer.value(in, cie.pointerEncoding() & 0x0f);
    if (cie.augmented()) {
      in.skip(in.uleb());
    }
    boolean sound = begin == start && bytes > 0 && image.isCode(start) && !in.failed();
    if (!sound || end - in.position() > ROWS_PER_FUNCTION_MAX) {
      skipped++;
      return;
    }
    if (!table.hasRoom((int) (end - in.position()) + ROWS_SPARE)) {
      skipped++;
      return;
    }
    functions++;
    gap(covered, start);
    limit = Long.compareUnsigned(bytes, next - start) < 0 ? start + bytes : next;
    machine.begin(common.get().state, cie.returnColumn());
    boolean understood = machine.run(cie, in, end, start, limit, rows);
    if (!understood && machine.address() < limit) {
      table.add(machine.address(), UnwindRule.NONE);
    }
    covered = limit;
  }

  private void row(long address) {
    if (address < limit) {
      table.add(address, machine.rule());
    }
  }

  /** Nothing is described from {@code from} up to {@code to}. */
  private void gap(long from, long to) {
    long at = from;
    List<ElfUnwindSections.Range> ranges = sections.plt();
    for (int i = 0; i < ranges.size(); i++) { // once per function: no iterator
      ElfUnwindSections.Range plt = ranges.get(i);
      long start = Math.max(at, plt.start());
      long end = Math.min(to, plt.end());
      if (start < end && start >= 0 && table.hasRoom(2)) {
        if (start > at) {
          table.add(at, UnwindRule.NONE);
        }
        table.add(start, UnwindRule.CALLED);
        at = end;
      }
    }
    if (at < to && at > 0) {
      table.add(at, UnwindRule.NONE);
    }
  }
}
