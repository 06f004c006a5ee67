package io.jebpf.agent.jmx;

/** A recording as a console shows it; times are milliseconds since 1970, 0 for none. */
public record RecordingView(
    long id,
    String name,
    String state,
    long startTime,
    long stopTime,
    long durationMillis,
    long maxAgeMillis,
    long maxSize,
    long size,
    long droppedWindows) {}
