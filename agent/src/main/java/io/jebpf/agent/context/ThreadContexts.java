package io.jebpf.agent.context;

import io.jebpf.agent.context.instrument.Instrumenter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.ContextOptions;
import io.jebpf.agent.options.Options;
import io.jebpf.agent.window.LabelKey;
import io.jebpf.bpf.ContextTable;
import io.jebpf.bpf.KernelException;
import io.jebpf.bpf.NativeLoadException;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.SharedContexts;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What each thread works for: instruments the libraries that know, gives their threads a table to
 * write it to, and turns what the kernel side read there into labels. Thread-safe.
 *
 * <p>Order: {@link #install} as early as there are options, {@link #table} when native memory can
 * be had, {@link #close} last; after that no class is instrumented, and nothing is written.
 */
public final class ThreadContexts implements AutoCloseable {
  private final ContextOptions options;
  private final Map<String, String> resource;
  private final AgentLog log;
  private final EndpointNames endpoints = new EndpointNames();
  private Optional<Instrumenter> instrumenter = Optional.empty();
  private Optional<HookClass> hook = Optional.empty();
  private Optional<ContextTable> table = Optional.empty();
  private Optional<ContextSlots> slots = Optional.empty();
  private Optional<SharedContexts> shared = Optional.empty();

  /** How many keys other profilers know; 0 while nothing is published. */
  private int publishedKeys;

  private long reclaimed;
  private boolean closed;

  private ThreadContexts(ContextOptions options, Map<String, String> resource, AgentLog log) {
    this.options = options;
    this.resource = resource;
    this.log = log;
  }

  /** Instruments what is loaded, and what will be; or, if it is not wanted, nothing at all. */
  public static ThreadContexts install(
      Optional<Instrumentation> instrumentation, Options options, AgentLog log) {
    Map<String, String> resource = new LinkedHashMap<>(options.labels());
    resource.put("service.name", options.service());
    ThreadContexts contexts = new ThreadContexts(options.context(), resource, log);
    if (options.context().instrument() && instrumentation.isPresent()) {
      contexts.install(instrumentation.get());
    }
    return contexts;
  }

  private void install(Instrumentation jvm) {
    Instrumenter made =
        new Instrumenter(
            jvm,
            new Instrumenter.Choice(options.endpoints(), options.rootSpans() > 0),
            HookClass.NAME,
            new Instrumenter.Listener() {
              @Override
              public void prepare() throws IOException {
                prepareHook(jvm);
              }

              @Override
              public void failed(String what, Throwable cause) {
                log.warn(Trouble.INSTRUMENTATION, what + ": " + cause);
              }
            });
    synchronized (this) {
      instrumenter = Optional.of(made);
    }
    made.install();
  }

  /** On the thread that loads the first class to be instrumented. */
  private synchronized void prepareHook(Instrumentation jvm) throws IOException {
    if (hook.isEmpty() && !closed) {
      HookClass made = HookClass.define(jvm);
      made.linker(instrumenter.orElseThrow().linker());
      made.endpoints(endpoints);
      hook = Optional.of(made);
      table.ifPresent(known -> start(made, known));
    }
  }

  private void start(HookClass known, ContextTable with) {
    shared.ifPresent(known::share);
    known.start(with.address(), options.rootSpans());
    slots = Optional.of(new ContextSlots(with, known.holders()));
  }

  /** Gives slots of threads that have ended back. Of thread "jebpf-reader", about once a second. */
  synchronized void reclaim() {
    if (!closed && slots.isPresent()) {
      reclaimed += slots.get().reclaim();
      if (publishedKeys > 0 && keys().length > publishedKeys) {
        publish();
      }
    }
  }

  /**
   * The table that the kernel side is to read, made on the first call; empty when contexts are not
   * wanted. Threads write to it from now on.
   */
  public synchronized Optional<ContextTable> table(NativeRuntime runtime) throws KernelException {
    if (instrumenter.isEmpty() || closed) {
      return Optional.empty();
    }
    if (table.isEmpty()) {
      long earlier = HookClass.earlierTable();
      table = Optional.of(earlier == 0 ? ContextTable.reserve(runtime) : ContextTable.at(earlier));
      share(runtime, HookClass.earlierShared());
      table.get().clear();
      hook.ifPresent(known -> start(known, table.get()));
    }
    return table;
  }

  /**
   * Other profilers find contexts too, where that is wanted; and where it once was: what they read
   * must go on being right, though nothing tells them to look any more.
   */
  private void share(NativeRuntime runtime, long[] earlier) {
    if (!options.share() && earlier.length == 0) {
      return;
    }
    try {
      boolean taken = options.share() && ProcessContext.isPublished();
      if (taken) {
        log.warn(Trouble.CONTEXT_SHARE, "this process has a process context of somebody else");
      }
      if (!taken || earlier.length > 0) {
        SharedContexts made = SharedContexts.load(runtime, earlier);
        made.prepare();
        table.orElseThrow().share(made.words());
        shared = Optional.of(made);
      }
      if (!taken && options.share()) {
        publish();
      }
    } catch (KernelException | NativeLoadException | IOException e) {
      log.warn(Trouble.CONTEXT_SHARE, e.getMessage());
    }
  }

  private void publish() {
    String[] known = hook.map(HookClass::keys).orElse(new String[] {LabelKey.ENDPOINT});
    publishedKeys = known.length;
    publish(ProcessContext.payload(resource, known));
  }

  private void publish(byte[] payload) {
    try {
      shared.orElseThrow().publish(payload);
    } catch (KernelException e) {
      log.warn(Trouble.CONTEXT_SHARE, e.getMessage());
    }
  }

  synchronized String[] keys() {
    return hook.map(HookClass::keys).orElse(new String[0]);
  }

  synchronized String[] rootNames() {
    return hook.map(HookClass::names).orElse(new String[0]);
  }

  synchronized Optional<ContextTable> knownTable() {
    return table;
  }

  synchronized ContextCounters counters(long otherValues) {
    return new ContextCounters(
        instrumenter.map(Instrumenter::changed).orElse(0L),
        instrumenter.map(Instrumenter::failures).orElse(0L) + tail(ContextCounters.FAILED),
        tail(ContextCounters.NO_SLOT),
        reclaimed + tail(ContextCounters.TAKEN_OVER),
        tail(ContextCounters.NO_ROOM),
        tail(ContextCounters.NAMES_FULL),
        endpoints.others(),
        otherValues);
  }

  private static boolean isJvmEnding() {
    try {
      Runtime.getRuntime().removeShutdownHook(new Thread());
      return false;
    } catch (IllegalStateException e) {
      return true; // the one way in which the JVM tells
    }
  }

  private long tail(int word) {
    return table.map(known -> known.tail(word)).orElse(0L);
  }

  /** Gives instrumented classes their own code back. A later profiler finds the hook again. */
  @Override
  public void close() {
    if (isJvmEnding()) {
      return; // nobody would run the code that was given back
    }
    Optional<Instrumenter> open;
    synchronized (this) {
      closed = true;
      open = instrumenter;
      hook.ifPresent(known -> known.start(0, 0));
      slots.ifPresent(ContextSlots::letGo);
      table.ifPresent(ContextTable::emptyShared);
      if (publishedKeys > 0) {
        publish(new byte[0]);
        publishedKeys = 0;
      }
    }
    open.ifPresent(Instrumenter::close);
    synchronized (this) {
      table.ifPresent(ContextTable::emptyShared); // whoever was setting one is done by now
      hook.ifPresent(known -> known.forget(shared.isPresent()));
    }
  }
}
