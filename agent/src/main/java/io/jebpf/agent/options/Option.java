package io.jebpf.agent.options;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The option table: one row per key. The parser, docs/options.md and the command {@code options}
 * are made from it, and a test checks that the page agrees.
 */
enum Option {
  SERVICE(
      "service",
      OptionType.TEXT,
      "main class or jar name",
      Range.NONE,
      "Name of the service, written into every profile."),
  OUT(
      "out",
      OptionType.DIRECTORY,
      "<java.io.tmpdir>/jebpf/<service>-<pid>",
      Range.NONE,
      "Directory of the pprof files, made with mode 0700 when it is missing; `off` writes none."),
  DISK(
      "disk",
      OptionType.SIZE,
      "256m",
      new Range(1L << 20, 1L << 44),
      "Most that the profiles in `out` and the spool may take. The oldest go first, and are"
          + " counted."),
  WINDOW(
      "window",
      OptionType.DURATION,
      "10s",
      new Range(1_000_000_000L, 3_600_000_000_000L),
      "Length of one profile."),
  CPU(
      "cpu",
      OptionType.COUNT,
      "99",
      new Range(0, Options.CPU_HZ_MAX),
      "CPU samples per second and CPU; `0` takes none and costs nothing."),
  OFFCPU(
      "offcpu",
      OptionType.DURATION,
      "10ms",
      new Range(0, 1_000_000_000L),
      "Interval at which the stacks of waiting threads are taken; waits of twice that are all"
          + " recorded, shorter ones by chance and with their weight. At least `100us`; `0` loads"
          + " nothing for it."),
  OFFCPU_IDLE(
      "offcpu.idle",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether threads that have nothing to do are in the profiles `offcpu` and `wall`; their time"
          + " is in the comments in any case."),
  OFFCPU_WAKER(
      "offcpu.waker",
      OptionType.DURATION,
      "10ms",
      new Range(0, 3_600_000_000_000L),
      "Waits asleep for this long and more carry the label `waker`: the thread that ended them."),
  OFFCPU_WAKER_STACK(
      "offcpu.waker.stack",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether such waits have the stack of that thread above their own, leaf first, behind a"
          + " frame `[woken by]`."),
  HISTORY(
      "history",
      OptionType.DURATION,
      "5m",
      new Range(0, 3_600_000_000_000L),
      "How much of the past is kept in memory, each sample with its time, so that the profile of"
          + " any moment in it can be had afterwards; `0` keeps none."),
  HISTORY_SIZE(
      "history.size",
      OptionType.SIZE,
      "16m",
      new Range(1L << 20, 1L << 30),
      "Most memory that `history` may take. The oldest goes first, and is counted."),
  HTTP(
      "http",
      OptionType.TEXT,
      "off",
      Range.NONE,
      "Address of the HTTP endpoint: `6060`, `127.0.0.1:6060`, `[::1]:6060` or `0.0.0.0:6060`. A"
          + " port alone is one of the loopback address; port `0` is any free one; `off` opens"
          + " none."),
  HTTP_TOKEN(
      "http.token",
      OptionType.TEXT,
      "none",
      Range.NONE,
      "What HTTP clients have to show, as bearer token or as password. Better not on the command"
          + " line, which others see: set `JEBPF_HTTP_TOKEN`, or name a `config` file."),
  DUMP_ON(
      "dump.on",
      OptionType.TEXT,
      "file",
      Range.NONE,
      "When the last seconds are written to `out` as files `dump-…`, divided by `;`: `file` (a file"
          + " named `dump` appears in `out`), `exit` (the JVM ends), `oom` (an OutOfMemoryError was"
          + " thrown); `off` for none."),
  DUMP_LAST(
      "dump.last",
      OptionType.DURATION,
      "60s",
      new Range(1_000_000_000L, 3_600_000_000_000L),
      "How much of the past a dump has, within `history`."),
  DUMP_HOURLY("dump.hourly", OptionType.COUNT, "6", new Range(0, 360), "Most dumps in an hour."),
  DUMP_CPU(
      "dump.cpu",
      OptionType.TEXT,
      "none",
      Range.NONE,
      "Dumps when the process takes more CPU than a share of one core for some seconds:"
          + " `150%/10s`."),
  DUMP_OFFCPU(
      "dump.offcpu",
      OptionType.TEXT,
      "none",
      Range.NONE,
      "Dumps when threads of a name wait for more than a share of their time, idle waits left out:"
          + " `http-*:80%/10s`."),
  DUMP_GC(
      "dump.gc",
      OptionType.DURATION,
      "0",
      new Range(0, 3_600_000_000_000L),
      "Dumps after a pause of the garbage collector of that length or more; `0` for none."),
  OFFCPU_VTHREADS(
      "offcpu.vthreads",
      OptionType.SWITCH,
      "true",
      Range.NONE,
      "Whether parks of virtual threads are in the profiles `offcpu` and `wall`. For them three"
          + " calls in `java.lang.VirtualThread` are redirected at start; `false` leaves that class"
          + " untouched."),
  DEPTH("depth", OptionType.COUNT, "1024", new Range(16, 2048), "Most frames in a stack."),
  VTHREAD(
      "vthread",
      OptionType.SWITCH,
      "true",
      Range.NONE,
      "Whether samples of virtual threads carry the label `vthread`, `name #id` or `#id`. Each of"
          + " the threads has rows of its own then, which makes profiles of very many larger."),
  CARRIER(
      "carrier",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether the stack of a virtual thread goes on with the frames of its carrier. The label"
          + " `thread` names the carrier in any case."),
  HIDDEN(
      "hidden",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether frames are shown that Java's own stack traces leave out: the `LambdaForm`s between"
          + " the caller of a method handle and its target."),
  TIERS(
      "tiers",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether names end in how the frame ran, as async-profiler writes it: `_[0]` interpreted,"
          + " `_[1]` compiled by C1, `_[j]` by C2, `_[i]` inlined, `_[k]` kernel."),
  OWN_FRAMES(
      "own.frames",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether the stacks of the agent's own threads (`jebpf-…`) are shown whole. Without, they end"
          + " in `[inside jebpf]` after eight frames of the agent: what it does below its steps"
          + " took a seventh of the first profile. Their time is there in any case."),
  BUDGET(
      "budget",
      OptionType.PERCENT,
      "1%",
      new Range(100, 10_000_000),
      "Most CPU, in parts of one core, that the kernel programs may take. Past it the rate falls by"
          + " itself, the weight of each sample grows with it, and the profile's comments say so."),
  PYROSCOPE(
      "pyroscope",
      OptionType.URL,
      "none",
      Range.NONE,
      "Pyroscope server that profiles are sent to, e.g. `http://pyroscope:4040`."),
  PYROSCOPE_USER(
      "pyroscope.user", OptionType.TEXT, "none", Range.NONE, "User of basic authentication."),
  PYROSCOPE_PASSWORD(
      "pyroscope.password",
      OptionType.SECRET,
      "none",
      Range.NONE,
      "Password of basic authentication. Best given in the environment or a file: an option on the"
          + " command line is seen in the process list."),
  PYROSCOPE_PASSWORD_FILE(
      "pyroscope.password.file",
      OptionType.FILE,
      "none",
      Range.NONE,
      "File with the password; read anew for each upload."),
  PYROSCOPE_TOKEN(
      "pyroscope.token", OptionType.SECRET, "none", Range.NONE, "Bearer token, instead of a user."),
  PYROSCOPE_TOKEN_FILE(
      "pyroscope.token.file",
      OptionType.FILE,
      "none",
      Range.NONE,
      "File with the bearer token; read anew for each upload."),
  PYROSCOPE_TENANT(
      "pyroscope.tenant",
      OptionType.TEXT,
      "none",
      Range.NONE,
      "Tenant, sent as header `X-Scope-OrgID`."),
  PYROSCOPE_CA(
      "pyroscope.ca",
      OptionType.FILE,
      "the JVM's",
      Range.NONE,
      "PEM file of the certificates to trust, in place of the JVM's."),
  PYROSCOPE_AGE(
      "pyroscope.age",
      OptionType.DURATION,
      "1h",
      new Range(60_000_000_000L, 31_536_000_000_000_000L),
      "Profiles older than this are not sent but counted: the server's `reject-older-than`."),
  PARCA(
      "parca",
      OptionType.URL,
      "none",
      Range.NONE,
      "Parca server that profiles are sent to, e.g. `http://parca:7070`."),
  PARCA_TOKEN("parca.token", OptionType.SECRET, "none", Range.NONE, "Bearer token."),
  PARCA_TOKEN_FILE(
      "parca.token.file",
      OptionType.FILE,
      "none",
      Range.NONE,
      "File with the bearer token; read anew for each upload."),
  PARCA_CA(
      "parca.ca",
      OptionType.FILE,
      "the JVM's",
      Range.NONE,
      "PEM file of the certificates to trust, in place of the JVM's."),
  OTLP(
      "otlp",
      OptionType.URL,
      "none",
      Range.NONE,
      "Experimental: receiver of OTLP profiles over HTTP (`v1development`, the alpha of OTLP"
          + " 1.11)."),
  OTLP_TOKEN("otlp.token", OptionType.SECRET, "none", Range.NONE, "Bearer token."),
  OTLP_TOKEN_FILE(
      "otlp.token.file",
      OptionType.FILE,
      "none",
      Range.NONE,
      "File with the bearer token; read anew for each upload."),
  OTLP_CA(
      "otlp.ca",
      OptionType.FILE,
      "the JVM's",
      Range.NONE,
      "PEM file of the certificates to trust, in place of the JVM's."),
  SPOOL(
      "spool",
      OptionType.DIRECTORY,
      "<out>/spool when out is given, else <java.io.tmpdir>/jebpf/spool-<user>",
      Range.NONE,
      "Directory under which profiles wait until the servers have taken them, across restarts. At"
          + " most half of `disk`. Should outlive the process: in a container, a volume."),
  LABELS(
      "labels",
      OptionType.LABELS,
      "none",
      Range.NONE,
      "Labels put on every sample. Keys are letters, digits and `_`."),
  INSTRUMENT(
      "instrument",
      OptionType.ON_OFF,
      "on",
      Range.NONE,
      "Whether the agent may change classes of tracing libraries (OpenTelemetry, Brave), so that"
          + " samples carry `trace_id`, `span_id` and the labels of `io.jebpf.api.Labels`. `off`"
          + " leaves every class untouched."),
  ROOTSPANS(
      "rootspans",
      OptionType.COUNT,
      "500",
      new Range(0, ContextOptions.ROOT_SPANS_MAX),
      "Most different names of root spans in the label `root_span`; `0` leaves the label out."),
  ENDPOINTS(
      "endpoints",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether samples carry the label `endpoint`: method and path, with ids left out, of the"
          + " request that a servlet or the JDK's HTTP server is serving."),
  CONTEXT_SHARE(
      "context.share",
      OptionType.SWITCH,
      "false",
      Range.NONE,
      "Whether other profilers find trace and span of platform threads too, as OTEP 4947 and OTEP"
          + " 4719 say; to begin and end a span then takes about 30 ns more."),
  LOG(
      "log",
      OptionType.LEVEL,
      "warn",
      Range.NONE,
      "What is logged. The start and the stop line are part of `warn`."),
  LOG_FILE(
      "log.file",
      OptionType.FILE,
      "stderr",
      Range.NONE,
      "File that the log is appended to, kept below 1 MiB (one older part is kept as `<file>.1`)."),
  NATIVE_DIR(
      "native.dir",
      OptionType.DIRECTORY,
      "<java.io.tmpdir>",
      Range.NONE,
      "Directory under which the native libraries are unpacked for the moment of loading. Needs"
          + " about 2 MB and no `noexec`."),
  CONFIG(
      "config",
      OptionType.FILE,
      "none",
      Range.NONE,
      "File of `key=value` lines; `#` begins a comment. May not name another `config`.");

  /** Inclusive; in the unit of the type. NONE when values have no order. */
  record Range(long low, long high) {
    static final Range NONE = new Range(0, 0);
  }

  private final String key;
  private final OptionType type;
  private final String standard;
  private final Range range;
  private final String doc;

  Option(String key, OptionType type, String standard, Range range, String doc) {
    this.key = key;
    this.type = type;
    this.standard = standard;
    this.range = range;
    this.doc = doc;
  }

  String key() {
    return key;
  }

  OptionType type() {
    return type;
  }

  /** The default, as the user would write it, or a description of it. */
  String standard() {
    return standard;
  }

  Range range() {
    return range;
  }

  /** Whether its value is not to be shown; a URL may have a password in it. */
  boolean isSecret() {
    return type == OptionType.SECRET || type == OptionType.URL;
  }

  boolean hasRange() {
    return range != Range.NONE;
  }

  /** The range as people read it; empty when there is none. */
  String rangeText() {
    return hasRange() ? type.format(range.low()) + " to " + type.format(range.high()) : "";
  }

  String doc() {
    return doc;
  }

  /** Name of the environment variable: dots become underscores. */
  String environmentName() {
    return "JEBPF_" + key.replace('.', '_').toUpperCase(Locale.ROOT);
  }

  String propertyName() {
    return "jebpf." + key;
  }

  static Optional<Option> ofKey(String key) {
    return Arrays.stream(values()).filter(option -> option.key.equals(key)).findFirst();
  }

  static String keys() {
    return Arrays.stream(values()).map(Option::key).collect(Collectors.joining(", "));
  }
}
