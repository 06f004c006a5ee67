package io.jebpf.agent.dump;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The longest pause of the garbage collector since it was last asked. The one class that names
 * types of jdk.management: a JVM may lack that module. No MBean server is made. Owner: one thread.
 */
final class GcPauses {
  private final List<GarbageCollectorMXBean> collectors = new ArrayList<>();
  private final Map<String, Long> seen = new HashMap<>();

  GcPauses() {
    for (java.lang.management.GarbageCollectorMXBean bean :
        ManagementFactory.getGarbageCollectorMXBeans()) {
      // Cycles and concurrent phases go on beside the application: they are no pauses.
      boolean pauses = !bean.getName().contains("Cycles") && !bean.getName().contains("Concurrent");
      if (pauses && bean instanceof GarbageCollectorMXBean collector) {
        collectors.add(collector);
      }
    }
    longestMillis(); // what was before
  }

  long longestMillis() {
    long longest = 0;
    for (GarbageCollectorMXBean collector : collectors) {
      GcInfo last = collector.getLastGcInfo();
      if (last != null && seen.getOrDefault(collector.getName(), 0L) < last.getId()) {
        seen.put(collector.getName(), last.getId());
        longest = Math.max(longest, last.getDuration());
      }
    }
    return longest;
  }
}
