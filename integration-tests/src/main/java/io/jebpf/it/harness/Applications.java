package io.jebpf.it.harness;

import io.jebpf.it.workload.FreePort;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Runs of real applications: each returns the results of the JVMs that ran under the agent. */
public final class Applications {
  private static final int END_SECONDS = 30;

  private Applications() {}

  /** An H2 server under the mixed load of {@link io.jebpf.it.workload.H2Client}. */
  public static List<ChildResult> h2(Path directory, String agent, int seconds) throws IOException {
    String classPath = Locations.application("h2");
    String port = Integer.toString(FreePort.find());
    Path data = Files.createDirectories(directory.resolve("data"));
    ChildJvm server =
        ChildJvm.in(Files.createDirectories(directory.resolve("server")))
            .agent(agent)
            .classPath(classPath)
            .program(
                "org.h2.tools.Server", "-tcp", "-tcpPort", port, "-ifNotExists", "-baseDir", data);
    ChildJvm client =
        ChildJvm.in(Files.createDirectories(directory.resolve("client")))
            .classPath(Locations.classes() + ":" + classPath)
            .main(
                io.jebpf.it.workload.H2Client.class,
                "jdbc:h2:tcp://127.0.0.1:" + port + "/./load",
                seconds);
    try (RunningJvm running = server.start()) {
      expectSuccess(client.run(seconds + END_SECONDS));
      running.terminate();
      return List.of(running.await(END_SECONDS));
    }
  }

  /** A Kafka broker and its ProducerPerformance, both under the agent. */
  public static List<ChildResult> kafka(Path directory, String agent, int records)
      throws IOException {
    String classPath = Locations.application("kafka");
    int port = FreePort.find();
    Path properties = directory.resolve("server.properties");
    Files.write(properties, kafkaProperties(directory, port, FreePort.find()));
    expectSuccess(
        ChildJvm.in(Files.createDirectories(directory.resolve("format")))
            .classPath(classPath)
            .program(
                "kafka.tools.StorageTool",
                "format",
                "-t",
                "AAAAAAAAQAGAAAAAAAAAAQ",
                "-c",
                properties)
            .run(END_SECONDS * 2));
    ChildJvm broker =
        ChildJvm.in(Files.createDirectories(directory.resolve("broker")))
            .agent(agent)
            .jvm("-Xmx512m")
            .classPath(classPath)
            .program("kafka.Kafka", properties);
    ChildJvm producer =
        ChildJvm.in(Files.createDirectories(directory.resolve("producer")))
            .agent(agent)
            .jvm("-Xmx256m")
            .classPath(classPath)
            .program(
                "org.apache.kafka.tools.ProducerPerformance",
                "--topic",
                "load",
                "--num-records",
                records,
                "--record-size",
                300,
                "--throughput",
                -1,
                "--producer-props",
                "bootstrap.servers=127.0.0.1:" + port);
    try (RunningJvm running = broker.start()) {
      List<ChildResult> results = new ArrayList<>();
      results.add(expectSuccess(producer.run(120)));
      running.terminate();
      results.add(running.await(END_SECONDS));
      return results;
    }
  }

  private static List<String> kafkaProperties(Path directory, int port, int controllerPort) {
    return List.of(
        "process.roles=broker,controller",
        "node.id=1",
        "controller.quorum.voters=1@127.0.0.1:" + controllerPort,
        "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort,
        "advertised.listeners=PLAINTEXT://127.0.0.1:" + port,
        "controller.listener.names=CONTROLLER",
        "inter.broker.listener.name=PLAINTEXT",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs=" + directory.resolve("data"),
        "offsets.topic.replication.factor=1");
  }

  /** Lucene's own benchmark: indexing, merging and searching in memory. */
  public static List<ChildResult> lucene(Path directory, String agent, int rounds)
      throws IOException {
    Path algorithm = directory.resolve("load.alg");
    Files.write(
        algorithm,
        List.of(
            "analyzer=org.apache.lucene.analysis.standard.StandardAnalyzer",
            "directory=ByteBuffersDirectory",
            "content.source=org.apache.lucene.benchmark.byTask.feeds.SingleDocSource",
            "query.maker=org.apache.lucene.benchmark.byTask.feeds.SimpleQueryMaker",
            "doc.stored=true",
            "doc.tokenized=true",
            "log.step=1000000",
            "{ \"Rounds\"",
            "  ResetSystemErase",
            "  CreateIndex",
            "  { \"Add\" AddDoc > : 20000",
            "  ForceMerge(1)",
            "  CloseIndex",
            "  OpenReader",
            "  { \"Search\" SearchTrav > : 10000",
            "  CloseReader",
            "} : " + rounds,
            "RepSumByName"));
    return List.of(
        expectSuccess(
            ChildJvm.in(directory)
                .agent(agent)
                .jvm("-Xmx512m")
                .classPath(Locations.application("lucene"))
                .program("org.apache.lucene.benchmark.byTask.Benchmark", algorithm)
                .run(120)));
  }

  private static ChildResult expectSuccess(ChildResult result) {
    if (result.exitCode() != 0) {
      throw new IllegalStateException("the application failed: " + result);
    }
    return result;
  }
}
