package io.jebpf.agent.ondemand;

/**
 * A profile that was asked for.
 *
 * @param samples samples of running threads in it, whatever its kind
 * @param fromNanos where it begins, which is later than asked for when the past is no longer kept
 */
public record Answer(byte[] bytes, Format format, long samples, long fromNanos, long toNanos) {}
