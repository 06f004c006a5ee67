package io.jebpf.agent.upload;

import io.jebpf.agent.pprof.OtlpProfile;
import io.jebpf.agent.pprof.ProfileSource;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/**
 * OTLP profiles over HTTP, in the form of OTLP 1.11. Experimental: the format is an alpha and each
 * of its last releases broke the wire, so a server of another release may refuse or misread it.
 * Written with our own encoder: the published message classes would make the jar nearly twice as
 * large.
 */
final class OtlpExport implements Protocol {
  private static final Map<String, String> HEADERS =
      Map.of("Content-Type", "application/x-protobuf", "Content-Encoding", "gzip");

  private static final Map<String, String> RESOURCE_KEYS =
      Map.of(
          "service_name", "service.name",
          "instance", "service.instance.id",
          "host", "host.name",
          "pid", "process.pid",
          "container_id", "container.id",
          "pod", "k8s.pod.name",
          "namespace", "k8s.namespace.name",
          "node", "k8s.node.name");

  @Override
  public List<Call> calls(
      ProfileSource source, String kind, Map<String, String> identity, String entry)
      throws IOException {
    byte[] message =
        new OtlpProfile(source, kind, entry + "/" + source.nextSample())
            .encode(identity, RESOURCE_KEYS);
    ByteArrayOutputStream body = new ByteArrayOutputStream(message.length / 2);
    try (GZIPOutputStream gzip = new GZIPOutputStream(body)) {
      gzip.write(message);
    }
    return List.of(new Call("/v1development/profiles", HEADERS, body.toByteArray()));
  }

  @Override
  public Verdict judge(Reply.Answer answer) {
    // A partial success has the number of refused profiles in field 1 of its field 1.
    byte[] body = answer.body();
    boolean refused =
        answer.status() == 200 && body.length > 3 && body[0] == 0x0a && body[2] == 0x08;
    return refused && body[3] != 0
        ? Verdict.of(Verdict.Kind.REFUSED, answer.shown())
        : HttpVerdicts.of(answer);
  }

  @Override
  public long labelsFolded() {
    return 0; // samples keep their attributes
  }
}
