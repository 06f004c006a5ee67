package io.jebpf.agent.ondemand;

import java.util.Locale;

/** What a profile on demand can be had as. */
public enum Format {
  /** Gzipped pprof; its own gzip, no transfer encoding. */
  PPROF("application/octet-stream", ".pb.gz"),
  /** A line a stack. */
  COLLAPSED("text/plain; charset=utf-8", ".txt"),
  /** A flame graph for a browser. */
  HTML("text/html; charset=utf-8", ".html");

  private final String contentType;
  private final String suffix;

  Format(String contentType, String suffix) {
    this.contentType = contentType;
    this.suffix = suffix;
  }

  public String contentType() {
    return contentType;
  }

  /** End of a file's name. */
  public String suffix() {
    return suffix;
  }

  public static Format named(String name) throws OnDemandException {
    for (Format format : values()) {
      if (format.name().toLowerCase(Locale.ROOT).equals(name)) {
        return format;
      }
    }
    throw OnDemandException.request("format " + name + ": there are pprof, collapsed and html");
  }
}
