package io.jebpf.agent.window;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Functions, mappings and locations of a window, each once. Numbers are positions from 0; the
 * encoder adds the 1 that pprof wants. Asked only at the first sight of a frame, so plain hash maps
 * will do. Owner: the thread that owns the window.
 */
final class LocationTable {
  /** How names of the agent's own functions begin. */
  private static final String OWN_PREFIX = "io.jebpf.";

  /** Methods written out: records' own ones spin classes in the host's JVM. */
  record Function(String name, String file) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Function that && name.equals(that.name) && file.equals(that.file);
    }

    @Override
    public int hashCode() {
      return name.hashCode() * 31 + file.hashCode();
    }
  }

  private record LocationKey(int mapping, int function, int line, long address) {
    @Override
    public boolean equals(Object other) {
      return other instanceof LocationKey that
          && mapping == that.mapping
          && function == that.function
          && line == that.line
          && address == that.address;
    }

    @Override
    public int hashCode() {
      return (function * 31 + line) * 31 + Long.hashCode(address);
    }
  }

  private final Map<Function, Integer> functionNumbers = new HashMap<>();
  private final List<Function> functions = new ArrayList<>();
  private final Map<Mapping, Integer> mappingNumbers = new HashMap<>();
  private final List<Mapping> mappings = new ArrayList<>();
  private final Map<LocationKey, Integer> locationNumbers = new HashMap<>();
  private int[] locationFunctions = new int[512];
  private int[] locationMappings = new int[512];
  private int[] lines = new int[512];
  private long[] addresses = new long[512];
  private boolean[] own = new boolean[512];
  private int size;

  int size() {
    return size;
  }

  int function(int location) {
    return locationFunctions[location];
  }

  int mapping(int location) {
    return locationMappings[location];
  }

  /** Whether its function is one of the agent. */
  boolean isOwn(int location) {
    return own[location];
  }

  int line(int location) {
    return lines[location];
  }

  long address(int location) {
    return addresses[location];
  }

  /** Of each location its function, and so on: copies, for whoever wants them all. */
  int[] functionsOf() {
    return Arrays.copyOf(locationFunctions, size);
  }

  int[] mappingsOf() {
    return Arrays.copyOf(locationMappings, size);
  }

  int[] linesOf() {
    return Arrays.copyOf(lines, size);
  }

  long[] addressesOf() {
    return Arrays.copyOf(addresses, size);
  }

  List<Function> functions() {
    return functions;
  }

  List<Mapping> mappings() {
    return mappings;
  }

  int addMapping(Mapping mapping) {
    Integer known = mappingNumbers.get(mapping);
    if (known != null) {
      return known;
    }
    mappings.add(mapping);
    mappingNumbers.put(mapping, mappings.size() - 1);
    return mappings.size() - 1;
  }

  int add(Mapping mapping, long address, String name, String file, int line) {
    int function = addFunction(new Function(name, file));
    LocationKey key = new LocationKey(addMapping(mapping), function, line, address);
    Integer known = locationNumbers.get(key);
    if (known != null) {
      return known;
    }
    if (size == lines.length) {
      grow();
    }
    locationFunctions[size] = function;
    locationMappings[size] = key.mapping();
    lines[size] = line;
    own[size] = name.startsWith(OWN_PREFIX);
    addresses[size] = address;
    locationNumbers.put(key, size);
    return size++;
  }

  void clear() {
    functionNumbers.clear();
    functions.clear();
    mappingNumbers.clear();
    mappings.clear();
    locationNumbers.clear();
    size = 0;
  }

  private int addFunction(Function function) {
    Integer known = functionNumbers.get(function);
    if (known != null) {
      return known;
    }
    functions.add(function);
    functionNumbers.put(function, functions.size() - 1);
    return functions.size() - 1;
  }

  private void grow() {
    int capacity = 2 * lines.length;
    locationFunctions = Arrays.copyOf(locationFunctions, capacity);
    locationMappings = Arrays.copyOf(locationMappings, capacity);
    lines = Arrays.copyOf(lines, capacity);
    own = Arrays.copyOf(own, capacity);
    addresses = Arrays.copyOf(addresses, capacity);
  }
}
