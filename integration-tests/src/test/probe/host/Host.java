package host;

import java.io.InputStream;
import java.net.URL;
import java.util.Collections;
import java.util.TreeMap;

/**
 * An application that looks at what an agent could have changed and prints it. Compiled by the
 * tests for Java 8, so that it runs on every JVM.
 */
public final class Host {
  private static final long START_MILLIS_MAX = 10_000;

  private Host() {}

  public static void main(String[] args) throws Exception {
    switch (args[0]) {
      case "hello":
        System.out.println("hello");
        System.exit(7);
        break;
      case "clock":
        System.out.println("main=" + System.currentTimeMillis());
        break;
      case "sleep":
        System.out.println("ready");
        Thread.sleep(60_000);
        break;
      case "burn":
        System.out.println("ready");
        System.out.println(burn(60_000));
        break;
      case "view":
        awaitStart();
        print(args);
        break;
      default:
        throw new IllegalArgumentException(args[0]);
    }
  }

  private static double burn(long millis) {
    long deadline = System.currentTimeMillis() + millis;
    double sum = 0;
    while (System.currentTimeMillis() < deadline) {
      sum = Math.sin(sum + 1);
    }
    return sum;
  }

  /** Until the agent's start is over, which is at once without an agent. */
  private static void awaitStart() throws InterruptedException {
    long deadline = System.currentTimeMillis() + START_MILLIS_MAX;
    while (starting()) {
      if (System.currentTimeMillis() > deadline) {
        throw new IllegalStateException("jebpf-start still runs");
      }
      Thread.sleep(5);
    }
  }

  private static boolean starting() {
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().equals("jebpf-start")) {
        return true;
      }
    }
    return false;
  }

  private static void print(String[] args) throws Exception {
    for (int i = 1; i < args.length; i++) {
      System.out.println(args[i] + ": " + find(args[i]));
    }
    for (String key :
        new TreeMap<Object, Object>(System.getProperties()).keySet().toArray(new String[0])) {
      System.out.println(key + "=" + System.getProperty(key));
    }
    Thread thread = Thread.currentThread();
    System.out.println("threads of the group: " + thread.getThreadGroup().activeCount());
    System.out.println("context loader: " + thread.getContextClassLoader().getClass().getName());
    System.out.println("default handler: " + Thread.getDefaultUncaughtExceptionHandler());
    System.out.println("out: " + System.out.getClass() + ", err: " + System.err.getClass());
    System.out.println(
        "manifests: "
            + Collections.list(Host.class.getClassLoader().getResources("META-INF/LICENSE")));
  }

  private static String find(String name) throws Exception {
    ClassLoader loader = Host.class.getClassLoader();
    if (name.contains("/")) {
      URL url = loader.getResource(name);
      try (InputStream in = loader.getResourceAsStream(name)) {
        return url == null && in == null ? "no resource" : "RESOURCE " + url;
      }
    }
    try {
      return "CLASS of " + Class.forName(name, false, loader).getClassLoader();
    } catch (ClassNotFoundException e) {
      return "no class";
    }
  }
}
