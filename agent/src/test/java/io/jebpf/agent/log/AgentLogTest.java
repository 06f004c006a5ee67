package io.jebpf.agent.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.options.Options.LogLevel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AgentLogTest {
  @TempDir private Path directory;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final AtomicLong clock = new AtomicLong();

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private AgentLog log(LogLevel level) {
    return AgentLog.to(bytes, level, clock::get);
  }

  @Test
  void aTroubleIsOneLineWithWhatWhyAndAHint() {
    log(LogLevel.WARN).error(Trouble.OUT_DIRECTORY, "/out: no\nspace");
    assertEquals(
        "jebpf: ERROR: the directory for profiles cannot be used: /out: no space. Hint: "
            + Trouble.OUT_DIRECTORY.hint()
            + ".\n",
        text());
  }

  @Test
  void betterAdviceReplacesTheHint() {
    log(LogLevel.WARN).warn(Trouble.RIGHTS, "EPERM (1)", "Do this");
    assertTrue(text().endsWith("EPERM (1). Hint: Do this.\n"), text());
  }

  @Test
  void repeatsAreWithheldAndCounted() {
    AgentLog log = log(LogLevel.WARN);
    for (int i = 0; i < 5; i++) {
      log.warn(Trouble.PROFILE_WRITE, "try " + i);
    }
    assertEquals(1, text().lines().count());
    clock.addAndGet(AgentLog.REPEAT_NANOS);
    log.warn(Trouble.PROFILE_WRITE, "try 5");
    assertTrue(text().contains("try 5 (4 more like it withheld)"), text());
    log.warn(Trouble.PROFILE_WRITE, "try 6");
    log.warn(Trouble.SAMPLES_LOST, "other kinds are not withheld");
    assertEquals(3, text().lines().count());
    assertEquals(7, log.count(Trouble.PROFILE_WRITE));
    log.close();
    assertTrue(
        text().endsWith("a profile could not be written: 1 more like it were withheld\n"), text());
  }

  @Test
  void levelsIncludeThoseBeforeThem() {
    AgentLog log = log(LogLevel.ERROR);
    log.notice("start");
    log.warn(Trouble.BUDGET, "x");
    log.info("i");
    assertEquals("", text());
    log.error(Trouble.READER, "y");
    assertEquals(1, text().lines().count());
  }

  @Test
  void fileIsAppendedToAndBounded() throws IOException {
    Path file = directory.resolve("agent.log");
    Files.writeString(file, "kept\n");
    try (AgentLog log = AgentLog.toFile(file, LogLevel.INFO)) {
      log.notice("first");
    }
    String text = Files.readString(file);
    assertTrue(text.startsWith("kept\n"), text);
    assertTrue(text.matches("(?s)kept\\n[0-9T:.-]+Z jebpf: first\\n"), text);
    try (AgentLog log = AgentLog.toFile(file, LogLevel.INFO)) {
      String line = "x".repeat(1500);
      for (int i = 0; i < 1000; i++) {
        log.info(line);
      }
    }
    Path older = directory.resolve("agent.log.1");
    assertTrue(Files.size(file) <= AgentLog.FILE_BYTES_MAX);
    assertTrue(Files.size(older) <= AgentLog.FILE_BYTES_MAX);
    assertEquals(2, Files.list(directory).count());
  }

  @Test
  void linesAreBounded() {
    log(LogLevel.INFO).info("y".repeat(100_000));
    assertTrue(text().length() < 2100);
  }
}
