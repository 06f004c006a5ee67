package io.jebpf.agent.ondemand;

/**
 * A recording at one moment.
 *
 * @param startMillis since 1970; 0 before it is started
 * @param stopMillis since 1970; 0 before it is stopped
 * @param bytes of memory that it keeps, shared with other recordings and the history
 * @param droppedWindows that had to go because of a limit, the oldest first
 */
public record RecordingInfo(
    long id,
    String name,
    RecordingState state,
    long startMillis,
    long stopMillis,
    long durationMillis,
    long maxAgeMillis,
    long maxSize,
    long bytes,
    long droppedWindows) {}
