package io.jebpf.agent.upload;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.upload.LaneCounters.Count;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;

/**
 * The profiles that wait until each server has taken them: on disk, within a budget, across
 * restarts; in memory, and few, while the disk cannot be written. Thread-safe: the writer puts, the
 * sender takes. Nothing here waits for the network.
 *
 * <p>Killed at any moment, it leaves each profile either whole or not at all; what was being sent
 * then is sent again by the next JVM of the service and counted as repeated.
 */
final class Spool {
  /** Most profiles that wait; names of so many take about 4 MB. */
  static final int ENTRIES_MAX = 10_000;

  /** Most bytes that wait in memory. */
  static final long MEMORY_BYTES_MAX = 4 << 20;

  private static final String POISON = "poison";
  private static final int POISON_FILES_MAX = 16;

  private final Path service;
  private final List<String> servers;
  private final Map<String, String> identity;
  private final List<LaneCounters> counters;
  private final AgentLog log;
  private final String name;

  private final TreeSet<SpoolEntry> entries = new TreeSet<>(SpoolEntry.OLDEST_FIRST);
  private final Set<String> ours = new HashSet<>();
  private final List<SpoolQueue> adopted = new ArrayList<>();
  private Optional<SpoolQueue> queue = Optional.empty();
  private final SpoolQueue memoryQueue;
  private final long bytesMax;
  private long diskBytes;
  private long memoryBytes;
  private long poisonBytes;
  private long torn;
  private int number;
  private int queues;
  private boolean diskFails;
  private boolean closed;

  /**
   * @param service directory of the service's queues; made when first needed
   * @param servers directories of a queue, by number of the server
   * @param counters one for each server
   */
  Spool(
      Path service,
      List<String> servers,
      Map<String, String> identity,
      List<LaneCounters> counters,
      long bytesMax,
      AgentLog log) {
    this.service = service;
    this.servers = List.copyOf(servers);
    this.identity = Map.copyOf(identity);
    this.counters = List.copyOf(counters);
    this.bytesMax = bytesMax;
    this.log = log;
    this.name =
        ProcessHandle.current().pid()
            + "-"
            + Long.toHexString(System.currentTimeMillis())
            + Long.toHexString(System.nanoTime() & 0xffff);
    this.memoryQueue = SpoolQueue.inMemory(name, identity);
  }

  // ---- the writer's side

  /** Takes a profile for all servers. Never fails: without a disk it waits in memory. */
  synchronized void put(String kind, long startMillis, byte[] profile) {
    if (closed) {
      return;
    }
    String stem = SpoolEntry.stem(startMillis, number++, kind);
    SpoolEntry entry =
        writeToDisk(stem, profile)
            ? entry(queue.orElseThrow(), stem, kind, startMillis, profile.length)
            : entry(memoryQueue, stem, kind, startMillis, profile.length);
    if (entry.queue == memoryQueue) {
      entry.memory = Optional.of(profile);
    }
    for (int server = 0; server < servers.size(); server++) {
      entry.waitingFor |= 1 << server;
      counters.get(server).add(Count.TAKEN, 1);
    }
    add(entry);
    limit();
  }

  private SpoolEntry entry(SpoolQueue in, String stem, String kind, long startMillis, long bytes) {
    return new SpoolEntry(in, stem, kind, startMillis, bytes, servers.size());
  }

  private boolean writeToDisk(String stem, byte[] profile) {
    try {
      if (queue.isPresent() && !queue.get().exists()) { // somebody cleared /tmp
        release(queue.get());
        queue = Optional.empty();
      }
      if (queue.isEmpty()) {
        String fresh = name + "-" + queues++;
        ours.add(fresh);
        queue = Optional.of(SpoolQueue.create(service, fresh, identity, servers));
      }
      queue.get().write(stem + "~0~0.pb.gz", profile, servers);
      if (diskFails) {
        diskFails = false;
        persist();
      }
      return true;
    } catch (IOException e) {
      if (!diskFails) {
        diskFails = true;
        log.warn(Trouble.SPOOL, service + ": " + e);
      }
      return false;
    }
  }

  /** What waited in memory goes to the disk, now that it can be written again. */
  private void persist() {
    for (SpoolEntry entry : List.copyOf(entries)) {
      boolean whole = entry.waitingFor == (1 << servers.size()) - 1 && entry.busy == 0;
      if (whole && entry.memory.isPresent() && writeToDisk(entry.stem, entry.memory.get())) {
        SpoolEntry onDisk =
            entry(queue.orElseThrow(), entry.stem, entry.kind, entry.startMillis, entry.bytes);
        onDisk.waitingFor = entry.waitingFor;
        remove(entry);
        add(onDisk);
      }
    }
  }

  private void add(SpoolEntry entry) {
    entries.add(entry);
    entry.queue.entries++;
    if (entry.memory.isPresent()) {
      memoryBytes += entry.bytes;
    } else {
      diskBytes += entry.bytes;
    }
  }

  /** The oldest go, but not what is being sent. */
  private void limit() {
    while (diskBytes + poisonBytes > bytesMax && dropOldest(false, Count.DROPPED_DISK)) {}
    while (memoryBytes > MEMORY_BYTES_MAX && dropOldest(true, Count.DROPPED_MEMORY)) {}
    while (entries.size() > ENTRIES_MAX
        && (dropOldest(false, Count.DROPPED_DISK) || dropOldest(true, Count.DROPPED_MEMORY))) {}
  }

  private boolean dropOldest(boolean inMemory, Count reason) {
    for (SpoolEntry entry : entries) {
      if (entry.memory.isPresent() == inMemory && entry.busy == 0) {
        for (int server = 0; server < servers.size(); server++) {
          if (entry.waitsFor(server)) {
            counters.get(server).add(reason, 1);
            unlink(entry, server);
          }
        }
        remove(entry);
        return true;
      }
    }
    return false;
  }

  private void remove(SpoolEntry entry) {
    entries.remove(entry);
    entry.queue.entries--;
    if (entry.memory.isPresent()) {
      memoryBytes -= entry.bytes;
    } else {
      diskBytes -= entry.bytes;
    }
    if (entry.queue.entries == 0 && adopted.remove(entry.queue)) {
      release(entry.queue);
    }
  }

  private void unlink(SpoolEntry entry, int server) {
    entry.waitingFor &= ~(1 << server);
    if (entry.memory.isEmpty()) {
      try {
        Files.deleteIfExists(file(entry, server));
      } catch (IOException e) {
        log.warn(Trouble.SPOOL, file(entry, server) + " is delivered and cannot be removed: " + e);
      }
    }
  }

  private Path file(SpoolEntry entry, int server) {
    return entry.queue.file(servers.get(server), entry.fileName(server));
  }

  /** What the waiting profiles take on disk. */
  synchronized long diskBytes() {
    return diskBytes + poisonBytes;
  }

  synchronized boolean diskFails() {
    return diskFails;
  }

  /** Profiles that a server has not taken. */
  synchronized long waiting(int server) {
    return entries.stream().filter(entry -> entry.waitsFor(server)).count();
  }

  /** Half-written profiles of killed JVMs that were removed. */
  synchronized long torn() {
    return torn;
  }

  // ---- the sender's side

  /**
   * The oldest that a server has not taken, other than {@code except}; busy until it is given back.
   */
  synchronized Optional<SpoolEntry> take(int server, Optional<SpoolEntry> except) {
    for (SpoolEntry entry : entries) {
      if (entry.waitsFor(server) && (except.isEmpty() || except.get() != entry)) {
        entry.busy++;
        return Optional.of(entry);
      }
    }
    return Optional.empty();
  }

  synchronized void giveBack(SpoolEntry entry) {
    entry.busy--;
  }

  /** Whether an entry is still there. */
  synchronized boolean has(SpoolEntry entry, int server) {
    return entries.contains(entry) && entry.waitsFor(server);
  }

  InputStream open(SpoolEntry entry, int server) throws IOException {
    return entry.memory.isPresent()
        ? new ByteArrayInputStream(entry.memory.get())
        : Files.newInputStream(file(entry, server));
  }

  /** Keeps on disk that a request is being made, or that one of several has been taken. */
  synchronized void mark(SpoolEntry entry, int server, int sends, int parts) {
    Path before = file(entry, server);
    int sendsBefore = entry.sends[server];
    int partsBefore = entry.parts[server];
    entry.sends[server] = sends;
    entry.parts[server] = parts;
    if (entry.memory.isEmpty()) {
      try {
        Files.move(before, file(entry, server));
      } catch (IOException e) {
        entry.sends[server] = sendsBefore; // the name is what is on disk
        entry.parts[server] = partsBefore;
        log.warn(Trouble.SPOOL, before + " cannot be renamed: " + e);
      }
    }
  }

  /** A server is done with an entry: it has it, or it never will. */
  synchronized void done(SpoolEntry entry, int server, Count outcome) {
    if (!entry.waitsFor(server)) {
      return;
    }
    counters.get(server).add(outcome, 1);
    unlink(entry, server);
    if (entry.waitingFor == 0) {
      remove(entry);
    }
  }

  /** Keeps an entry that a server chokes on for a person to look at; where it is kept. */
  synchronized String setAside(SpoolEntry entry, int server) {
    String kept = "nothing of it is kept";
    if (entry.memory.isEmpty()) {
      Path poison = service.resolve(POISON);
      Path target = poison.resolve(servers.get(server) + "-" + entry.stem + ".pb.gz");
      try {
        Files.createDirectories(poison);
        Files.deleteIfExists(target);
        Files.move(file(entry, server), target);
        kept = target.toString();
        poisonBytes = keepNewest(poison);
      } catch (IOException e) {
        log.debug(target + ": " + e);
      }
    }
    done(entry, server, Count.DROPPED_POISON);
    return kept;
  }

  private static long keepNewest(Path poison) throws IOException {
    TreeSet<Path> files = new TreeSet<>();
    try (var list = Files.newDirectoryStream(poison)) {
      list.forEach(files::add);
    }
    while (files.size() > POISON_FILES_MAX) {
      Files.deleteIfExists(files.pollFirst());
    }
    long bytes = 0;
    for (Path file : files) {
      bytes += Files.size(file);
    }
    return bytes;
  }

  /** Looks for profiles of dead JVMs of this service; how many were found. */
  synchronized int adopt() {
    int found = 0;
    try {
      poisonBytes = Files.exists(service.resolve(POISON)) ? keepNewest(service.resolve(POISON)) : 0;
      for (Path directory : SpoolQueue.candidates(service)) {
        if (!closed && ours.add(directory.getFileName().toString())) {
          found += adopt(directory);
        }
      }
    } catch (IOException e) {
      log.warn(Trouble.SPOOL, service + ": " + e);
    }
    limit();
    return found;
  }

  private int adopt(Path directory) throws IOException {
    Optional<SpoolQueue> dead = SpoolQueue.adopt(directory);
    if (dead.isEmpty()) {
      ours.remove(directory.getFileName().toString());
      return 0;
    }
    SpoolQueue found = dead.get();
    adopted.add(found);
    torn += found.repair(servers);
    Map<String, SpoolEntry> byStem = new HashMap<>();
    for (int server = 0; server < servers.size(); server++) {
      for (Path file : found.waiting(servers.get(server))) {
        Optional<Matcher> name = SpoolEntry.parse(file.getFileName().toString());
        if (name.isPresent()) {
          adopt(found, byStem, server, name.get(), Files.size(file));
        }
      }
    }
    byStem.values().forEach(this::add);
    if (byStem.isEmpty() && adopted.remove(found)) {
      release(found);
    }
    return byStem.size();
  }

  private void adopt(
      SpoolQueue found, Map<String, SpoolEntry> byStem, int server, Matcher name, long bytes) {
    SpoolEntry entry =
        byStem.computeIfAbsent(
            name.group(1),
            stem -> entry(found, stem, name.group(3), Long.parseLong(name.group(2)), bytes));
    entry.waitingFor |= 1 << server;
    entry.sends[server] = Integer.parseInt(name.group(4));
    entry.parts[server] = Integer.parseInt(name.group(5));
    counters.get(server).add(Count.TAKEN, 1);
    counters.get(server).add(Count.ADOPTED, 1);
  }

  private void release(SpoolQueue gone) {
    try {
      ours.remove(gone.name());
      gone.release();
    } catch (IOException e) {
      log.debug("spool " + gone.name() + ": " + e);
    }
  }

  /** Lets go of everything; what is on disk waits for the next JVM, what is in memory is lost. */
  synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    for (SpoolEntry entry : entries) {
      for (int server = 0; server < servers.size(); server++) {
        if (entry.memory.isPresent() && entry.waitsFor(server)) {
          counters.get(server).add(Count.DROPPED_END, 1);
        }
      }
    }
    queue.ifPresent(this::release);
    adopted.forEach(this::release);
  }
}
