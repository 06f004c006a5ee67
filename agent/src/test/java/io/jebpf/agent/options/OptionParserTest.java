package io.jebpf.agent.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.jebpf.agent.options.Options.LogLevel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptionParserTest {
  @TempDir private Path directory;

  private static OptionSources sources(
      String argument, Map<String, String> properties, Map<String, String> environment) {
    return new OptionSources(
        argument, properties, environment, "org.example.Main a b", "/some/tmp", "me", 4711);
  }

  private static Options accepted(OptionSources sources) {
    ParsedOptions parsed = OptionParser.parse(sources);
    return assertInstanceOf(ParsedOptions.Accepted.class, parsed, parsed::toString).options();
  }

  private static Options accepted(String argument) {
    return accepted(sources(argument, Map.of(), Map.of()));
  }

  private static ParsedOptions.Refused refused(String argument) {
    return assertInstanceOf(
        ParsedOptions.Refused.class,
        OptionParser.parse(sources(argument, Map.of(), Map.of())),
        argument);
  }

  @Test
  void defaultsAreThoseOfTheTable() {
    Options options = accepted("");
    assertEquals("org.example.Main", options.service());
    assertEquals(Optional.of(Path.of("/some/tmp/jebpf/org.example.Main-4711")), options.out());
    assertEquals(256L << 20, options.diskBytes());
    assertEquals(10_000_000_000L, options.windowNanos());
    assertEquals(99, options.cpuHz());
    assertEquals(1024, options.stacks().depth());
    assertEquals(10_000, options.budgetMillionths());
    assertEquals(LogLevel.WARN, options.logLevel());
    assertEquals(Map.of(), options.labels());
    assertEquals(Optional.empty(), options.logFile());
    assertEquals(Optional.empty(), options.nativeDir());
  }

  @Test
  void everyKeyIsRead() {
    Options options =
        accepted(
            "service=shop,out=/var/p,disk=2g,window=500ms".replace("500ms", "1500ms")
                + ",cpu=999,depth=64,budget=0.25%,labels=env:prod;zone:a,log=debug"
                + ",log.file=/var/log/j.log,native.dir=/opt/n");
    assertEquals("shop", options.service());
    assertEquals(Optional.of(Path.of("/var/p")), options.out());
    assertEquals(2L << 30, options.diskBytes());
    assertEquals(1_500_000_000L, options.windowNanos());
    assertEquals(999, options.cpuHz());
    assertEquals(64, options.stacks().depth());
    assertEquals(2_500, options.budgetMillionths());
    assertEquals(List.of("env", "zone"), List.copyOf(options.labels().keySet()));
    assertEquals("prod", options.labels().get("env"));
    assertEquals(LogLevel.DEBUG, options.logLevel());
    assertEquals(Optional.of(Path.of("/var/log/j.log")), options.logFile());
    assertEquals(Optional.of(Path.of("/opt/n")), options.nativeDir());
  }

  @Test
  void outOffWritesNothing() {
    assertEquals(Optional.empty(), accepted("out=off").out());
  }

  @Test
  void argumentWinsOverPropertyOverEnvironmentOverFile() throws IOException {
    Path config = directory.resolve("jebpf.conf");
    Files.writeString(config, "# comment\n\ncpu=1\ndepth=21\nwindow=31s\ndisk=41m\n");
    Map<String, String> environment =
        Map.of("JEBPF_CPU", "2", "JEBPF_DEPTH", "22", "JEBPF_WINDOW", "32s");
    Map<String, String> properties =
        Map.of("jebpf.cpu", "3", "jebpf.depth", "23", "other.cpu", "9", "jebpf.log.file", "/p");
    Options options = accepted(sources("cpu=4,config=" + config, properties, environment));
    assertEquals(4, options.cpuHz());
    assertEquals(23, options.stacks().depth());
    assertEquals(32_000_000_000L, options.windowNanos());
    assertEquals(41L << 20, options.diskBytes());
    assertEquals(Optional.of(Path.of("/p")), options.logFile());
  }

  @Test
  void dotsAreUnderscoresInTheEnvironment() {
    Options options = accepted(sources("", Map.of(), Map.of("JEBPF_NATIVE_DIR", "/n")));
    assertEquals(Optional.of(Path.of("/n")), options.nativeDir());
  }

  @Test
  void variablesThatAPlatformSetsAreIgnored() {
    accepted(sources("", Map.of(), Map.of("JEBPF_PORT", "tcp://1", "JEBPF_SERVICE_HOST", "h")));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "cpus=9 | unknown key 'cpus' in the agent argument | service, out, disk",
        "cpu | 'cpu' in the agent argument is not key=value | key=value,key=value",
        "cpu=9,,depth=64 | '' in the agent argument is not key=value | key=value",
        "cpu=9,cpu=8 | key 'cpu' is given twice in the agent argument | once",
        "cpu=fast | bad value 'fast' for 'cpu' in the agent argument | 0 to 10000",
        "cpu=10001 | bad value '10001' for 'cpu' | 0 to 10000",
        "cpu=-1 | bad value '-1' for 'cpu' | 0 to 10000",
        "depth=15 | bad value '15' for 'depth' | 16 to 2048",
        "window=10 | bad value '10' for 'window' | 1s to 1h",
        "window=999ms | bad value '999ms' for 'window' | 1s to 1h",
        "window=99999999999999h | bad value '99999999999999h' for 'window' | 1s to 1h",
        "disk=1 | bad value '1' for 'disk' | 1m to 16t",
        "disk=12q | bad value '12q' for 'disk' | 64k, 256m, 2g",
        "budget=1 | bad value '1' for 'budget' | 0.01% to 1000%",
        "budget=0.001% | bad value '0.001%' for 'budget' | 0.01%",
        "log=loud | bad value 'loud' for 'log' | error, warn, info, debug",
        "labels=a | bad value 'a' for 'labels' | k:v;k:v",
        "labels=a:b;a:c | bad value 'a:b;a:c' for 'labels' | different",
        "labels=a-b:c | bad value 'a-b:c' for 'labels' | letters",
        "labels=thread:c | bad value 'thread:c' for 'labels' | not 'thread'",
        "out= | bad value '' for 'out' | directory",
        "service= | bad value '' for 'service' | 1 to 256 characters",
        "config=/does/not/exist | config file /does/not/exist cannot be read | UTF-8",
      })
  void badInputIsRefusedWithTheChoices(String argument, String problem, String choices) {
    ParsedOptions.Refused refused = refused(argument);
    assertTrue(refused.problem().startsWith(problem), refused.problem());
    assertTrue(refused.choices().contains(choices), refused.choices());
  }

  @Test
  void unknownPropertyIsRefused() {
    ParsedOptions parsed = OptionParser.parse(sources("", Map.of("jebpf.windw", "1s"), Map.of()));
    ParsedOptions.Refused refused = assertInstanceOf(ParsedOptions.Refused.class, parsed);
    assertEquals("unknown key 'windw' in -Djebpf.windw", refused.problem());
  }

  @Test
  void configFileErrorsNameTheFile() throws IOException {
    Path config = directory.resolve("c");
    Files.writeString(config, "cpu=9\nnonsense\n");
    assertEquals(
        "'nonsense' in config file " + config + " is not key=value",
        refused("config=" + config).problem());
    Files.writeString(config, "config=/other\n");
    assertEquals("'config' inside config file " + config, refused("config=" + config).problem());
    Files.writeString(config, "#".repeat(70_000));
    assertTrue(refused("config=" + config).problem().contains("70000 bytes"));
  }

  @ParameterizedTest
  @CsvSource({
    "org.h2.tools.Server -tcp, org.h2.tools.Server",
    "/opt/shop/app.jar --port 80, app",
    "app.jar, app",
    "/a b/app.jar x, app",
    "my.module/my.pkg.Main x, my.pkg.Main",
    "com.jarvis.Main, com.jarvis.Main",
    "'', java",
  })
  void serviceIsMainClassOrJar(String command, String service) {
    assertEquals(service, OptionParser.serviceOf(command));
  }

  @Test
  void serviceIsSafeInAPath() {
    Options options = accepted("service=../a b/ü");
    assertEquals("../a b/ü", options.service());
    assertEquals(Optional.of(Path.of("/some/tmp/jebpf/.._a_b__-4711")), options.out());
  }

  @Test
  void numbersSurviveFormatting() {
    for (Option option : Option.values()) {
      if (option.hasRange()) {
        for (long value : new long[] {option.range().low(), option.range().high()}) {
          String text = option.type().format(value);
          assertEquals(value, option.type().number(text).orElse(-1), option + " " + text);
        }
      }
    }
  }
}
