package io.jebpf.agent.engine;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.options.Options;
import java.util.function.BooleanSupplier;

/** Starts an engine: the seam at which tests put one that fails. */
public interface EngineStarter {
  /**
   * Everything but the sampling itself: {@link Engine#rate} begins it.
   *
   * @param cancelled asked between steps: true when the JVM is ending already
   * @throws EngineException when there can be no sampling here; nothing is left behind then
   */
  Engine start(Options options, AgentLog log, BooleanSupplier cancelled) throws EngineException;

  /** Whether the JVM's end should wait a moment, because files would stay behind now. */
  default boolean hasFilesOnDisk() {
    return false;
  }

  /** After the engine was closed in a JVM that goes on: memory that nothing needs goes back. */
  default void detached() {}
}
