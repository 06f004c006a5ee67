import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayDeque;

/**
 * A JVM whose code and classes come and go: proxy classes with names of their own, each called
 * until compiled and soon dropped, in a small code cache and metaspace. Runs on 17 and later; ends
 * when stdin does. Prints "ready" once the first classes were unloaded.
 */
public class Churn {
  public interface Work {
    int work(int x);
  }

  static volatile int sink;

  static Work make(URL[] path, int number) throws Exception {
    URLClassLoader loader = new URLClassLoader(path, Churn.class.getClassLoader());
    return (Work)
        Proxy.newProxyInstance(
            loader, new Class<?>[] {Work.class}, (proxy, method, args) -> number);
  }

  public static void main(String[] args) throws Exception {
    Thread watcher =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // wait for the end of stdin
                }
              } catch (java.io.IOException e) {
                // the parent is gone
              }
              Runtime.getRuntime().halt(0);
            });
    watcher.setDaemon(true);
    watcher.start();
    ArrayDeque<Work> alive = new ArrayDeque<>();
    for (int number = 0; ; number++) {
      Work work = make(new URL[0], number);
      for (int i = 0; i < 400; i++) {
        sink += work.work(i);
      }
      alive.add(work);
      if (alive.size() > 40) {
        alive.clear();
        System.gc();
      }
      if (number == 200) {
        System.out.println("ready");
      }
    }
  }
}
