package io.jebpf.agent.offcpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RawStacksTest {
  private final RawStacks stacks = new RawStacks(50_000);

  private int stack(long... rootFirst) {
    int node = RawStacks.ROOT;
    for (long frame : rootFirst) {
      node = stacks.child(node, frame, -frame);
    }
    stacks.hold(node);
    return node;
  }

  private List<Long> frames(int leaf) {
    List<Long> frames = new ArrayList<>();
    for (int node = leaf; node != RawStacks.ROOT; node = stacks.parent(node)) {
      assertEquals(-stacks.head(node), stacks.detail(node));
      frames.add(0, stacks.head(node));
    }
    return frames;
  }

  @Test
  void equalStacksAreOne() {
    int first = stack(1, 2, 3);
    assertEquals(first, stack(1, 2, 3));
    assertNotEquals(first, stack(1, 2, 4));
    assertEquals(5, stacks.size());
    assertEquals(List.of(1L, 2L, 3L), frames(first));
  }

  @Test
  void aStackThatNobodyHoldsIsFreedUpToWhatIsShared() {
    int first = stack(1, 2, 3);
    int twice = stack(1, 2, 3);
    int other = stack(1, 5);
    stacks.release(first);
    assertEquals(List.of(1L, 2L, 3L), frames(twice), "one holder is left");
    stacks.release(twice);
    assertEquals(3, stacks.size());
    assertEquals(List.of(1L, 5L), frames(other));
    stacks.release(other);
    assertEquals(1, stacks.size());
  }

  @Test
  void aKeptStackIsThereWithWhatIsKnownOfIt() {
    int first = stack(1, 2, 3);
    stacks.keep(first);
    stacks.keep(first);
    stacks.verdict(first, (short) 7);
    stacks.release(first);
    assertEquals(first, stack(1, 2, 3));
    assertEquals(7, stacks.verdict(first));
    stacks.forgetKept();
    assertEquals(List.of(1L, 2L, 3L), frames(first), "held once more");
    stacks.release(first);
    assertEquals(1, stacks.size());
  }

  @Test
  void keptStacksGoBeforeThereIsNoRoom() {
    RawStacks small = new RawStacks(4);
    int kept = small.child(small.child(RawStacks.ROOT, 1, 1), 2, 2);
    small.hold(kept);
    small.keep(kept);
    small.release(kept);
    int node = small.child(RawStacks.ROOT, 1, 1);
    node = small.child(node, 3, 3);
    node = small.child(node, 4, 4);
    small.hold(node);
    assertNotEquals(RawStacks.FULL, node);
    assertEquals(4, small.size());
    assertEquals(1, small.head(small.parent(small.parent(node))));
    small.release(node);
    assertEquals(1, small.size());
  }

  @Test
  void aStackInTheMiddleOfAnotherLivesOn() {
    int inner = stack(1, 2);
    int outer = stack(1, 2, 3);
    stacks.release(outer);
    assertEquals(List.of(1L, 2L), frames(inner));
    stacks.release(inner);
    assertEquals(1, stacks.size());
  }

  @Test
  void fullIsSaidAndLeavesNothingBehind() {
    RawStacks small = new RawStacks(3);
    int node = small.child(RawStacks.ROOT, 1, 1);
    node = small.child(node, 2, 2);
    node = small.child(node, 3, 3);
    assertEquals(RawStacks.FULL, node);
    assertEquals(RawStacks.FULL, small.child(node, 4, 4));
    small.hold(node);
    small.release(node);
    assertEquals(1, small.size(), "the path that did not fit is freed");
  }

  @Test
  void rememberedThingsAreForgottenWithTheNode() {
    int leaf = stack(1, 2);
    stacks.verdict(leaf, (short) 7);
    stacks.putWindowNode(leaf, 3, 99);
    assertEquals(99, stacks.windowNode(leaf, 3, -5));
    assertEquals(-5, stacks.windowNode(leaf, 4, -5));
    stacks.release(leaf);
    int again = stack(1, 2);
    assertEquals(0, stacks.verdict(again));
    assertEquals(-5, stacks.windowNode(again, 3, -5));
  }

  @Test
  void manyComeAndGo() {
    long seed = 11;
    Random random = new Random(seed);
    List<Integer> leaves = new ArrayList<>();
    List<List<Long>> truth = new ArrayList<>();
    for (int i = 0; i < 100_000; i++) {
      if (leaves.size() < 2_000 && random.nextInt(100) < 60) {
        long[] frames = random.longs(1 + random.nextInt(12), 1, 6).toArray();
        leaves.add(stack(frames));
        truth.add(java.util.Arrays.stream(frames).boxed().toList());
      } else if (!leaves.isEmpty()) {
        int at = random.nextInt(leaves.size());
        assertEquals(truth.get(at), frames(leaves.get(at)), "seed " + seed);
        stacks.release(leaves.remove(at));
        truth.remove(at);
      }
    }
    for (int leaf : leaves) {
      stacks.release(leaf);
    }
    assertEquals(1, stacks.size());
    assertTrue(stack(1) != RawStacks.FULL);
  }
}
