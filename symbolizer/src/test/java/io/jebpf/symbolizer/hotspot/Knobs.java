package io.jebpf.symbolizer.hotspot;

import java.util.LinkedHashMap;
import java.util.Map;

/** Collects knobs under {@code field} or {@code array[index].field}. */
final class Knobs implements KnobSink {
  final Map<String, Long> values = new LinkedHashMap<>();

  static Knobs of(HotspotVm vm) {
    Knobs knobs = new Knobs();
    vm.kernelKnobs(knobs);
    return knobs;
  }

  @Override
  public void knob(String field, long value) {
    values.put(field, value);
  }

  @Override
  public void knob(String array, int index, String field, long value) {
    values.put(array + "[" + index + "]." + field, value);
  }

  long at(String name) {
    Long value = values.get(name);
    if (value == null) {
      throw new AssertionError("knob " + name + " was not set");
    }
    return value;
  }
}
