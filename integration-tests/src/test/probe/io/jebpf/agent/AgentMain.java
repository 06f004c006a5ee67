package io.jebpf.agent;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.instrument.Instrumentation;
import java.lang.invoke.MethodHandle;

/**
 * Stands in for the real entry in a copy of the jar: says where it was started and what it may do
 * there. Needs no rights, so the boot part is tested on every machine.
 */
public final class AgentMain {
  private static int requests;

  private AgentMain() {}

  public static void attached(String arguments, Instrumentation instrumentation) throws Throwable {
    start(arguments, instrumentation);
    requests++;
    say("request", requests);
  }

  public static void start(String arguments, Instrumentation instrumentation) throws Throwable {
    if (arguments.equals("throw")) {
      throw new IllegalStateException("asked to fail");
    }
    Class<?> self = AgentMain.class;
    say("arguments", arguments);
    say("module", self.getModule());
    say("native access", self.getModule().isNativeAccessEnabled());
    say("strlen", strlen("restricted"));
    say(
        "context loader is ours",
        Thread.currentThread().getContextClassLoader() == self.getClassLoader());
    say("parent", self.getClassLoader().getParent() == ClassLoader.getPlatformClassLoader());
    say("licence", length("/META-INF/LICENSE") > 10_000);
    say("instrumentation", instrumentation.isRetransformClassesSupported());
    for (String name : new String[] {"java.management", "jdk.httpserver", "java.net.http"}) {
      say(
          name,
          self.getModule()
              .getLayer()
              .findModule(name)
              .filter(self.getModule()::canRead)
              .isPresent());
    }
    say("thread group", Thread.currentThread().getThreadGroup().getName());
  }

  private static long strlen(String text) throws Throwable {
    Linker linker = Linker.nativeLinker();
    MethodHandle strlen =
        linker.downcallHandle(
            linker.defaultLookup().find("strlen").orElseThrow(),
            FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocateFrom(text);
      MemorySegment again =
          MemorySegment.ofAddress(segment.address()).reinterpret(text.length() + 1);
      return (long) strlen.invokeExact(again);
    }
  }

  private static int length(String resource) throws IOException {
    try (InputStream in = AgentMain.class.getResourceAsStream(resource)) {
      return in == null ? -1 : in.readAllBytes().length;
    }
  }

  private static void say(String what, Object value) {
    System.err.println("probe " + what + ": " + value);
  }
}
