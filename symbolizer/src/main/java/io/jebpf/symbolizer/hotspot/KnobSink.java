package io.jebpf.symbolizer.hotspot;

/** Takes the fields of {@code struct jebpf_config}, by their C names (jebpf_types.h). */
public interface KnobSink {
  void knob(String field, long value);

  /** A field of one element of an array of structures. */
  void knob(String array, int index, String field, long value);
}
