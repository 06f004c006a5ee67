package io.jebpf.it.workload;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A mixed load on an H2 server: inserts, index look-ups, joins, aggregations, one thread each.
 * Arguments: JDBC URL, seconds.
 */
public final class H2Client {
  private static final int CUSTOMERS = 2_000;
  private static final int ORDERS_AT_START = 20_000;
  private static final int CONNECT_TRIES = 100;

  private H2Client() {}

  /** One kind of work; returns the number of rows it touched. */
  private interface Work {
    long once(Connection connection, SplittableRandom random) throws SQLException;
  }

  public static void main(String[] args) throws Exception {
    String url = args[0];
    long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
    try (Connection connection = connect(url)) {
      create(connection);
    }
    AtomicLong statements = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    List<Throwable> failures = new ArrayList<>();
    threads.add(thread("insert", url, end, statements, failures, H2Client::insert));
    threads.add(thread("lookup", url, end, statements, failures, H2Client::lookup));
    threads.add(thread("join", url, end, statements, failures, H2Client::join));
    threads.add(thread("aggregate", url, end, statements, failures, H2Client::aggregate));
    for (Thread thread : threads) {
      thread.join();
    }
    if (!failures.isEmpty()) {
      throw new IllegalStateException("a client thread failed", failures.get(0));
    }
    System.out.println("statements=" + statements.get());
  }

  private static Connection connect(String url) throws SQLException, InterruptedException {
    SQLException last = new SQLException("not tried");
    for (int i = 0; i < CONNECT_TRIES; i++) {
      try {
        return DriverManager.getConnection(url, "sa", "");
      } catch (SQLException e) {
        last = e; // the server is still starting
        Thread.sleep(100);
      }
    }
    throw last;
  }

  private static void create(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("drop all objects");
      statement.execute("create table customer(id int primary key, name varchar(40), region int)");
      statement.execute(
          "create table orders(id bigint auto_increment primary key, customer int, amount"
              + " decimal(12,2), note varchar(80))");
      statement.execute("create index orders_customer on orders(customer)");
      statement.execute(
          "insert into customer select x, 'customer ' || x, mod(x, 20) from system_range(1, "
              + CUSTOMERS
              + ")");
      statement.execute(
          "insert into orders(customer, amount, note) select 1 + mod(x * 7, "
              + CUSTOMERS
              + "), mod(x, 1000) / 7.0, 'order ' || x from system_range(1, "
              + ORDERS_AT_START
              + ")");
    }
  }

  private static Thread thread(
      String name,
      String url,
      long end,
      AtomicLong statements,
      List<Throwable> failures,
      Work work) {
    Thread thread =
        new Thread(
            () -> {
              SplittableRandom random = new SplittableRandom(name.hashCode());
              try (Connection connection = connect(url)) {
                while (System.nanoTime() < end) {
                  Burn.sink += work.once(connection, random);
                  statements.incrementAndGet();
                }
              } catch (SQLException | InterruptedException e) {
                synchronized (failures) {
                  failures.add(e);
                }
              }
            },
            "client-" + name);
    thread.start();
    return thread;
  }

  private static long insert(Connection connection, SplittableRandom random) throws SQLException {
    String sql = "insert into orders(customer, amount, note) values(?, ?, ?)";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < 20; i++) {
        statement.setInt(1, random.nextInt(1, CUSTOMERS + 1));
        statement.setDouble(2, random.nextDouble(1_000));
        statement.setString(3, "inserted " + random.nextLong());
        statement.addBatch();
      }
      return statement.executeBatch().length;
    }
  }

  private static long lookup(Connection connection, SplittableRandom random) throws SQLException {
    return query(
        connection,
        "select id, amount, note from orders where customer = ?",
        random.nextInt(1, CUSTOMERS + 1));
  }

  private static long join(Connection connection, SplittableRandom random) throws SQLException {
    return query(
        connection,
        "select c.name, o.amount from customer c join orders o on o.customer = c.id"
            + " where c.region = ? and o.amount > 50 order by o.amount desc limit 100",
        random.nextInt(20));
  }

  private static long aggregate(Connection connection, SplittableRandom random)
      throws SQLException {
    return query(
        connection,
        "select c.region, count(*), sum(o.amount), max(o.note) from orders o join customer c on"
            + " c.id = o.customer where mod(o.id, 10) = ? group by c.region order by 3 desc",
        random.nextInt(10));
  }

  private static long query(Connection connection, String sql, int argument) throws SQLException {
    long rows = 0;
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, argument);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          rows++;
        }
      }
    }
    return rows;
  }
}
