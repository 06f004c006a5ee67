package io.jebpf.agent.jmx;

/** A function as a console shows it; shares are percent of all time. */
public record FunctionView(
    double selfMillis, double selfPercent, double totalMillis, String file) {}
