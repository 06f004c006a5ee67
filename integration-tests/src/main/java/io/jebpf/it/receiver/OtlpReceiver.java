package io.jebpf.it.receiver;

import io.jebpf.it.pprof.Profile;
import io.opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest;
import io.opentelemetry.proto.common.v1.KeyValue;
import io.opentelemetry.proto.profiles.v1development.Function;
import io.opentelemetry.proto.profiles.v1development.KeyValueAndUnit;
import io.opentelemetry.proto.profiles.v1development.Line;
import io.opentelemetry.proto.profiles.v1development.Link;
import io.opentelemetry.proto.profiles.v1development.Location;
import io.opentelemetry.proto.profiles.v1development.Mapping;
import io.opentelemetry.proto.profiles.v1development.ProfilesDictionary;
import io.opentelemetry.proto.profiles.v1development.ResourceProfiles;
import io.opentelemetry.proto.profiles.v1development.Sample;
import io.opentelemetry.proto.profiles.v1development.ScopeProfiles;
import io.opentelemetry.proto.profiles.v1development.Stack;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Takes OTLP profiles over HTTP, read with the published message classes, and enforces the rules of
 * Pyroscope's and Parca's converters (facts/protocols.md 2.7, 3.7, 4).
 */
public final class OtlpReceiver extends ProfileReceiver {
  @Override
  List<Received> decode(Exchange request) throws Refusal, IOException {
    require(request.path().equals("/v1development/profiles"), "path " + request.path());
    require("application/x-protobuf".equals(request.headers().get("content-type")), "content type");
    require("gzip".equals(request.headers().get("content-encoding")), "content encoding");
    ExportProfilesServiceRequest export =
        ExportProfilesServiceRequest.parseFrom(
            new GZIPInputStream(new ByteArrayInputStream(request.body())));
    require(export.getUnknownFields().asMap().isEmpty(), "unknown fields in the request");
    require(export.hasDictionary(), "no dictionary");
    ProfilesDictionary dictionary = export.getDictionary();
    check(dictionary);
    List<Received> found = new ArrayList<>();
    for (ResourceProfiles resource : export.getResourceProfilesList()) {
      Map<String, String> labels = new LinkedHashMap<>();
      for (KeyValue attribute : resource.getResource().getAttributesList()) {
        labels.put(attribute.getKey(), attribute.getValue().getStringValue());
      }
      require(!labels.getOrDefault("service.name", "").isEmpty(), "no service.name");
      for (ScopeProfiles scope : resource.getScopeProfilesList()) {
        for (var profile : scope.getProfilesList()) {
          Map<String, String> series = new LinkedHashMap<>(labels);
          Profile read = profile(profile, dictionary);
          series.put("__name__", metric(read));
          found.add(new Received(series, "", read));
        }
      }
    }
    require(!found.isEmpty(), "no profile");
    return found;
  }

  /** As Pyroscope names them. */
  private static String metric(Profile profile) {
    return switch (profile.sampleTypes().get(0)) {
      case "samples/count" -> "process_cpu";
      case "off_cpu/nanoseconds" -> "offcpu";
      default -> profile.periodType().split("/")[0];
    };
  }

  private static void check(ProfilesDictionary dictionary) throws Refusal {
    require(dictionary.getMappingTableCount() > 0, "no mapping table");
    require(dictionary.getMappingTable(0).equals(Mapping.getDefaultInstance()), "mapping 0");
    require(dictionary.getLocationTable(0).equals(Location.getDefaultInstance()), "location 0");
    require(dictionary.getFunctionTable(0).equals(Function.getDefaultInstance()), "function 0");
    require(dictionary.getStringTable(0).isEmpty(), "string 0");
    require(dictionary.getStackTable(0).equals(Stack.getDefaultInstance()), "stack 0");
    require(
        dictionary.getAttributeTable(0).equals(KeyValueAndUnit.getDefaultInstance()),
        "attribute 0");
    for (Link link : dictionary.getLinkTableList()) {
      require(link.getTraceId().size() == 16 && link.getSpanId().size() == 8, "link " + link);
    }
    for (KeyValueAndUnit attribute : dictionary.getAttributeTableList()) {
      require(
          attribute.equals(KeyValueAndUnit.getDefaultInstance())
              || attribute.getKeyStrindex() > 0 && !attribute.getValue().getStringValue().isEmpty(),
          "attribute " + attribute);
    }
  }

  private static Profile profile(
      io.opentelemetry.proto.profiles.v1development.Profile profile, ProfilesDictionary dictionary)
      throws Refusal {
    require(profile.getSamplesCount() > 0, "no samples");
    require(profile.getProfileId().size() == 16, "profile id");
    require(profile.hasPeriodType() && profile.getPeriodType().getTypeStrindex() > 0, "period");
    require(profile.getDurationNano() > 0, "duration");
    List<Profile.Stack> stacks = new ArrayList<>();
    for (Sample sample : profile.getSamplesList()) {
      require(sample.getValuesCount() == 1 && sample.getValues(0) > 0, "values " + sample);
      require(sample.getStackIndex() > 0, "no stack");
      List<Profile.Frame> frames = new ArrayList<>();
      for (int index : dictionary.getStackTable(sample.getStackIndex()).getLocationIndicesList()) {
        frames.add(frame(dictionary, dictionary.getLocationTable(index)));
      }
      Map<String, String> labels = new LinkedHashMap<>();
      for (int index : sample.getAttributeIndicesList()) {
        KeyValueAndUnit attribute = dictionary.getAttributeTable(index);
        labels.put(
            dictionary.getStringTable(attribute.getKeyStrindex()),
            attribute.getValue().getStringValue());
      }
      stacks.add(new Profile.Stack(frames, labels, new long[] {sample.getValues(0)}));
    }
    return new Profile(
        Path.of("received"),
        List.of(
            dictionary.getStringTable(profile.getSampleType().getTypeStrindex())
                + "/"
                + dictionary.getStringTable(profile.getSampleType().getUnitStrindex())),
        stacks,
        List.of(),
        profile.getTimeUnixNano(),
        profile.getDurationNano(),
        dictionary.getStringTable(profile.getPeriodType().getTypeStrindex())
            + "/"
            + dictionary.getStringTable(profile.getPeriodType().getUnitStrindex()),
        profile.getPeriod());
  }

  private static Profile.Frame frame(ProfilesDictionary dictionary, Location location)
      throws Refusal {
    require(location.getMappingIndex() > 0, "a location without mapping");
    require(location.getLinesCount() == 1, "lines");
    require(location.getAttributeIndicesCount() == 1, "a location without a frame type");
    Line line = location.getLines(0);
    Function function = dictionary.getFunctionTable(line.getFunctionIndex());
    return new Profile.Frame(
        dictionary.getStringTable(function.getNameStrindex()),
        dictionary.getStringTable(function.getFilenameStrindex()),
        line.getLine(),
        dictionary.getStringTable(
            dictionary.getMappingTable(location.getMappingIndex()).getFilenameStrindex()));
  }

  @Override
  Exchange.Answer accepted() {
    return new Exchange.Answer(200, Map.of("Content-Type", "application/x-protobuf"), new byte[0]);
  }

  @Override
  Exchange.Answer refused(String rule) {
    return new Exchange.Answer(400, Map.of(), utf8(rule == null ? "" : rule));
  }
}
