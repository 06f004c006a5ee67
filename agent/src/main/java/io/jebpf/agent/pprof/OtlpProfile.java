package io.jebpf.agent.pprof;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * A profile in the form of OTLP 1.11 ({@code opentelemetry.proto.profiles.v1development}, an
 * alpha). Tables of the dictionary have their zero value first; texts of attributes are plain, not
 * in the table, because known servers do not look them up. Owner: one thread, for one profile.
 */
public final class OtlpProfile {
  private static final int REQUEST_RESOURCE_PROFILES = 1;
  private static final int REQUEST_DICTIONARY = 2;
  private static final int DICTIONARY_MAPPING = 1;
  private static final int DICTIONARY_LOCATION = 2;
  private static final int DICTIONARY_FUNCTION = 3;
  private static final int DICTIONARY_LINK = 4;
  private static final int DICTIONARY_STRING = 5;
  private static final int DICTIONARY_ATTRIBUTE = 6;
  private static final int DICTIONARY_STACK = 7;
  private static final String SCOPE = "jebpf";
  private static final List<String> FRAME_TYPES = List.of("native", "jvm", "kernel");

  private final ProfileSource source;
  private final String kind;
  private final String id;
  private final ProtoBuffer dictionary = new ProtoBuffer(64 << 10);
  private final Map<String, Integer> strings = new LinkedHashMap<>();
  private final Map<String, Integer> attributes = new HashMap<>();
  private final Map<String, Integer> links = new HashMap<>();
  private final ProtoBuffer a = new ProtoBuffer(4096);
  private final ProtoBuffer b = new ProtoBuffer(4096);
  private final ProtoBuffer c = new ProtoBuffer(256);

  /**
   * @param kind as in the names of files
   * @param id the same for the same profile
   */
  public OtlpProfile(ProfileSource source, String kind, String id) {
    this.source = source;
    this.kind = kind;
    this.id = id;
  }

  /**
   * The serialized request of {@code ProfilesService/Export}.
   *
   * @param resource who measured
   * @param keys names of OpenTelemetry for the keys of {@code resource}; others stay
   */
  public byte[] encode(Map<String, String> resource, Map<String, String> keys) {
    string("");
    empty(DICTIONARY_MAPPING);
    empty(DICTIONARY_LOCATION);
    empty(DICTIONARY_FUNCTION);
    a.clear();
    a.bytes(1, new byte[16], 16);
    a.bytes(2, new byte[8], 8);
    dictionary.message(DICTIONARY_LINK, a);
    empty(DICTIONARY_ATTRIBUTE);
    empty(DICTIONARY_STACK);
    tables();
    ProtoBuffer profile = profile();
    for (String text : strings.keySet()) {
      dictionary.text(DICTIONARY_STRING, text);
    }
    ProtoBuffer resourceProfiles = new ProtoBuffer(4096);
    ProtoBuffer attributesOfResource = new ProtoBuffer(1024);
    resource.forEach(
        (key, value) -> {
          c.clear();
          c.text(1, value);
          b.clear();
          b.text(1, keys.getOrDefault(key, key));
          b.message(2, c);
          attributesOfResource.message(1, b);
        });
    resourceProfiles.message(1, attributesOfResource);
    b.clear();
    b.text(1, SCOPE);
    a.clear();
    a.message(1, b);
    a.message(2, profile);
    resourceProfiles.message(2, a);
    ProtoBuffer request = new ProtoBuffer(64 << 10);
    request.message(REQUEST_RESOURCE_PROFILES, resourceProfiles);
    request.message(REQUEST_DICTIONARY, dictionary);
    return request.toByteArray();
  }

  private void empty(int table) {
    a.clear();
    dictionary.message(table, a);
  }

  private int string(String text) {
    Integer known = strings.putIfAbsent(text, strings.size());
    return known == null ? strings.size() - 1 : known;
  }

  private int string(int index) {
    return string(source.text(index));
  }

  private int attribute(String key, String value) {
    Integer known = attributes.get(key + "=" + value);
    if (known != null) {
      return known;
    }
    c.clear();
    c.text(1, value);
    b.clear();
    b.number(1, string(key));
    b.message(2, c);
    dictionary.message(DICTIONARY_ATTRIBUTE, b);
    attributes.put(key + "=" + value, attributes.size() + 1);
    return attributes.size();
  }

  private void tables() {
    int[] frameTypes = new int[source.mappings.size()];
    for (int i = 0; i < source.mappings.size(); i++) {
      ProfileSource.MappingEntry mapping = source.mappings.get(i);
      String file = source.text(mapping.file());
      String type = FRAME_TYPES.get(file.startsWith("[kernel") ? 2 : file.equals("[jvm]") ? 1 : 0);
      frameTypes[i] = attribute("profile.frame.type", type);
      a.clear();
      a.number(1, mapping.start());
      a.number(2, mapping.limit());
      a.number(3, mapping.offset());
      a.number(4, string(file));
      String buildId = source.text(mapping.buildId());
      if (!buildId.isEmpty()) {
        packed(a, 5, attribute("process.executable.build_id.gnu", buildId));
      }
      dictionary.message(DICTIONARY_MAPPING, a);
    }
    for (int i = 0; i < source.functionCount; i++) {
      a.clear();
      a.number(1, string(source.functions[2 * i]));
      a.number(3, string(source.functions[2 * i + 1]));
      dictionary.message(DICTIONARY_FUNCTION, a);
    }
    for (int i = 0; i < source.locationCount; i++) {
      c.clear();
      c.number(1, source.locations[3 * i + 1]);
      c.number(2, source.locations[3 * i + 2]);
      a.clear();
      a.number(1, source.locations[3 * i]);
      a.number(2, source.addresses[i]);
      a.message(3, c);
      packed(a, 4, frameTypes[source.locations[3 * i] - 1]);
      dictionary.message(DICTIONARY_LOCATION, a);
    }
  }

  private void packed(ProtoBuffer into, int field, int number) {
    c.clear();
    c.varint(number);
    into.message(field, c);
  }

  /** OTLP has one value per sample: samples of CPU, which servers multiply by the period. */
  private int valueIndex() {
    return kind.equals("cpu") || source.sampleTypes.size() == 1 ? 0 : 1;
  }

  private String typeName(int index) {
    String name = source.text(source.sampleTypes.get(index).type());
    return name.equals("offcpu") ? "off_cpu" : name;
  }

  private ProtoBuffer profile() {
    int value = valueIndex();
    ProtoBuffer profile = new ProtoBuffer(64 << 10);
    a.clear();
    a.number(1, string(typeName(value)));
    a.number(2, string(source.sampleTypes.get(value).unit()));
    profile.message(1, a);
    List<Map<String, String>> sets = source.labelSets();
    int stack = 1;
    for (int i = 0; i < source.sampleCount; i++) {
      long amount = amount(i, value);
      if (amount > 0) {
        stack(i);
        sample(profile, stack++, amount, sets.get(source.labelSetOf[i]));
      }
    }
    profile.fixed64(3, source.timeNanos);
    profile.number(4, source.durationNanos);
    a.clear();
    a.number(1, string(source.periodType.type()));
    a.number(2, string(source.periodType.unit()));
    profile.message(5, a);
    profile.number(6, source.period);
    UUID uuid = UUID.nameUUIDFromBytes(id.getBytes(StandardCharsets.UTF_8));
    byte[] sixteen =
        ByteBuffer.allocate(16)
            .putLong(uuid.getMostSignificantBits())
            .putLong(uuid.getLeastSignificantBits())
            .array();
    profile.bytes(7, sixteen, sixteen.length);
    return profile;
  }

  /** Time off CPU is, to OpenTelemetry, all of it: asleep and waiting for a CPU. */
  private long amount(int sample, int value) {
    int first = sample * source.sampleTypes.size();
    return source.values[first + value]
        + (kind.equals("offcpu") ? source.values[first + value + 1] : 0);
  }

  /** Location ids of pprof are positions plus 1, as are indexes here behind the zero value. */
  private void stack(int sample) {
    int start = source.stackStart(sample);
    byte[] ids = java.util.Arrays.copyOfRange(source.stacks, start, source.stackEnds[sample]);
    a.clear();
    a.bytes(1, ids, ids.length);
    dictionary.message(DICTIONARY_STACK, a);
  }

  private void sample(ProtoBuffer profile, int stack, long value, Map<String, String> labels) {
    List<Integer> indexes = new ArrayList<>();
    labels.forEach(
        (key, text) -> {
          if (!key.equals("trace_id") && !key.equals("span_id")) {
            indexes.add(attribute(key.equals("thread") ? "thread.name" : key, text));
          }
        });
    a.clear();
    a.number(1, stack);
    b.clear();
    indexes.forEach(index -> b.varint(index));
    a.message(2, b);
    a.number(3, link(labels.getOrDefault("trace_id", ""), labels.getOrDefault("span_id", "")));
    b.clear();
    b.varint(value);
    a.message(4, b);
    profile.message(2, a);
  }

  private int link(String trace, String span) {
    if (!trace.matches("[0-9a-f]{32}") || !span.matches("[0-9a-f]{16}")) {
      return 0;
    }
    Integer known = links.get(trace + span);
    if (known != null) {
      return known;
    }
    b.clear();
    b.bytes(1, HexFormat.of().parseHex(trace), 16);
    b.bytes(2, HexFormat.of().parseHex(span), 8);
    dictionary.message(DICTIONARY_LINK, b);
    links.put(trace + span, links.size() + 1);
    return links.size();
  }
}
