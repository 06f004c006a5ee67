import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import java.io.File;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import org.apache.catalina.startup.Tomcat;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * The usual pools, each given a little work and then none: all that their threads do is to wait for
 * more. One thread waits for an answer that does not come, which is no idleness. Run from source.
 */
public final class Pools {
  public static void main(String[] arguments) throws Exception {
    ForkJoinPool forkJoin = new ForkJoinPool(2);
    ExecutorService fixed = Executors.newFixedThreadPool(2, named("fixed"));
    ExecutorService scheduled = Executors.newScheduledThreadPool(1, named("scheduled"));
    for (ExecutorService pool : List.of(forkJoin, fixed, scheduled)) {
      pool.submit(() -> Thread.currentThread().getName()).get();
      pool.submit(() -> Thread.currentThread().getName()).get();
    }
    NioEventLoopGroup netty = new NioEventLoopGroup(1, named("netty"));
    Channel channel =
        new ServerBootstrap()
            .group(netty)
            .channel(NioServerSocketChannel.class)
            .childHandler(new ChannelInboundHandlerAdapter())
            .bind(new InetSocketAddress("127.0.0.1", 0))
            .sync()
            .channel();
    Tomcat tomcat = tomcat();
    KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties(), new StringSerializer(), new StringSerializer());
    thread(
        "kafka-consumer",
        () -> {
          try (KafkaConsumer<String, String> consumer =
              new KafkaConsumer<>(
                  properties(), new StringDeserializer(), new StringDeserializer())) {
            consumer.subscribe(List.of("nothing"));
            while (true) {
              consumer.poll(Duration.ofSeconds(1));
            }
          }
        });
    thread("waits-for-an-answer", () -> read(new InetSocketAddress("127.0.0.1", port(channel))));
    Thread.sleep(Long.parseLong(arguments[0]) * 1000);
    System.out.println("pools=" + tomcat.getConnector().getLocalPort() + producer.hashCode());
    System.out.flush();
    Runtime.getRuntime().exit(0);
  }

  private static int port(Channel channel) {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  private static Tomcat tomcat() throws Exception {
    File base = Files.createTempDirectory("tomcat").toFile();
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(base.getPath());
    tomcat.setPort(0);
    tomcat.addContext("", base.getPath());
    tomcat.getConnector();
    tomcat.start();
    URI home = URI.create("http://127.0.0.1:" + tomcat.getConnector().getLocalPort() + "/none");
    try (InputStream in =
        ((java.net.HttpURLConnection) home.toURL().openConnection()).getErrorStream()) {
      // a request, so that its worker threads have been used
    }
    return tomcat;
  }

  private static Properties properties() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", "127.0.0.1:1");
    properties.put("group.id", "pools");
    properties.put("reconnect.backoff.ms", "1000");
    return properties;
  }

  private static void read(InetSocketAddress server) {
    try (java.net.Socket socket = new java.net.Socket(server.getAddress(), server.getPort())) {
      socket.getInputStream().read();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static java.util.concurrent.ThreadFactory named(String name) {
    int[] count = new int[1];
    return work -> {
      Thread thread = new Thread(work, "pool-" + name + "-" + count[0]++);
      thread.setDaemon(true);
      return thread;
    };
  }

  private static void thread(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    thread.start();
  }
}
