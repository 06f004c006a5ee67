package io.jebpf.agent.pprof;

import java.util.Arrays;

/** Gives items (numbers themselves, from 0) consecutive numbers in the order they first come up. */
final class Numbering {
  private int[] numbers = new int[256]; // of an item, plus 1
  private int[] items = new int[256];
  private int size;

  int size() {
    return size;
  }

  int item(int number) {
    return items[number];
  }

  int number(int item) {
    if (item >= numbers.length) {
      numbers = Arrays.copyOf(numbers, Math.max(item + 1, 2 * numbers.length));
    }
    if (numbers[item] == 0) {
      if (size == items.length) {
        items = Arrays.copyOf(items, 2 * size);
      }
      items[size++] = item;
      numbers[item] = size;
    }
    return numbers[item] - 1;
  }
}
