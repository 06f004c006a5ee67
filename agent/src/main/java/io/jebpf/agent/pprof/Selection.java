package io.jebpf.agent.pprof;

import java.util.Arrays;

/**
 * Gives those of a number of items (numbers themselves, from 0) that are wanted consecutive numbers
 * in a given order.
 */
final class Selection {
  private static final int UNWANTED = -1;
  private static final int WANTED = -2;

  private final int[] numbers; // of an item
  private final int[] items;
  private int size;

  Selection(int itemsMax) {
    numbers = new int[itemsMax];
    items = new int[itemsMax];
    Arrays.fill(numbers, UNWANTED);
  }

  /** True for the first time. */
  boolean want(int item) {
    boolean first = numbers[item] == UNWANTED;
    numbers[item] = WANTED;
    return first;
  }

  /**
   * To be called once, when all that are wanted are known.
   *
   * @param order all items
   */
  void number(int[] order) {
    int[] of = numbers;
    int wanted = 0;
    for (int item : order) {
      if (of[item] == WANTED) {
        items[wanted] = item;
        of[item] = wanted++;
      }
    }
    size = wanted;
  }

  /** How many are wanted. */
  int size() {
    return size;
  }

  int item(int number) {
    return items[number];
  }

  int number(int item) {
    return numbers[item];
  }
}
