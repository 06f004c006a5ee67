import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32;

/**
 * A JVM to look at from outside; runs on 17 and later, also from source. Works until its code is
 * compiled, starts threads with particular names, prints "ready" and ends when stdin does. Each
 * line on stdin before that renames the thread "renamed-0" to it and is answered with "done".
 */
public class Child {
  static volatile long sink;

  interface Shape {
    long area(int x);
  }

  static final class Square implements Shape {
    public long area(int x) {
      return (long) x * x;
    }
  }

  static final class Circle implements Shape {
    public long area(int x) {
      return 3L * x * x;
    }
  }

  static long sum(Shape shape, int n) {
    long total = 0;
    for (int i = 0; i < n; i++) {
      total += shape.area(i);
    }
    return total;
  }

  static long work(int round) {
    Map<String, Integer> map = new HashMap<>();
    Map<Integer, String> sorted = new TreeMap<>();
    CRC32 crc = new CRC32();
    List<Shape> shapes = new ArrayList<>();
    shapes.add(new Square());
    shapes.add(new Circle());
    long total = 0;
    for (int i = 0; i < 2_000; i++) {
      map.merge("key" + i % 50, i, Integer::sum);
      sorted.put(i ^ round, "value");
      crc.update(i);
      total += sum(shapes.get(i & 1), 20);
    }
    for (String key : map.keySet()) {
      total += key.hashCode() + map.get(key);
    }
    total += shapes.stream().mapToLong(shape -> shape.area(round)).sum();
    return total + crc.getValue() + sorted.size();
  }

  static Thread parked(String name) {
    Thread thread =
        new Thread(
            () -> {
              while (true) {
                LockSupport.park();
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  public static void main(String[] args) throws Exception {
    long end = System.nanoTime() + Long.parseLong(args[0]) * 1_000_000L;
    int round = 0;
    do {
      sink += work(round++);
    } while (System.nanoTime() < end);
    parked("a thread name of well over sixteen bytes");
    parked("gr\u00fc\u00dfe-latin1");
    parked("\u7ebf\u7a0b-\u2603-utf16 \ud83d\ude00");
    Thread renamed = parked("renamed-0");
    System.out.println("ready");
    StringBuilder line = new StringBuilder();
    for (int c = System.in.read(); c >= 0; c = System.in.read()) {
      if (c == '\n') {
        renamed.setName(line.toString());
        line.setLength(0);
        System.gc();
        System.out.println("done");
      } else {
        line.append((char) c);
      }
    }
  }
}
