package io.jebpf.agent.options;

import io.jebpf.agent.options.Options.LogLevel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * Reads the options from all sources. The agent argument wins over system properties, these over
 * the environment, this over the config file. Nothing is replaced in silence: an unknown key or a
 * bad value refuses the whole set.
 *
 * <p>Unknown environment variables are the exception, and are ignored: a Kubernetes service named
 * {@code jebpf} puts {@code JEBPF_PORT} and {@code JEBPF_SERVICE_HOST} into every container.
 */
public final class OptionParser {
  /** A config file is a handful of lines; more is some other file. */
  private static final long CONFIG_BYTES_MAX = 64 << 10;

  private static final int LABELS_MAX = 32;
  private static final int LABEL_CHARS_MAX = 256;

  private final OptionSources sources;
  private final Map<Option, Given> given = new EnumMap<>(Option.class);

  private record Given(String value, String origin) {}

  /** Leaves the parser with the line to show. Stays inside this class. */
  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;
    private final String choices;

    Refusal(String problem, String choices) {
      super(problem);
      this.choices = choices;
    }
  }

  private OptionParser(OptionSources sources) {
    this.sources = sources;
  }

  public static ParsedOptions parse(OptionSources sources) {
    try {
      return new ParsedOptions.Accepted(new OptionParser(sources).parseAll());
    } catch (Refusal refusal) {
      return new ParsedOptions.Refused(refusal.getMessage(), refusal.choices);
    }
  }

  private Options parseAll() throws Refusal {
    readAgentArgument();
    readProperties();
    readEnvironment();
    Given config = given.get(Option.CONFIG);
    if (config != null) {
      readConfig(config);
    }
    String service = service();
    return new OptionsBuilder(service)
        .out(out(service))
        .diskBytes(number(Option.DISK))
        .windowNanos(number(Option.WINDOW))
        .cpuHz((int) number(Option.CPU))
        .offCpu(offCpu())
        .history(new HistoryOptions(number(Option.HISTORY), number(Option.HISTORY_SIZE)))
        .stacks(stacks())
        .budgetMillionths(number(Option.BUDGET))
        .uploads(uploads(service))
        .labels(labels())
        .http(http())
        .dumps(dumps())
        .context(context())
        .logLevel(logLevel())
        .logFile(path(Option.LOG_FILE))
        .nativeDir(path(Option.NATIVE_DIR))
        .build();
  }

  private void readAgentArgument() throws Refusal {
    if (sources.agentArgument().isBlank()) {
      return;
    }
    boolean secret = false;
    for (String pair : sources.agentArgument().split(",", -1)) {
      if (secret && pair.indexOf('=') <= 0) { // the rest of a password that has a comma
        throw new Refusal(
            "a secret in the agent argument has a comma",
            "Give it in the environment, a property or a file");
      }
      readPair(pair, "the agent argument");
      secret = isSecret(pair);
    }
  }

  private static boolean isSecret(String pair) {
    String key = pair.substring(0, Math.max(0, pair.indexOf('='))).strip();
    return Option.ofKey(key).filter(Option::isSecret).isPresent();
  }

  private void readPair(String pair, String origin) throws Refusal {
    int equals = pair.indexOf('=');
    if (equals <= 0) {
      throw new Refusal(
          "'" + pair + "' in " + origin + " is not key=value",
          "Write key=value,key=value with these keys: "
              + Option.keys()
              + "; a value that holds a comma goes into a property or the config file");
    }
    give(pair.substring(0, equals).strip(), pair.substring(equals + 1).strip(), origin);
  }

  private void give(String key, String value, String origin) throws Refusal {
    Optional<Option> option = Option.ofKey(key);
    if (option.isEmpty()) {
      throw new Refusal("unknown key '" + key + "' in " + origin, "The keys are: " + Option.keys());
    }
    Given here = new Given(value, origin);
    Given earlier = given.putIfAbsent(option.get(), here);
    if (earlier != null && earlier.origin().equals(origin)) {
      throw new Refusal("key '" + key + "' is given twice in " + origin, "Give it once");
    }
    if (option.get().hasRange()) {
      number(option.get(), here);
    }
  }

  private void readProperties() throws Refusal {
    for (Map.Entry<String, String> entry : new TreeMap<>(sources.properties()).entrySet()) {
      if (entry.getKey().startsWith("jebpf.")) {
        String key = entry.getKey().substring("jebpf.".length());
        give(key, entry.getValue().strip(), "-D" + entry.getKey());
      }
    }
  }

  private void readEnvironment() throws Refusal {
    for (Option option : Option.values()) {
      String value = sources.environment().get(option.environmentName());
      if (value != null) {
        give(option.key(), value.strip(), "environment variable " + option.environmentName());
      }
    }
  }

  private void readConfig(Given config) throws Refusal {
    String origin = "config file " + config.value();
    List<String> lines;
    try {
      Path file = Path.of(config.value());
      if (Files.size(file) > CONFIG_BYTES_MAX) {
        throw new Refusal(
            origin + " has " + Files.size(file) + " bytes",
            "A config file has at most " + CONFIG_BYTES_MAX + " bytes of key=value lines");
      }
      lines = Files.readAllLines(file, StandardCharsets.UTF_8);
    } catch (IOException | InvalidPathException e) {
      throw new Refusal(
          origin + " cannot be read: " + e, "Name a readable UTF-8 file of key=value lines");
    }
    for (String line : lines) {
      String text = line.strip();
      if (text.isEmpty() || text.startsWith("#")) {
        continue;
      }
      if (text.startsWith(Option.CONFIG.key() + "=")) {
        throw new Refusal("'config' inside " + origin, "A config file cannot name another one");
      }
      readPair(text, origin);
    }
  }

  private long number(Option option) throws Refusal {
    Given value = given.get(option);
    return number(option, value == null ? new Given(option.standard(), "the default") : value);
  }

  private static long number(Option option, Given value) throws Refusal {
    OptionalLong number = option.type().number(value.value());
    if (number.isEmpty()
        || number.getAsLong() < option.range().low()
        || number.getAsLong() > option.range().high()) {
      throw refusal(option, value, option.rangeText() + ", written as " + option.type().form());
    }
    return number.getAsLong();
  }

  private static Refusal refusal(Option option, Given value, String choices) {
    String shown = option.isSecret() ? "" : " '" + value.value() + "'";
    return new Refusal(
        "bad value" + shown + " for '" + option.key() + "' in " + value.origin(),
        "Valid are: " + choices.replace("`", ""));
  }

  private String service() throws Refusal {
    Given value = given.get(Option.SERVICE);
    if (value == null) {
      return serviceOf(sources.command());
    }
    if (value.value().isEmpty() || value.value().length() > LABEL_CHARS_MAX) {
      throw refusal(Option.SERVICE, value, "texts of 1 to " + LABEL_CHARS_MAX + " characters");
    }
    return value.value();
  }

  /** Jar name without its ending, or main class; "java" when the JVM was not started by one. */
  static String serviceOf(String command) {
    String text = command.strip();
    int jar = text.indexOf(".jar");
    boolean isJar = jar > 0 && (jar + 4 == text.length() || text.charAt(jar + 4) == ' ');
    if (isJar) {
      text = text.substring(0, jar);
      return nonEmpty(text.substring(text.lastIndexOf('/') + 1));
    }
    int space = text.indexOf(' ');
    text = space < 0 ? text : text.substring(0, space);
    return nonEmpty(text.substring(text.lastIndexOf('/') + 1)); // module/main.Class
  }

  private static String nonEmpty(String text) {
    return text.isEmpty() ? "java" : text;
  }

  private Optional<Path> out(String service) throws Refusal {
    Given value = given.get(Option.OUT);
    if (value != null) {
      return value.value().equals("off") ? Optional.empty() : path(Option.OUT);
    }
    String name = safe(service) + "-" + sources.pid();
    return Optional.of(Path.of(sources.temporaryDirectory(), "jebpf", name));
  }

  /** As part of a file name. */
  private static String safe(String text) {
    String name = text.replaceAll("[^A-Za-z0-9._-]", "_");
    return name.substring(0, Math.min(name.length(), 100));
  }

  private Optional<Path> path(Option option) throws Refusal {
    Given value = given.get(option);
    if (value == null) {
      return Optional.empty();
    }
    try {
      if (!value.value().isEmpty()) {
        return Optional.of(Path.of(value.value()).toAbsolutePath());
      }
    } catch (InvalidPathException e) {
      throw refusal(option, value, "paths of this system (" + e.getReason() + ")");
    }
    throw refusal(option, value, "a " + option.type().form());
  }

  private OffCpuOptions offCpu() throws Refusal {
    long tick = number(Option.OFFCPU);
    if (!OffCpuOptions.isTick(tick)) {
      throw refusal(Option.OFFCPU, given.get(Option.OFFCPU), "0, and 100us to 1s");
    }
    return new OffCpuOptions(
        tick,
        flag(Option.OFFCPU_IDLE),
        number(Option.OFFCPU_WAKER),
        flag(Option.OFFCPU_WAKER_STACK),
        flag(Option.OFFCPU_VTHREADS));
  }

  private DumpOptions dumps() throws Refusal {
    Given value = given.get(Option.DUMP_ON);
    String text = value == null ? Option.DUMP_ON.standard() : value.value();
    Set<String> on = text.equals("off") ? Set.of() : new LinkedHashSet<>(List.of(text.split(";")));
    if (!DumpOptions.EVENTS.containsAll(on)) {
      throw refusal(Option.DUMP_ON, value, "off, or some of file;exit;oom");
    }
    return new DumpOptions(
        on,
        number(Option.DUMP_LAST),
        (int) number(Option.DUMP_HOURLY),
        level(Option.DUMP_CPU, false),
        level(Option.DUMP_OFFCPU, true),
        number(Option.DUMP_GC));
  }

  private Optional<DumpOptions.Level> level(Option option, boolean ofThreads) throws Refusal {
    Given value = given.get(option);
    if (value == null || value.value().equals("none")) {
      return Optional.empty();
    }
    Optional<DumpOptions.Level> level = DumpOptions.Level.parse(value.value(), ofThreads);
    if (level.isEmpty()) {
      throw refusal(option, value, ofThreads ? "http-*:80%/10s" : "150%/10s");
    }
    return level;
  }

  private Optional<HttpOptions> http() throws Refusal {
    Given value = given.get(Option.HTTP);
    if (value == null || value.value().equals("off")) {
      return Optional.empty();
    }
    Given token = given.get(Option.HTTP_TOKEN);
    Optional<HttpOptions> parsed =
        HttpOptions.parse(value.value(), token == null ? "" : token.value());
    if (parsed.isEmpty()) {
      throw refusal(Option.HTTP, value, "a port, or host:port");
    }
    return parsed;
  }

  private ContextOptions context() throws Refusal {
    Given value = given.get(Option.INSTRUMENT);
    String text = value == null ? Option.INSTRUMENT.standard() : value.value();
    if (!text.equals("on") && !text.equals("off")) {
      throw refusal(Option.INSTRUMENT, value, Option.INSTRUMENT.type().form());
    }
    return new ContextOptions(
        text.equals("on"),
        (int) number(Option.ROOTSPANS),
        flag(Option.ENDPOINTS),
        flag(Option.CONTEXT_SHARE));
  }

  private UploadOptions uploads(String service) throws Refusal {
    Map<Option, String> values = new EnumMap<>(Option.class);
    given.forEach((option, value) -> values.put(option, value.value()));
    Path temporary =
        Path.of(sources.temporaryDirectory(), "jebpf", "spool-" + safe(sources.user()));
    Path spool =
        given.containsKey(Option.OUT)
            ? out(service).map(out -> out.resolve("spool")).orElse(temporary)
            : temporary;
    try {
      return new UploadOptionReader(values).read(spool, number(Option.PYROSCOPE_AGE));
    } catch (UploadOptionReader.BadValue bad) {
      throw refusal(bad.option(), given.get(bad.option()), bad.choices());
    }
  }

  private StackOptions stacks() throws Refusal {
    return new StackOptions(
        (int) number(Option.DEPTH),
        flag(Option.VTHREAD),
        flag(Option.CARRIER),
        flag(Option.HIDDEN),
        flag(Option.TIERS),
        flag(Option.OWN_FRAMES));
  }

  private boolean flag(Option option) throws Refusal {
    Given value = given.get(option);
    String text = value == null ? option.standard() : value.value();
    if (!text.equals("true") && !text.equals("false")) {
      throw refusal(option, value, option.type().form());
    }
    return text.equals("true");
  }

  private LogLevel logLevel() throws Refusal {
    Given value = given.get(Option.LOG);
    String text = value == null ? Option.LOG.standard() : value.value();
    for (LogLevel level : LogLevel.values()) {
      if (level.name().toLowerCase(Locale.ROOT).equals(text)) {
        return level;
      }
    }
    throw refusal(Option.LOG, value, Option.LOG.type().form());
  }

  private Map<String, String> labels() throws Refusal {
    Given value = given.get(Option.LABELS);
    Map<String, String> labels = new LinkedHashMap<>();
    if (value == null) {
      return labels;
    }
    for (String pair : value.value().split(";", -1)) {
      int colon = pair.indexOf(':');
      String key = colon < 0 ? pair : pair.substring(0, colon);
      String text = colon < 0 ? "" : pair.substring(colon + 1);
      boolean good =
          key.matches("[a-zA-Z_][a-zA-Z0-9_]*")
              && !text.isEmpty()
              && pair.length() <= LABEL_CHARS_MAX
              && !key.equals("thread")
              && !key.equals("vthread");
      if (!good || labels.put(key, text) != null || labels.size() > LABELS_MAX) {
        throw refusal(
            Option.LABELS,
            value,
            "at most "
                + LABELS_MAX
                + " different k:v;k:v, keys of letters, digits and _ (not 'thread' or 'vthread'),"
                + " each pair of at most "
                + LABEL_CHARS_MAX
                + " characters");
      }
    }
    return labels;
  }
}
