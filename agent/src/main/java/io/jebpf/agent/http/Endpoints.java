package io.jebpf.agent.http;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.jmx.ProfilerBean;
import io.jebpf.agent.ondemand.Answer;
import io.jebpf.agent.ondemand.Format;
import io.jebpf.agent.ondemand.Moment;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.Query;
import io.jebpf.agent.pprof.ProfileKind;
import io.jebpf.agent.upload.ScrapedProfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * What each path is answered with. Nothing that is asked changes anything in the JVM. Errors are
 * worded as Go's server does, see facts on /debug/pprof/ in docs/http.md. Thread-safe.
 */
public final class Endpoints {
  /** Longest profile that can be asked for, and how long one is that names no length. */
  static final int SECONDS_MAX = 600;

  private static final int SECONDS = 30;
  private static final int FLAME_SECONDS = 10;
  private static final String PPROF = "/debug/pprof";

  /** How the collectors name themselves that hand profiles on to servers: Alloy and Parca. */
  private static final String COLLECTORS = "(Alloy|GrafanaAgent|conprof)\\b.*";

  private final ProfilerBean.Source source;
  private final Access access;
  private final Metrics metrics;

  public Endpoints(ProfilerBean.Source source, Access access, Metrics metrics) {
    this.source = source;
    this.access = access;
    this.metrics = metrics;
  }

  HttpResponse answer(HttpRequest request) {
    Optional<HttpResponse> refusal = access.refusal(request);
    if (refusal.isPresent()) {
      return refusal.get();
    }
    boolean symbol = request.path().equals(PPROF + "/symbol");
    if (!request.method().matches(symbol ? "GET|HEAD|POST" : "GET|HEAD")) {
      return HttpResponse.error(405, "only GET and HEAD").with("Allow", "GET, HEAD");
    }
    try {
      return route(request);
    } catch (OnDemandException e) {
      return switch (e.reason()) {
        case REQUEST -> HttpResponse.error(400, e.getMessage());
        case MISSING -> HttpResponse.error(404, e.getMessage());
        case BUSY -> HttpResponse.error(503, e.getMessage()).with("Retry-After", "1");
      };
    } catch (RuntimeException e) {
      return HttpResponse.error(500, "an error in the profiler: " + e);
    }
  }

  private HttpResponse route(HttpRequest request) throws OnDemandException {
    return switch (request.path()) {
      case "/", PPROF -> HttpResponse.text(302, "").with("Location", PPROF + "/");
      case PPROF + "/" -> HttpResponse.of("text/html; charset=utf-8", bytes(IndexPage.of(source)));
      case PPROF + "/profile" -> profile(request, ProfileKind.CPU, "profile");
      case PPROF + "/offcpu" -> profile(request, ProfileKind.OFFCPU, "offcpu");
      case PPROF + "/wall" -> profile(request, ProfileKind.WALL, "wall");
      case PPROF + "/cmdline" ->
          HttpResponse.text(200, "java\0" + source.options().service()); // arguments may be secret
      case PPROF + "/symbol" -> HttpResponse.text(200, "num_symbols: 1\n");
      case "/flamegraph" -> flameGraph(request);
      case "/metrics" ->
          HttpResponse.of("text/plain; version=0.0.4; charset=utf-8", bytes(metrics.text()));
      case "/healthz" -> health();
      default -> HttpResponse.error(404, "Unknown profile or page; see " + PPROF + "/");
    };
  }

  private HttpResponse health() {
    String state = source.state();
    boolean well = state.equals("RUNNING") || state.equals("PAUSED");
    return HttpResponse.text(well ? 200 : 503, state + "\n");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private OnDemand onDemand() throws OnDemandException {
    return source
        .onDemand()
        .orElseThrow(
            () ->
                new OnDemandException(
                    OnDemandException.Reason.BUSY, "nothing is sampled: " + source.state()));
  }

  /** The next seconds, unless a time in the past is named. */
  private HttpResponse profile(HttpRequest request, ProfileKind kind, String name)
      throws OnDemandException {
    boolean text = request.parameter("debug").map(value -> !value.equals("0")).orElse(false);
    Format format = Format.named(request.parameter("format").orElse(text ? "collapsed" : "pprof"));
    boolean fewLabels = hasFewLabels(request);
    Answer answer =
        request.parameter("from").isPresent()
            ? past(request, kind, format, request.parameter("from").get())
            : onDemand()
                .recordings()
                .next(kind, format, filter(request), seconds(request, SECONDS));
    if (format != Format.PPROF) {
      return HttpResponse.of(format.contentType(), answer.bytes());
    }
    byte[] bytes = fewLabels ? withFewLabels(answer.bytes()) : answer.bytes();
    return HttpResponse.of(format.contentType(), bytes)
        .with("Content-Disposition", "attachment; filename=\"" + name + "\"");
  }

  /** Whether the labels are to be those of a server's series: collectors, and who asks for it. */
  private static boolean hasFewLabels(HttpRequest request) throws OnDemandException {
    return switch (request.parameter("labels").orElse("")) {
      case "few" -> true;
      case "all" -> false;
      case "" -> request.header("user-agent").matches(COLLECTORS);
      default ->
          throw new OnDemandException(OnDemandException.Reason.REQUEST, "labels: few or all");
    };
  }

  private static byte[] withFewLabels(byte[] profile) {
    try {
      return ScrapedProfile.of(profile);
    } catch (IOException e) {
      throw new IllegalStateException(e); // we have just written it
    }
  }

  /** The last seconds, unless another time is named. */
  private HttpResponse flameGraph(HttpRequest request) throws OnDemandException {
    ProfileKind kind = Query.kind(request.parameter("kind").orElse("cpu"));
    String from = request.parameter("from").orElse("-" + seconds(request, FLAME_SECONDS) + "s");
    Answer answer = past(request, kind, Format.HTML, from);
    return HttpResponse.of(answer.format().contentType(), answer.bytes());
  }

  private Answer past(HttpRequest request, ProfileKind kind, Format format, String from)
      throws OnDemandException {
    long end = Moment.nanos(request.parameter("to").orElse("now"));
    return onDemand()
        .profiles()
        .answer(new Query(kind, format, Moment.nanos(from), end, filter(request)));
  }

  private static Filter filter(HttpRequest request) {
    Map<String, String> asked = request.parameters();
    return new Filter(asked.getOrDefault("thread", ""), asked.getOrDefault("state", ""));
  }

  private static int seconds(HttpRequest request, int standard) throws OnDemandException {
    String text = request.parameter("seconds").orElse(Integer.toString(standard));
    if (!text.matches("\\d{1,5}")
        || Integer.parseInt(text) < 1
        || Integer.parseInt(text) > SECONDS_MAX) {
      throw new OnDemandException(
          OnDemandException.Reason.REQUEST, "seconds: a whole number from 1 to " + SECONDS_MAX);
    }
    return Integer.parseInt(text);
  }
}
