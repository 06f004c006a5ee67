package io.jebpf.agent.options;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpOptionsTest {
  @ParameterizedTest
  @CsvSource({
    "6060, 127.0.0.1:6060",
    ":6060, 127.0.0.1:6060",
    "0, 127.0.0.1:0",
    "0.0.0.0:80, 0.0.0.0:80",
    "[::1]:6060, [::1]:6060",
    "pod-7.shop:1, pod-7.shop:1"
  })
  void addresses(String text, String shown) {
    assertEquals(shown, HttpOptions.parse(text, "secret").orElseThrow().toString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "x", "::1:6060", "65536", "1:2:3", "[x]:1", "-1"})
  void noAddresses(String text) {
    assertTrue(HttpOptions.parse(text, "").isEmpty());
  }

  @Test
  void theTokenIsNotShown() {
    assertEquals("127.0.0.1:1", new HttpOptions("", 1, "secret").toString());
  }
}
