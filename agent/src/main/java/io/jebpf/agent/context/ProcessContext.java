package io.jebpf.agent.context;

import io.jebpf.agent.pprof.ProtoBuffer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a process tells other profilers about itself (OTEP 4719), in its serialized form: who it is,
 * and how its threads' records are to be read (OTEP 4947). Pure.
 *
 * <pre>
 * ProcessContext { Resource resource = 1; repeated KeyValue attributes = 2 }
 * Resource       { repeated KeyValue attributes = 1 }
 * KeyValue       { string key = 1; AnyValue value = 2 }
 * AnyValue       { string string_value = 1; ArrayValue array_value = 5 }
 * ArrayValue     { repeated AnyValue values = 1 }
 * </pre>
 */
final class ProcessContext {
  static final String SCHEMA = "threadlocal.schema_version";
  static final String KEYS = "threadlocal.attribute_key_map";

  /** The one that has records as we write them. */
  static final String SCHEMA_VERSION = "tlsdesc_v1_dev";

  private static final String MAPPING_NAME = "OTEL_CTX";

  private ProcessContext() {}

  /**
   * The payload.
   *
   * @param resource attributes of the process
   * @param keys of the attributes of threads, by number
   */
  static byte[] payload(Map<String, String> resource, String[] keys) {
    ProtoBuffer attributes = new ProtoBuffer(256);
    resource.forEach((key, value) -> attributes.message(1, keyValue(key, string(value))));
    ProtoBuffer values = new ProtoBuffer(256);
    for (String key : keys) {
      values.message(1, string(key));
    }
    ProtoBuffer list = new ProtoBuffer(256);
    list.message(5, values);
    ProtoBuffer context = new ProtoBuffer(512);
    context.message(1, attributes);
    context.message(2, keyValue(SCHEMA, string(SCHEMA_VERSION)));
    context.message(2, keyValue(KEYS, list));
    return context.toByteArray();
  }

  private static ProtoBuffer keyValue(String key, ProtoBuffer value) {
    ProtoBuffer pair = new ProtoBuffer(64);
    pair.text(1, key);
    pair.message(2, value);
    return pair;
  }

  private static ProtoBuffer string(String value) {
    ProtoBuffer any = new ProtoBuffer(64);
    any.text(1, value);
    return any;
  }

  /** Whether this process has one already: there is to be one only. */
  static boolean isPublished() throws IOException {
    return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1)
        .contains(MAPPING_NAME);
  }
}
