package io.jebpf.agent;

import io.jebpf.agent.attach.AttachReply;
import io.jebpf.agent.attach.AttachRequest;
import io.jebpf.agent.attach.TopFeed;
import io.jebpf.agent.context.ThreadContexts;
import io.jebpf.agent.engine.KernelEngineStarter;
import io.jebpf.agent.history.History;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.options.OptionParser;
import io.jebpf.agent.options.OptionSources;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.options.Options.LogLevel;
import io.jebpf.agent.options.ParsedOptions;
import io.jebpf.agent.picture.HeatMaps;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The profiler of this JVM from request to request: at most one runs; another start changes it; a
 * stop ends it and leaves nothing but loaded classes and libraries, which the next start uses
 * again. Requests come one at a time.
 */
final class LifeCycle {
  /** Longest that an attach waits for the start it asked for; the start goes on all the same. */
  private static final long START_MILLIS = 60_000;

  /** Longest that a detach waits for those who look at the profiler to notice. */
  private static final long FEEDS_MILLIS = 15_000;

  private static final long FEEDS_LOOK_MILLIS = 50;

  /** Name of the file with a picture that was asked for. */
  private static final String PAGE = "page.html";

  private Optional<Profiler> profiler = Optional.empty();

  /** Those who look at it, second by second. */
  private final List<TopFeed> feeds = new ArrayList<>();

  /** Options that the profiler was started with, as given in agent arguments so far. */
  private String argument = "";

  /** The JVM's own start. */
  synchronized void start(String agentArgument, Optional<Instrumentation> instrumentation) {
    switch (parse(agentArgument)) {
      case ParsedOptions.Refused refused -> refuse(refused);
      case ParsedOptions.Accepted accepted ->
          launch(agentArgument, accepted.options(), instrumentation);
    }
  }

  /** A request of somebody who attached. Returns when it is done or its deadline has passed. */
  synchronized void attached(AttachRequest request, Optional<Instrumentation> instrumentation)
      throws InterruptedException {
    AttachReply reply = AttachReply.to(request.channel());
    try {
      serve(request, instrumentation, reply);
    } catch (RuntimeException | Error e) {
      reply.failed(e.toString()); // nobody has to wait for an answer that does not come
      throw e;
    }
  }

  private void serve(
      AttachRequest request, Optional<Instrumentation> instrumentation, AttachReply reply)
      throws InterruptedException {
    switch (request.kind()) {
      case CHANGE -> change(request.options(), instrumentation, reply);
      case DETACH -> detach(reply);
      case TOP -> top(request.options(), instrumentation, reply);
      case HEATMAP -> heatMap(reply);
    }
  }

  private void change(String options, Optional<Instrumentation> instrumentation, AttachReply reply)
      throws InterruptedException {
    boolean running = profiler.isPresent() && profiler.get().isAlive();
    String wanted = running ? AttachRequest.merged(argument, options) : options;
    switch (parse(wanted)) {
      case ParsedOptions.Refused refused -> {
        refuse(refused); // and what runs goes on as it is
        reply.failed(refused.problem() + ". Hint: " + refused.choices());
      }
      case ParsedOptions.Accepted accepted -> {
        if (running) {
          change(wanted, accepted.options(), instrumentation, reply);
        } else {
          end();
          started(launch(wanted, accepted.options(), instrumentation), reply);
        }
      }
    }
  }

  /** Rates change while sampling goes on; anything else is a new start in the same classes. */
  private void change(
      String wanted, Options options, Optional<Instrumentation> instrumentation, AttachReply reply)
      throws InterruptedException {
    Profiler running = profiler.orElseThrow();
    if (running.changeLive(options)) {
      argument = wanted;
      reply.ok("changed: " + running.options().describe());
      return;
    }
    if (!end()) {
      reply.failed("the running profiler did not stop in time; it is stopping still");
      return;
    }
    started(launch(wanted, options, instrumentation), reply);
  }

  private Profiler launch(
      String agentArgument, Options options, Optional<Instrumentation> instrumentation) {
    AgentLog log =
        options
            .logFile()
            .map(file -> AgentLog.toFile(file, options.logLevel()))
            .orElseGet(() -> AgentLog.toStandardError(options.logLevel()));
    ThreadContexts contexts = ThreadContexts.install(instrumentation, options, log);
    Profiler next =
        new Profiler(
            options, log, new KernelEngineStarter(instrumentation, contexts), Version.get());
    profiler = Optional.of(next);
    argument = agentArgument;
    next.launch(contexts::close);
    return next;
  }

  private static void started(Profiler next, AttachReply reply) throws InterruptedException {
    switch (next.awaitStart(START_MILLIS)) {
      case Profiler.State.Running running -> reply.ok(next.summary());
      case Profiler.State.Starting starting ->
          reply.failed("still starting after " + START_MILLIS / 1000 + " s");
      case Profiler.State.Off off -> reply.failed(off.why());
      case Profiler.State.Stopped stopped -> reply.failed("stopped: the JVM is ending");
    }
  }

  /** The whole of the flight recorder: what is kept up to the last window's end. */
  private void heatMap(AttachReply reply) {
    Optional<History> history =
        profiler.flatMap(running -> running.onDemand().map(OnDemand::history));
    if (history.isEmpty()) {
      reply.failed("the profiler does not run in this JVM, so nothing of the past is known");
      return;
    }
    Instant now = Instant.now();
    long wallNanos = now.getEpochSecond() * 1_000_000_000L + now.getNano();
    try {
      reply.put(
          PAGE,
          HeatMaps.html(
              history.get().segments(),
              Long.MIN_VALUE,
              wallNanos - System.nanoTime(),
              "CPU of process " + ProcessHandle.current().pid()));
      reply.ok(history.get().segments().size() + " windows");
    } catch (IOException e) {
      reply.failed(e.getMessage() + ": is the option history 0, or the first window not over yet?");
    }
  }

  /** Starts the profiler for as long as somebody looks, unless it runs already. */
  private void top(String options, Optional<Instrumentation> instrumentation, AttachReply reply)
      throws InterruptedException {
    boolean running = profiler.isPresent() && profiler.get().isAlive();
    if (!running) {
      end();
      switch (parse(options)) {
        case ParsedOptions.Refused refused -> {
          reply.failed(refused.problem() + ". Hint: " + refused.choices());
          return;
        }
        case ParsedOptions.Accepted accepted ->
            launch(options, accepted.options(), instrumentation);
      }
    }
    Profiler shown = profiler.orElseThrow();
    shown.awaitStart(START_MILLIS);
    if (shown.onDemand().isEmpty()) {
      started(shown, reply);
      return;
    }
    TopFeed feed =
        new TopFeed(
            reply, shown.onDemand().get().profiles(), shown.options().offCpu().tickNanos() > 0);
    AgentThreads.start("top", () -> feed(feed, shown, !running), cause -> reply.failed("" + cause));
    feeds.add(feed);
    reply.ok(shown.summary());
  }

  /** On thread "jebpf-top". */
  private void feed(TopFeed feed, Profiler shown, boolean endsWithIt) throws InterruptedException {
    try {
      feed.run();
    } finally {
      feedOver(feed, shown, endsWithIt);
    }
  }

  private synchronized void feedOver(TopFeed feed, Profiler shown, boolean endsWithIt)
      throws InterruptedException {
    feeds.remove(feed);
    notifyAll();
    if (endsWithIt && feeds.isEmpty() && profiler.equals(Optional.of(shown))) {
      end();
    }
  }

  private void detach(AttachReply reply) throws InterruptedException {
    if (profiler.isEmpty()) {
      reply.ok("nothing to stop: the profiler does not run in this JVM");
      return;
    }
    Profiler ending = profiler.get();
    if (end() && noFeeds()) {
      reply.ok(ending.summary());
    } else {
      reply.failed("not stopped in time; it is stopping still");
    }
  }

  /** Waits for the threads of those who looked; true when they have ended. */
  private boolean noFeeds() throws InterruptedException {
    long deadline = System.nanoTime() + FEEDS_MILLIS * 1_000_000;
    while (!feeds.isEmpty() && System.nanoTime() < deadline) {
      wait(FEEDS_LOOK_MILLIS);
    }
    return feeds.isEmpty();
  }

  /** Ends what runs; true when nothing is left of it. */
  private boolean end() throws InterruptedException {
    feeds.forEach(TopFeed::stop);
    boolean ended = profiler.isEmpty() || profiler.get().detach();
    if (ended) {
      profiler = Optional.empty();
      argument = "";
    }
    return ended;
  }

  private static ParsedOptions parse(String agentArgument) {
    return OptionParser.parse(OptionSources.ofThisProcess(agentArgument));
  }

  private static void refuse(ParsedOptions.Refused refused) {
    AgentLog.toStandardError(LogLevel.WARN)
        .error(Trouble.OPTION, refused.problem(), refused.choices());
  }
}
