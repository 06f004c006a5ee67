package io.jebpf;

import java.io.DataInputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.instrument.Instrumentation;
import java.lang.reflect.InvocationTargetException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;

/**
 * The class named in the manifest: what the JVM calls at start ({@code -javaagent}), on attach and
 * for {@code java -jar}.
 *
 * <p>It is the only class of the jar that an application could load, and the only one compiled for
 * Java 8, so that an old JVM gets one clear line instead of an UnsupportedClassVersionError. It is
 * its own class loader for {@code io.jebpf.boot}, and its own thread body, because a second class
 * would be visible too.
 *
 * <p>Nothing is thrown out of {@code premain} and {@code agentmain}: from there it would end the
 * JVM.
 */
public final class Agent extends ClassLoader implements Runnable {
  /** The foreign function API is final from here on. */
  private static final int JAVA_NEEDED = 22;

  private static final String BOOT_PACKAGE = "io.jebpf.boot.";

  /** Set by the first start at the JVM's own start, so that a second one does nothing. */
  private static final AtomicBoolean ON_COMMAND_LINE = new AtomicBoolean();

  /** One request at a time. */
  private static final Object TURN = new Object();

  /**
   * The loader that has loaded the profiler; null before the first start. Later requests go to the
   * same classes: a thousand attaches load them once.
   */
  private static Agent loaded;

  /** What {@link #api} gives: the running profiler's answers, null while none runs. */
  private static final AtomicReference<BiFunction<String, Object[], Object>> API =
      new AtomicReference<>();

  private final String arguments;
  private final Instrumentation instrumentation;

  /** Name of the method of Boot that serves the request. */
  private final String request;

  private Agent(String request, String arguments, Instrumentation instrumentation) {
    super(null); // boot classes need java.base and java.instrument only, and must not see the
    // application
    this.request = request;
    this.arguments = arguments;
    this.instrumentation = instrumentation;
  }

  /**
   * Where classes of io.jebpf.api, in whatever loader, find the profiler: a function of an
   * operation's name and its arguments, of the JDK's types alone. The profiler sets and clears it.
   */
  public static AtomicReference<BiFunction<String, Object[], Object>> api() {
    return API;
  }

  /** Called by the JVM before the application's main method. Returns at once. */
  public static void premain(String arguments, Instrumentation instrumentation) {
    if (ON_COMMAND_LINE.compareAndSet(false, true)) {
      startBeside("agent", arguments, instrumentation);
    } else {
      say("was already started in this JVM: this second start does nothing");
    }
  }

  /**
   * Called by the JVM whenever the jar is attached to it: to start, to change or to stop the
   * profiler. Returns at once.
   */
  public static void agentmain(String arguments, Instrumentation instrumentation) {
    startBeside("attached", arguments, instrumentation);
  }

  /** The command line: {@code java -jar jebpf.jar …}. */
  public static void main(String[] arguments) {
    int java = javaVersion();
    if (java < JAVA_NEEDED) {
      say(
          "this command needs Java "
              + JAVA_NEEDED
              + " or newer and was started with Java "
              + java
              + ": run it with the java of a newer JDK");
      System.exit(1);
    }
    try {
      new Agent("commandLine", "", null)
          .boot("commandLine", new Class<?>[] {File.class, String[].class}, jar(), arguments);
    } catch (Throwable e) {
      say("failed: " + e);
      System.exit(1);
    }
  }

  private static void startBeside(
      String request, String arguments, Instrumentation instrumentation) {
    try {
      int java = javaVersion();
      if (java < JAVA_NEEDED) {
        say(
            "not started: it needs Java "
                + JAVA_NEEDED
                + " or newer and this JVM is Java "
                + java
                + "; the application runs on, unprofiled");
        return;
      }
      Agent agent = new Agent(request, arguments == null ? "" : arguments, instrumentation);
      Thread thread = new Thread(systemThreadGroup(), agent, "jebpf-start");
      thread.setDaemon(true);
      thread.setContextClassLoader(agent);
      thread.start();
    } catch (Throwable e) {
      sayNotStarted(e);
    }
  }

  /** The body of thread jebpf-start. */
  @Override
  public void run() {
    synchronized (TURN) {
      boolean first = loaded == null;
      try {
        loaded = first ? this : loaded;
        loaded.boot(
            request,
            new Class<?>[] {File.class, String.class, Instrumentation.class},
            jar(),
            arguments,
            instrumentation);
      } catch (Throwable e) {
        loaded = first ? null : loaded; // the next attach tries again with classes of its own
        sayNotStarted(e);
      }
    }
  }

  private void boot(String entry, Class<?>[] types, Object... values) throws Throwable {
    try {
      loadClass(BOOT_PACKAGE + "Boot").getMethod(entry, types).invoke(null, values);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private static File jar() throws URISyntaxException {
    return new File(Agent.class.getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  @Override
  protected Class<?> findClass(String name) throws ClassNotFoundException {
    if (!name.startsWith(BOOT_PACKAGE)) {
      throw new ClassNotFoundException(name);
    }
    String stored = "jebpf/" + name.replace('.', '/') + ".classdata";
    // Not by getResourceAsStream: a jar: URL keeps the jar open in a cache of the application's
    // loader.
    try (JarFile jar = new JarFile(jar(), false)) {
      ZipEntry entry = jar.getEntry(stored);
      if (entry == null) {
        throw new ClassNotFoundException(name + ": no " + stored + " in " + jar.getName());
      }
      byte[] bytes = new byte[(int) entry.getSize()];
      try (DataInputStream in = new DataInputStream(jar.getInputStream(entry))) {
        in.readFully(bytes);
      }
      return defineClass(name, bytes, 0, bytes.length, Agent.class.getProtectionDomain());
    } catch (IOException | URISyntaxException e) {
      throw new ClassNotFoundException(name, e);
    }
  }

  /** The root group, so that the application's own group does not count our thread. */
  private static ThreadGroup systemThreadGroup() {
    ThreadGroup group = Thread.currentThread().getThreadGroup();
    while (group.getParent() != null) {
      group = group.getParent();
    }
    return group;
  }

  /** 8, 17, 25, …: the property reads 1.8 before Java 9. */
  private static int javaVersion() {
    String version = System.getProperty("java.specification.version", "0");
    String number = version.startsWith("1.") ? version.substring(2) : version;
    try {
      return Integer.parseInt(number);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private static void sayNotStarted(Throwable e) {
    say("not started: " + e + "; the application runs on, unprofiled");
  }

  /**
   * One line on the real standard error, in one write: the application may have replaced
   * System.err.
   */
  private static void say(String line) {
    try {
      FileOutputStream err = new FileOutputStream(FileDescriptor.err); // not ours to close
      err.write(("jebpf: " + line + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (Throwable e) {
      return; // a host without a standard error has nothing to read
    }
  }
}
