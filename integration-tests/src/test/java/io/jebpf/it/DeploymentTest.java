package io.jebpf.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.jebpf.it.harness.ChildJvm;
import io.jebpf.it.harness.ChildResult;
import io.jebpf.it.harness.Locations;
import io.jebpf.it.workload.BusyLoad;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of docs/deployment: of their form, and with rights under which the agent works. */
@Beside
class DeploymentTest {
  private static final Path EXAMPLES =
      Locations.module().resolveSibling("docs").resolve("deployment");
  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
  private static final String ORDINARY = "1234";

  @TempDir Path directory;

  private static String text(String example) throws IOException {
    return Files.readString(EXAMPLES.resolve(example));
  }

  private static JsonNode yaml(String example) throws IOException {
    return YAML.readTree(text(example));
  }

  @Test
  void everyExampleIsInTheDocumentAndTheOtherWayRound() throws IOException {
    String page = Files.readString(EXAMPLES.resolveSibling("deployment.md"));
    Set<String> linked = new TreeSet<>();
    Matcher links = Pattern.compile("\\(deployment/([^)]+)\\)").matcher(page);
    while (links.find()) {
      linked.add(links.group(1));
    }
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      assertEquals(
          files.map(f -> f.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new)),
          linked);
    }
  }

  /** A key that the agent does not know would keep it off. */
  @Test
  void everyOptionInTheExamplesExists() throws IOException {
    String options = Files.readString(EXAMPLES.resolveSibling("options.md"));
    Pattern use = Pattern.compile("\\bJEBPF_([A-Z_]+)\\b|option (\\w+)=");
    List<Path> pages = new ArrayList<>(List.of(EXAMPLES.resolveSibling("deployment.md")));
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      files.forEach(pages::add);
    }
    for (Path page : pages) {
      Matcher uses = use.matcher(Files.readString(page));
      while (uses.find()) {
        String key =
            uses.group(1) != null
                ? uses.group(1).toLowerCase(Locale.ROOT).replace('_', '.')
                : uses.group(2);
        assertTrue(options.contains("| `" + key + "` |"), () -> key + " in " + page);
      }
    }
  }

  @Test
  void systemdTakesTheUnit() throws Exception {
    Tools.need("systemd-analyze");
    Tools.Outcome outcome =
        Tools.run(
            directory,
            "systemd-analyze",
            "verify",
            "--man=no",
            EXAMPLES.resolve("app.service").toString());
    assertEquals("", outcome.output());
    assertEquals(0, outcome.exitCode());
  }

  /** Capabilities, user and no_new_privs of the unit. */
  @Test
  @KernelTest
  void theAgentWorksWithTheRightsOfTheUnit() throws Exception {
    Tools.need("setpriv");
    String unit = text("app.service");
    String caps = capabilities(field(unit, "AmbientCapabilities"));
    assertEquals(field(unit, "AmbientCapabilities"), field(unit, "CapabilityBoundingSet"));
    assertTrue(unit.contains("\nNoNewPrivileges=yes\n"));
    assertFull(
        "setpriv",
        "--reuid=" + ORDINARY,
        "--regid=" + ORDINARY,
        "--clear-groups",
        "--inh-caps=-all," + caps,
        "--ambient-caps=-all," + caps,
        "--bounding-set=-all," + caps,
        "--no-new-privs");
  }

  /** User, capabilities and no_new_privs of the container, its own mounts and process numbers. */
  @Test
  @KernelTest
  void theAgentWorksWithTheRightsOfThePod() throws Exception {
    Tools.need("setpriv");
    JsonNode context =
        yaml("kubernetes.yaml").at("/spec/template/spec/containers/0/securityContext");
    assertEquals(0, context.get("runAsUser").asInt());
    assertFalse(context.get("allowPrivilegeEscalation").asBoolean());
    assertEquals("ALL", context.at("/capabilities/drop/0").asText());
    List<String> names = new ArrayList<>();
    context.at("/capabilities/add").forEach(name -> names.add("CAP_" + name.asText()));
    JsonNode compose = yaml("compose.yaml").at("/services/app");
    List<String> composed = new ArrayList<>();
    compose.get("cap_add").forEach(name -> composed.add("CAP_" + name.asText()));
    assertEquals(names, composed, "the two container examples give the same");
    assertFull(
        "unshare",
        "-m",
        "-p",
        "-f",
        "--mount-proc",
        "setpriv",
        "--bounding-set=-all," + capabilities(String.join(" ", names)),
        "--no-new-privs");
  }

  /** The seccomp profile as a real filter of every JVM thread. */
  @Test
  @KernelTest
  void theAgentWorksUnderTheSeccompProfile() throws Exception {
    JsonNode profile = new ObjectMapper().readTree(text("jebpf-seccomp.json"));
    assertEquals("SCMP_ACT_ALLOW", profile.get("defaultAction").asText());
    List<String> names = new ArrayList<>();
    profile.at("/syscalls/0/names").forEach(name -> names.add(name.asText()));
    assertTrue(names.contains("mount") && names.contains("kexec_load"), names.toString());
    StringBuilder rules = new StringBuilder();
    for (String name : names) {
      rules
          .append("#ifdef __NR_")
          .append(name)
          .append("\nX(__NR_")
          .append(name)
          .append(")\n#endif\n");
    }
    Files.writeString(directory.resolve("names.h"), rules);
    Path filter = Tools.compile(directory, "seccomp.c", "seccomp", "-I", directory.toString());
    assertEquals(1, Tools.run(directory, filter.toString(), "unshare", "-m", "true").exitCode());
    assertFull(filter.toString());
  }

  private static String field(String unit, String name) {
    return unit.lines()
        .filter(line -> line.startsWith(name + "="))
        .findFirst()
        .orElseThrow()
        .substring(name.length() + 1);
  }

  /** CAP_BPF CAP_X as setpriv writes them: +bpf,+x. */
  private static String capabilities(String names) {
    return Stream.of(names.split(" "))
        .map(name -> "+" + name.substring("CAP_".length()).toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(","));
  }

  /** A JVM under the agent misses nothing, and writes whole profiles with kernel names. */
  private void assertFull(String... prefix) throws IOException {
    Path work = Files.createDirectories(directory.resolve("jvm"));
    for (Path path : List.of(directory, work)) {
      Files.setPosixFilePermissions(
          path, java.nio.file.attribute.PosixFilePermissions.fromString("rwxrwxrwx"));
    }
    ChildResult result =
        ChildJvm.in(work)
            .agent("cpu=499,budget=100%,window=2s")
            .quick()
            .prefix(prefix)
            .main(BusyLoad.class, 1)
            .run(Deadlines.RUN_SECONDS);
    assertEquals(0, result.exitCode(), result::toString);
    assertTrue(result.stderr().contains(" started: "), result::toString);
    assertFalse(result.stderr().contains("missing:"), result::toString);
    Profiles.assertRules(result);
    assertTrue(result.picture().samples() > 100, () -> result.picture().troubles());
    assertTrue(result.picture().namedShare() > 0.99, () -> result.picture().troubles());
  }

  /** The model of the API server's own schema; what it does not know, it keeps aside. */
  @Test
  void kubernetesKnowsEveryField() throws Exception {
    for (String example : List.of("kubernetes.yaml", "kubernetes-old-runtime.yaml")) {
      Deployment deployment = YAML.readValue(text(example), Deployment.class);
      assertEquals("app", deployment.getMetadata().getName());
      List<String> unknown = new ArrayList<>();
      unknownFields(deployment, "", unknown);
      assertEquals(List.of(), unknown, example);
    }
    Deployment misspelt =
        YAML.readValue(
            text("kubernetes.yaml").replace("readOnlyRootFilesystem", "readOnlyRoot"),
            Deployment.class);
    List<String> found = new ArrayList<>();
    unknownFields(misspelt, "", found);
    assertEquals(1, found.size(), "the check finds what is wrong: " + found);
  }

  private static void unknownFields(Object bean, String path, List<String> unknown)
      throws ReflectiveOperationException {
    if (bean instanceof Collection<?> items) {
      for (Object item : items) {
        unknownFields(item, path + "[]", unknown);
      }
      return;
    }
    if (bean == null || !bean.getClass().getName().startsWith("io.fabric8.kubernetes.api.model")) {
      return;
    }
    for (Method method : bean.getClass().getMethods()) {
      boolean getter = method.getParameterCount() == 0 && method.getName().startsWith("get");
      if (getter && method.getName().equals("getAdditionalProperties")) {
        ((Map<?, ?>) method.invoke(bean)).keySet().forEach(key -> unknown.add(path + "." + key));
      } else if (getter
          && !method.isAnnotationPresent(com.fasterxml.jackson.annotation.JsonIgnore.class)) {
        unknownFields(method.invoke(bean), path + "." + method.getName().substring(3), unknown);
      }
    }
  }

  /** Parca panics, or marks a target as down, on what the facts of protocols say. */
  @Test
  void theScrapersAskForWhatThereIs() throws IOException {
    JsonNode parca = yaml("parca.yaml").at("/scrape_configs/0");
    JsonNode profiles = parca.at("/profiling_config/pprof_config");
    Set<String> paths = new TreeSet<>();
    profiles.forEach(
        profile -> {
          if (profile.get("enabled").asBoolean()) {
            assertTrue(profile.get("delta").asBoolean(), profile.toString());
            paths.add(profile.get("path").asText());
          }
        });
    assertEquals(Set.of("/debug/pprof/offcpu", "/debug/pprof/profile", "/debug/pprof/wall"), paths);
    for (String absent : List.of("memory", "block", "goroutine", "mutex")) {
      assertFalse(profiles.at("/" + absent + "/enabled").asBoolean(true), absent);
    }
    JsonNode prometheus = yaml("prometheus.yaml").at("/scrape_configs/0");
    assertEquals("/metrics", prometheus.get("metrics_path").asText());
    assertEquals(2, yaml("grafana-datasources.yaml").get("datasources").size());
    String alloy = text("config.alloy");
    assertEquals(
        alloy.chars().filter(c -> c == '{').count(), alloy.chars().filter(c -> c == '}').count());
    assertTrue(alloy.contains("forward_to      = [pyroscope.write.server.receiver]"));
    for (String block : List.of("pyroscope.scrape \"app\"", "pyroscope.write \"server\"")) {
      assertTrue(alloy.contains(block), block);
    }
  }
}
