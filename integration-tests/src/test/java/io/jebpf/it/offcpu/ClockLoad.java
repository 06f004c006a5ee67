package io.jebpf.it.offcpu;

import io.jebpf.bpf.ClockView;
import io.jebpf.bpf.KernelObject;
import io.jebpf.bpf.KernelPrograms;
import io.jebpf.bpf.NativeRuntime;
import io.jebpf.bpf.OffCpu;
import io.jebpf.bpf.OffCpuPrograms;
import io.jebpf.bpf.ThreadState;
import io.jebpf.it.workload.Burn;
import io.jebpf.it.workload.H2Client;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/**
 * A JVM that reads its own exact clocks, beside what the scheduler itself says in
 * /proc/self/task/.../schedstat, and prints both: one line {@code thread=...} each. Arguments:
 * idle, spin, h2 or stop; seconds; of h2 a database URL and a port.
 */
public final class ClockLoad {
  private static final int SPINNERS = 32;
  private static final int SHORT_LIVED = 20;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private record Scheduler(long running, long runnable) {}

  private ClockLoad() {}

  public static void main(String[] arguments) throws Exception {
    long seconds = Long.parseLong(arguments[1]);
    NativeRuntime runtime = NativeRuntime.load(List.of(Path.of("/tmp")));
    KernelPrograms programs;
    try (KernelObject object = KernelObject.open(runtime)) {
      object.knob("depth_max", 128);
      object.offCpu(new OffCpuPrograms(10_000_000, false, Boolean.getBoolean("iterator")));
      programs = object.load();
    }
    OffCpu offCpu = programs.offCpu().orElseThrow();
    start("before-sleeping", () -> nap(Long.MAX_VALUE / 1_000_000));
    Thread.sleep(100);
    start("ticker", () -> offCpu.runTicker(10_000_000));
    offCpu.start(programs.whoami().tgid());
    long started = System.nanoTime();
    long wall = started;
    Map<Integer, Scheduler> before = scheduler();
    long skew = System.nanoTime() - started;
    switch (arguments[0]) {
      case "idle" -> idle(seconds);
      case "spin" -> spin(seconds);
      case "h2" -> h2(seconds, arguments[2], arguments[3]);
      case "stop" -> stop(seconds);
      default -> throw new IllegalArgumentException(arguments[0]);
    }
    offCpu.stop();
    Thread.sleep(100); // what has just run comes to rest
    started = System.nanoTime();
    System.out.println("wall=" + (started - wall));
    Map<Integer, Scheduler> after = scheduler();
    for (int slot = 0; slot < offCpu.clocks().slots(); slot++) {
      ClockView clock = new ClockView();
      long now = System.nanoTime();
      if (offCpu.clocks().read(slot, now, clock)) {
        print(clock, now, before, after);
      }
    }
    System.out.println("skew=" + (skew + System.nanoTime() - started));
    System.out.println("missing=" + (threadCount() - live(offCpu)));
    System.out.println("failed=" + offCpu.failedTicks());
    System.out.flush();
    Runtime.getRuntime().halt(0); // the sleeper would not end
  }

  private static void idle(long seconds) throws InterruptedException {
    List<Thread> shortLived = new ArrayList<>();
    for (int i = 0; i < SHORT_LIVED; i++) {
      long[] lived = new long[3];
      long created = System.nanoTime();
      String name = "during-" + i;
      Thread thread =
          new Thread(
              () -> {
                lived[0] = System.nanoTime();
                Burn.cpuMillis(5);
                nap(20);
                lived[2] = THREADS.getCurrentThreadCpuTime();
                lived[1] = System.nanoTime();
              },
              name);
      thread.start();
      thread.join();
      long joined = System.nanoTime();
      System.out.println(
          "lived="
              + name
              + ";"
              + (lived[1] - lived[0])
              + ";"
              + (joined - created)
              + ";"
              + lived[2]);
      shortLived.add(thread);
    }
    nap(seconds * 1000);
  }

  /** More threads than CPUs, all of which want to run all the time. */
  private static void spin(long seconds) throws InterruptedException {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch done = new CountDownLatch(SPINNERS);
    long[] end = new long[1];
    for (int i = 0; i < SPINNERS; i++) {
      start(
          "spinner-" + i,
          () -> {
            await(go);
            while (System.nanoTime() < end[0]) {
              Burn.sink++;
            }
            done.countDown();
            nap(Long.MAX_VALUE / 1_000_000);
          });
    }
    nap(200);
    end[0] = System.nanoTime() + seconds * 1_000_000_000L;
    go.countDown();
    done.await();
  }

  /** Server and clients in one JVM. */
  private static void h2(long seconds, String url, String port) throws Exception {
    Object server =
        Class.forName("org.h2.tools.Server")
            .getMethod("createTcpServer", String[].class)
            .invoke(null, (Object) new String[] {"-tcpPort", port, "-ifNotExists"});
    server.getClass().getMethod("start").invoke(server);
    H2Client.main(new String[] {url, Long.toString(seconds)});
  }

  private static void stop(long seconds) {
    System.out.println("ready");
    System.out.flush();
    long end = System.nanoTime() + seconds * 1_000_000_000L;
    while (System.nanoTime() < end) {
      nap(10);
    }
  }

  private static Thread start(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void nap(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static int threadCount() {
    return new File("/proc/self/task").list().length;
  }

  private static int live(OffCpu offCpu) {
    int live = 0;
    ClockView clock = new ClockView();
    for (int slot = 0; slot < offCpu.clocks().slots(); slot++) {
      if (offCpu.clocks().read(slot, System.nanoTime(), clock)) {
        live += clock.state() == ThreadState.ENDED ? 0 : 1;
      }
    }
    return live;
  }

  /** What the scheduler says of each thread: empty where the kernel has no schedstat. */
  private static Map<Integer, Scheduler> scheduler() throws IOException {
    Map<Integer, Scheduler> found = new HashMap<>();
    for (String tid : Optional.ofNullable(new File("/proc/self/task").list()).orElseThrow()) {
      try {
        String[] fields =
            Files.readString(Path.of("/proc/self/task", tid, "schedstat")).strip().split(" ");
        Scheduler times = new Scheduler(Long.parseLong(fields[0]), Long.parseLong(fields[1]));
        found.put(Integer.parseInt(tid), times);
      } catch (NoSuchFileException e) {
        continue; // it has just ended
      }
    }
    return found;
  }

  private static void print(
      ClockView clock, long now, Map<Integer, Scheduler> before, Map<Integer, Scheduler> after) {
    boolean ended = clock.state() == ThreadState.ENDED;
    long until = ended ? clock.sinceNanos() : now;
    Scheduler from = before.getOrDefault(clock.tid(), new Scheduler(0, 0));
    Scheduler to = after.getOrDefault(clock.tid(), new Scheduler(-1, -1));
    boolean known = to.running() >= 0 && !ended;
    StringBuilder line = new StringBuilder("thread=");
    line.append(clock.comm()).append(';').append(until - clock.firstNanos());
    for (ThreadState state :
        List.of(
            ThreadState.RUNNING,
            ThreadState.RUNNABLE,
            ThreadState.BLOCKED,
            ThreadState.DISK,
            ThreadState.STOPPED)) {
      line.append(';').append(clock.nanos(state));
    }
    line.append(';').append(known ? to.running() - from.running() : -1);
    line.append(';').append(known ? to.runnable() - from.runnable() : -1);
    System.out.println(line);
  }
}
