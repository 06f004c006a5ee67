package io.jebpf.agent.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EndpointNamesTest {
  @Test
  void leavesIdsOut() {
    EndpointNames names = new EndpointNames();
    assertEquals("GET /orders/*/items", names.apply("GET", "/orders/17/items"));
    assertEquals("GET /a/*", names.apply("GET", "/a/123e4567-e89b-12d3-a456-426614174000"));
    assertEquals("GET /a/*", names.apply("GET", "/a/5eed00000000f0ec"));
    assertEquals("GET /v2/health", names.apply("GET", "/v2/health"));
    assertEquals("POST /a/b/c/...", names.apply("POST", "/a/b/c/d/e"));
    assertEquals("GET /a", names.apply("GET", "/a;jsessionid=1"));
    assertEquals("GET /", names.apply("GET", "/"));
    assertEquals("GET /", names.apply("GET", ""));
    assertEquals("GET /decade", names.apply("GET", "/decade")); // letters alone are a name
  }

  @Test
  void isBounded() {
    EndpointNames names = new EndpointNames();
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      seen.add(names.apply("GET", "/page-" + (char) ('a' + i % 26) + "-x" + i + "y"));
    }
    assertEquals(EndpointNames.NAMES_MAX + 1, seen.size());
    assertTrue(seen.contains(EndpointNames.OTHER));
    assertEquals(10_000 - EndpointNames.NAMES_MAX, names.others());
  }
}
