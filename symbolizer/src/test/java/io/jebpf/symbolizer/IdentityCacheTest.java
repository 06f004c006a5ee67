package io.jebpf.symbolizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IdentityCacheTest {
  private record Key(long a, long b) {}

  @Test
  void behavesAsTwoMaps() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    int entriesMax = 500;
    IdentityCache<String> cache = new IdentityCache<>(entriesMax);
    Map<Key, String> young = new HashMap<>();
    Map<Key, String> old = new HashMap<>();
    for (int i = 0; i < 200_000; i++) {
      Key key = new Key(random.nextInt(40) << 20, random.nextInt(60));
      switch (random.nextInt(100)) {
        case 0 -> {
          cache.nextGeneration();
          old = young;
          young = new HashMap<>();
        }
        case 1, 2, 3, 4, 5, 6, 7, 8, 9 -> {
          if (young.size() >= entriesMax) {
            old = young;
            young = new HashMap<>();
          }
          cache.put(key.a, key.b, "value " + i);
          young.put(key, "value " + i);
        }
        default -> {
          assertEquals(young.getOrDefault(key, "-"), cache.young(key.a, key.b, "-"), "" + seed);
          assertEquals(old.getOrDefault(key, "-"), cache.old(key.a, key.b, "-"), "" + seed);
        }
      }
      assertEquals(young.size() + old.size(), cache.size(), "seed " + seed);
    }
  }

  @Test
  void staysWithinItsBound() {
    IdentityCache<Long> cache = new IdentityCache<>(1_000);
    for (long i = 0; i < 100_000; i++) {
      cache.put(i, -i, i);
      assertTrue(cache.size() <= 2_000);
      assertEquals(i, cache.get(i, -i, 0L));
    }
    assertEquals(0L, cache.get(5, -5, 0L));
  }
}
