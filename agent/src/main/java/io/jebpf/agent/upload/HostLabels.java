package io.jebpf.agent.upload;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who and where this process is, as labels of series: from the environment that Kubernetes
 * manifests usually set and from files that are there anyway. No name service is asked.
 */
final class HostLabels {
  private static final Path NAMESPACE =
      Path.of("var/run/secrets/kubernetes.io/serviceaccount/namespace");
  private static final long FILE_BYTES_MAX = 1 << 20;

  /** The last of a path's names that is a container's id. */
  private static final Pattern CONTAINER_ID =
      Pattern.compile("(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])");

  private final Map<String, String> environment;
  private final Path root;

  /**
   * @param root directory that stands for / in tests
   */
  HostLabels(Map<String, String> environment, Path root) {
    this.environment = environment;
    this.root = root;
  }

  /**
   * All labels of a service's process. What the user says wins.
   *
   * @param labels the option of this name
   */
  Map<String, String> of(String service, long pid, Map<String, String> labels) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("service_name", service);
    String host = host();
    Optional<String> pod = pod(host);
    all.put("instance", pod.orElse(host) + ":" + pid);
    all.put("pid", Long.toString(pid));
    put(all, "pod", pod);
    put(all, "namespace", namespace());
    put(all, "node", first("NODE_NAME", "KUBERNETES_NODE_NAME", "K8S_NODE_NAME", "k8s.node.name"));
    put(all, "container", first("CONTAINER_NAME", "K8S_CONTAINER_NAME", "k8s.container.name"));
    put(all, "container_id", containerId());
    all.put("host", host);
    all.putAll(labels);
    return all;
  }

  private static void put(Map<String, String> all, String key, Optional<String> value) {
    value.ifPresent(text -> all.put(key, text));
  }

  private String host() {
    return read(Path.of("proc/sys/kernel/hostname"))
        .or(() -> Optional.ofNullable(environment.get("HOSTNAME")))
        .filter(name -> !name.isBlank())
        .orElse("localhost");
  }

  /** In a pod without a name in its environment, the host's name is the pod's. */
  private Optional<String> pod(String host) {
    return first("POD_NAME", "KUBERNETES_POD_NAME", "K8S_POD_NAME", "k8s.pod.name")
        .or(
            () ->
                environment.containsKey("KUBERNETES_SERVICE_HOST")
                    ? Optional.of(host)
                    : Optional.empty());
  }

  private Optional<String> namespace() {
    return first("POD_NAMESPACE", "KUBERNETES_NAMESPACE", "K8S_NAMESPACE", "k8s.namespace.name")
        .or(() -> read(NAMESPACE));
  }

  /** Variables, and the attribute of OpenTelemetry that means the same. */
  private Optional<String> first(String... names) {
    for (String name : names) {
      String value = environment.get(name);
      if (value != null && !value.isBlank()) {
        return Optional.of(value.strip());
      }
    }
    String attribute = names[names.length - 1] + "=";
    for (String pair : environment.getOrDefault("OTEL_RESOURCE_ATTRIBUTES", "").split(",")) {
      if (pair.strip().startsWith(attribute)) {
        return Optional.of(pair.strip().substring(attribute.length()));
      }
    }
    return Optional.empty();
  }

  /** Control groups of version 1 name the container; with version 2 its mounts do. */
  private Optional<String> containerId() {
    Optional<String> id = read(Path.of("proc/self/cgroup")).flatMap(HostLabels::id);
    if (id.isPresent()) {
      return id;
    }
    for (String line : read(Path.of("proc/self/mountinfo")).orElse("").split("\n")) {
      List<String> fields = List.of(line.split(" "));
      boolean isOwn =
          fields.size() > 4
              && List.of("/etc/hostname", "/etc/hosts", "/etc/resolv.conf").contains(fields.get(4));
      if (isOwn) {
        Optional<String> found = id(fields.get(3));
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> id(String text) {
    Matcher matcher = CONTAINER_ID.matcher(text);
    Optional<String> last = Optional.empty();
    while (matcher.find()) {
      last = Optional.of(matcher.group());
    }
    return last;
  }

  private Optional<String> read(Path file) {
    try (var in = Files.newInputStream(root.resolve(file))) {
      String text = new String(in.readNBytes((int) FILE_BYTES_MAX), StandardCharsets.UTF_8).strip();
      return text.isEmpty() ? Optional.empty() : Optional.of(text);
    } catch (IOException e) {
      return Optional.empty(); // not there: not that kind of system
    }
  }
}
