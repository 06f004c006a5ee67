package io.jebpf.agent.jmx;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** The part of the MBean that gives profiles; in the manner of FlightRecorderMXBean. */
public interface OnDemandOperations {
  @Described("Recordings: started, stopped, or waiting to be started")
  List<RecordingView> getRecordings();

  @Described("Memory of the kept past, in bytes")
  long getHistoryBytes();

  @Described("How far back the kept past reaches, in milliseconds")
  long getHistoryMillis();

  @Described("Windows of the past that had to go before their time, because of history.size")
  long getHistoryDropped();

  @Described("Makes a recording, which is not started yet, and gives its number")
  long newRecording();

  @Described("Sets what a recording keeps to")
  void setRecordingOptions(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId,
      @Described(
              name = "options",
              value =
                  "name; duration, after which it stops by itself (default 1h); maxAge, such as 5m:"
                      + " what is older is left out; maxSize, the most memory in bytes")
          Map<String, String> options);

  @Described("Starts a recording now; costs nothing")
  void startRecording(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId);

  @Described("Stops a recording now; false when it does not run")
  boolean stopRecording(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId);

  @Described("Lets go of a recording; a running one is stopped")
  void closeRecording(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId);

  @Described("Writes a recording's CPU profile to a new file on the disk of the profiled JVM")
  void copyTo(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId,
      @Described(name = "outputFile", value = "File to be made; it must not be there yet")
          String outputFile)
      throws IOException;

  @Described("Writes a profile of a recording to a new file on the disk of the profiled JVM")
  void copyTo(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId,
      @Described(name = "outputFile", value = "File to be made; it must not be there yet")
          String outputFile,
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "format", value = "pprof, collapsed or html") String format)
      throws IOException;

  @Described("Opens a profile of a recording for readStream, and gives the stream's number")
  long openStream(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId,
      @Described(
              name = "options",
              value =
                  "kind (cpu, offcpu, wall); format (pprof, collapsed, html); startTime and endTime"
                      + " (-90s, or a time in UTC); thread (a name, * for any text); state"
                      + " (running, runnable, blocked, disk); blockSize (bytes)")
          Map<String, String> options);

  @Described("Opens a profile of a recording for readStream, and gives the stream's number")
  long openStream(
      @Described(name = "recordingId", value = "Number of the recording") long recordingId,
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "format", value = "pprof, collapsed or html") String format);

  @Described("Opens a profile of the kept past for readStream, and gives the stream's number")
  long openDump(
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "format", value = "pprof, collapsed or html") String format,
      @Described(name = "from", value = "-90s, or a time in UTC: 2026-11-26T10:15:30Z") String from,
      @Described(name = "to", value = "now, -60s, or a time in UTC") String to);

  @Described(
      value = "The next bytes of a stream, 50,000 at most unless asked otherwise; null at its end",
      reads = true)
  byte[] readStream(@Described(name = "streamId", value = "Number of the stream") long streamId);

  @Described("Closes a stream; one that nobody reads for two minutes closes by itself")
  void closeStream(@Described(name = "streamId", value = "Number of the stream") long streamId);

  @Described("Writes a profile of the kept past to a new file on the disk of the profiled JVM")
  void dump(
      @Described(name = "outputFile", value = "File to be made; it must not be there yet")
          String outputFile,
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "format", value = "pprof, collapsed or html") String format,
      @Described(name = "from", value = "-90s, or a time in UTC: 2026-11-26T10:15:30Z") String from,
      @Described(name = "to", value = "now, -60s, or a time in UTC") String to)
      throws IOException;

  @Described(value = "The functions with most time of their own in the last seconds", reads = true)
  Map<String, FunctionView> top(
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "seconds", value = "How far back, within the option history") int seconds);

  @Described(value = "A flame graph of the last seconds as an HTML page", reads = true)
  String flameGraph(
      @Described(name = "kind", value = "cpu, offcpu or wall") String kind,
      @Described(name = "seconds", value = "How far back, within the option history") int seconds);
}
