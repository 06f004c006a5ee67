package io.jebpf.agent.bridge;

import io.jebpf.agent.history.Filter;
import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.ondemand.Format;
import io.jebpf.agent.ondemand.OnDemand;
import io.jebpf.agent.ondemand.OnDemandException;
import io.jebpf.agent.ondemand.Query;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;

/**
 * The agent's end of io.jebpf.api: operations by name, with arguments and results of the JDK's
 * types alone. They run on the application's thread, and throw unchecked exceptions of the JDK. An
 * operation that is not known is answered by null, as if there were no agent. Thread-safe.
 */
public final class ApiBridge implements BiFunction<String, Object[], Object> {
  /** The one visible class of the jar; found from any loader. */
  private static final String AGENT = "io.jebpf.Agent";

  private final Map<String, Operation> operations = new ConcurrentHashMap<>();

  /** What one operation does. */
  public interface Operation {
    Object call(Object[] arguments) throws OnDemandException;
  }

  /** Adds an operation; part of the contract with classes that applications carry. */
  public ApiBridge add(String name, Operation operation) {
    operations.put(name, operation);
    return this;
  }

  /** The operations of io.jebpf.api.Recording. */
  public ApiBridge addRecordings(OnDemand onDemand) {
    return add("recording.start", arguments -> start(onDemand, (String) arguments[0]))
        .add("recording.stop", arguments -> onDemand.recordings().stop((Long) arguments[0]))
        .add("recording.read", arguments -> read(onDemand, arguments))
        .add(
            "recording.close",
            arguments -> {
              onDemand.recordings().close((Long) arguments[0]);
              return true;
            });
  }

  private static Long start(OnDemand onDemand, String name) throws OnDemandException {
    long id = onDemand.recordings().create(name);
    onDemand.recordings().start(id);
    return id;
  }

  private static byte[] read(OnDemand onDemand, Object[] arguments) throws OnDemandException {
    return onDemand
        .recordings()
        .read(
            (Long) arguments[0],
            Query.kind((String) arguments[1]),
            Format.named((String) arguments[2]),
            Filter.NONE,
            Long.MIN_VALUE,
            Long.MAX_VALUE)
        .bytes();
  }

  @Override
  public Object apply(String name, Object[] arguments) {
    Operation operation = operations.get(name);
    try {
      return operation == null ? null : operation.call(arguments);
    } catch (OnDemandException e) {
      throw switch (e.reason()) {
        case REQUEST -> new IllegalArgumentException(e.getMessage());
        case MISSING, BUSY -> new IllegalStateException(e.getMessage());
      };
    }
  }

  /** From now on classes of io.jebpf.api reach this one. */
  public void install(AgentLog log) {
    try {
      reference().set(this);
    } catch (ReflectiveOperationException | LinkageError e) {
      log.debug("io.jebpf.api finds no agent: " + e); // our jar is not on the system class path
    }
  }

  /** The end of it; another that was installed since stays. */
  public void uninstall() {
    try {
      reference().compareAndSet(this, null);
    } catch (ReflectiveOperationException | LinkageError e) {
      return; // it was never installed
    }
  }

  @SuppressWarnings("unchecked")
  private static AtomicReference<BiFunction<String, Object[], Object>> reference()
      throws ReflectiveOperationException {
    Class<?> agent = Class.forName(AGENT, true, ClassLoader.getSystemClassLoader());
    return (AtomicReference<BiFunction<String, Object[], Object>>)
        agent.getMethod("api").invoke(null);
  }
}
