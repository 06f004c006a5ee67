package io.jebpf.agent.upload;

import io.jebpf.agent.log.AgentLog;
import io.jebpf.agent.log.Trouble;
import io.jebpf.agent.options.ServerKind;
import io.jebpf.agent.options.ServerOptions;
import io.jebpf.agent.pprof.ProfileSource;
import io.jebpf.agent.upload.LaneCounters.Count;
import io.jebpf.agent.upload.Verdict.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * The way of the profiles to one server: in order, one at a time, with a wait after each failure.
 * Owner: thread "jebpf-sender".
 *
 * <p>An answer that may be the profile's fault or the server's is settled by other profiles: only
 * when the server takes the next one and again not this one, {@link #SUSPICIONS_MAX} times, is the
 * profile set aside. In an outage that looks the same, nothing is.
 */
final class Lane {
  /** Times that others were taken and the same profile was not. */
  static final int SUSPICIONS_MAX = 3;

  /** For a whole request; and more for each byte, at 100 kB a second. */
  static final long DEADLINE_MILLIS = 10_000;

  private static final int BYTES_PER_MILLI = 100;

  /** So many profiles may go one behind the other; more are spread. */
  private static final int BURST = 6;

  private static final String UNREADABLE = "the file cannot be read: ";

  private final int index;
  private final ServerOptions server;
  private final Protocol protocol;
  private final Transport transport;
  private final Spool spool;
  private final LaneCounters counters;
  private final Backoff backoff;
  private final LongSupplier wallMillis;
  private final LongSupplier paceNanos;
  private final AgentLog log;

  private long notBeforeNanos;
  private int failures;
  private Kind trouble = Kind.DONE;
  private boolean idle = true;
  private boolean hurrying;

  /** The profile that is under suspicion, and how often it was found guilty. */
  private Optional<SpoolEntry> suspect = Optional.empty();

  private int suspicions;

  /** Whether another profile was taken since the suspect was not. */
  private boolean othersPass;

  /** Whether others are to be tried before the suspect is again. */
  private boolean probing;

  /** What a lane is made of. */
  record Parts(
      int index,
      ServerOptions server,
      Protocol protocol,
      Transport transport,
      LaneCounters counters) {}

  Lane(
      Parts parts,
      Spool spool,
      Backoff backoff,
      LongSupplier wallMillis,
      LongSupplier paceNanos,
      AgentLog log) {
    this.index = parts.index();
    this.server = parts.server();
    this.protocol = parts.protocol();
    this.transport = parts.transport();
    this.counters = parts.counters();
    this.spool = spool;
    this.backoff = backoff;
    this.wallMillis = wallMillis;
    this.paceNanos = paceNanos;
    this.log = log;
  }

  LaneCounters counters() {
    return counters;
  }

  String key() {
    return server.kind().key();
  }

  int index() {
    return index;
  }

  long labelsFolded() {
    return protocol.labelsFolded();
  }

  /** The server took the last profile, or none was sent yet. */
  boolean isWell() {
    return failures == 0;
  }

  void close() {
    transport.close();
  }

  /** A profile came: if nothing is under way, it is sent within a spread time. */
  void wake(long nowNanos, long spreadNanos) {
    if (idle && failures == 0) {
      notBeforeNanos = Math.max(notBeforeNanos, nowNanos + backoff.upTo(spreadNanos));
      idle = false;
    }
  }

  /**
   * Sends one profile if it is time.
   *
   * @param hurry whether to send now all the same, because the JVM ends
   * @param deadlineMillis most that a request may take
   * @return when to call again; {@code Long.MAX_VALUE} when nothing waits
   */
  long step(long nowNanos, boolean hurry, long deadlineMillis) throws InterruptedException {
    hurrying = hurry;
    if (!hurry && nowNanos - notBeforeNanos < 0) {
      return notBeforeNanos;
    }
    Optional<SpoolEntry> next = pick();
    if (next.isEmpty()) {
      idle = true;
      return Long.MAX_VALUE;
    }
    SpoolEntry entry = next.get();
    try {
      if (isTooOld(entry)) {
        log.warn(
            Trouble.UPLOAD_TOO_OLD,
            server.url()
                + " takes none older than "
                + server.ageNanos() / 1_000_000_000L
                + " s, dropped "
                + entry.stem);
        spool.done(entry, index, Count.DROPPED_TOO_OLD);
      } else {
        settle(entry, deliver(entry, deadlineMillis), nowNanos);
      }
    } finally {
      spool.giveBack(entry);
    }
    return notBeforeNanos;
  }

  private Optional<SpoolEntry> pick() {
    if (suspect.isPresent() && !spool.has(suspect.get(), index)) {
      suspect = Optional.empty(); // dropped to stay within the budget
    }
    Optional<SpoolEntry> other =
        probing && suspect.isPresent() ? spool.take(index, suspect) : Optional.empty();
    return other.isPresent() ? other : spool.take(index, Optional.empty());
  }

  private boolean isTooOld(SpoolEntry entry) {
    long age = wallMillis.getAsLong() - entry.startMillis;
    return server.ageNanos() > 0 && age > server.ageNanos() / 1_000_000;
  }

  /** The requests of one profile; ends at the first that is not taken. */
  private Verdict deliver(SpoolEntry entry, long deadlineMillis) throws InterruptedException {
    int part = 0;
    int first = 0;
    boolean more = true;
    while (more) {
      List<Call> calls;
      try (InputStream in = spool.open(entry, index)) {
        ProfileSource source = ProfileSource.read(in, first);
        String name = entry.queue.name() + "/" + entry.stem;
        calls = protocol.calls(source, entry.kind, entry.queue.identity(), name);
        more = source.hasMore();
        first = source.nextSample();
      } catch (IOException e) {
        return Verdict.of(Kind.REFUSED, UNREADABLE + e);
      }
      for (int i = 0; i < calls.size(); i++, part++) {
        if (part < entry.parts[index]) {
          continue; // taken at an earlier try
        }
        Verdict verdict = attempt(entry, calls.get(i), deadlineMillis);
        if (verdict.kind() != Kind.DONE) {
          return verdict;
        }
        if (more || i + 1 < calls.size()) {
          spool.mark(entry, index, 0, part + 1);
        }
      }
    }
    return Verdict.done();
  }

  private Verdict attempt(SpoolEntry entry, Call call, long deadlineMillis)
      throws InterruptedException {
    if (entry.sends[index] > 0) {
      counters.add(Count.REPEATED, 1);
    }
    // On disk before the request: whoever comes after us has to know that it may have been taken.
    spool.mark(entry, index, entry.sends[index] + 1, entry.parts[index]);
    counters.add(Count.REQUESTS, 1);
    long size = call.body().length;
    Reply reply = transport.post(call, deadlineMillis + (hurrying ? 0 : size / BYTES_PER_MILLI));
    Verdict verdict =
        switch (reply) {
          case Reply.Answer answer -> protocol.judge(answer);
          case Reply.NoAnswer none ->
              Verdict.of(none.uncertain() ? Kind.SUSPECT : Kind.RETRY, none.why());
        };
    if (verdict.kind() == Kind.DONE) {
      counters.add(Count.SENT_BYTES, size);
    } else if (!verdict.uncertain()) {
      // The server has said no, or never had it: the next try repeats nothing.
      spool.mark(entry, index, entry.sends[index] - 1, entry.parts[index]);
    }
    return verdict;
  }

  private void settle(SpoolEntry entry, Verdict verdict, long nowNanos) {
    boolean isSuspect = suspect.isPresent() && suspect.get() == entry;
    switch (verdict.kind()) {
      case DONE -> {
        spool.done(entry, index, Count.SENT);
        passed(isSuspect, nowNanos);
      }
      case REFUSED -> {
        boolean unreadable = verdict.why().startsWith(UNREADABLE);
        log.warn(
            Trouble.UPLOAD_REFUSED,
            server.url() + ", profile " + entry.stem + ": " + verdict.why());
        spool.done(entry, index, unreadable ? Count.DROPPED_UNREADABLE : Count.DROPPED_REFUSED);
        if (isSuspect) {
          suspect = Optional.empty();
        }
      }
      case SUSPECT -> suspected(entry, isSuspect, verdict, nowNanos);
      case RETRY, DENIED -> failed(verdict, nowNanos);
    }
  }

  private void passed(boolean isSuspect, long nowNanos) {
    if (trouble != Kind.DONE) {
      log.info(server.url() + " takes profiles again, " + spool.waiting(index) + " wait");
    }
    trouble = Kind.DONE;
    failures = 0;
    if (isSuspect) {
      suspect = Optional.empty();
    } else if (suspect.isPresent()) {
      othersPass = true;
      probing = false;
    }
    boolean backlog = spool.waiting(index) > BURST;
    notBeforeNanos = nowNanos + (backlog ? backoff.spread(paceNanos.getAsLong()) : 0);
  }

  private void suspected(SpoolEntry entry, boolean isSuspect, Verdict verdict, long nowNanos) {
    if (isSuspect && othersPass) {
      suspicions++;
      othersPass = false;
      probing = true;
      if (suspicions == SUSPICIONS_MAX) {
        String kept = spool.setAside(entry, index);
        log.warn(
            Trouble.UPLOAD_POISON,
            server.url() + ", profile " + entry.stem + ", " + kept + ": " + verdict.why());
        suspect = Optional.empty();
        return;
      }
    } else if (suspect.isEmpty()) {
      suspect = Optional.of(entry);
      suspicions = 0;
      othersPass = false;
      probing = true;
    } else if (!isSuspect) {
      suspect = Optional.empty(); // others fail as well: it is the server
    }
    failed(verdict, nowNanos);
  }

  private void failed(Verdict verdict, long nowNanos) {
    counters.add(Count.RETRIES, 1);
    failures++;
    boolean denied = verdict.kind() == Kind.DENIED;
    boolean cutOff = hurrying && !denied; // by us, at the end; the line at the end says what waits
    if (!cutOff && (trouble == Kind.DONE || denied != (trouble == Kind.DENIED))) {
      log.warn(
          denied ? Trouble.UPLOAD_DENIED : Trouble.UPLOAD,
          server.url() + ": " + verdict.why() + "; " + spool.waiting(index) + " wait");
    }
    trouble = verdict.kind();
    long longest = denied ? Backoff.DENIED_MILLIS : Backoff.LONGEST_MILLIS;
    long wait = backoff.millis(failures, longest, verdict.retryAfterMillis());
    notBeforeNanos = nowNanos + 1_000_000 * wait;
  }

  static Protocol protocol(ServerKind kind) {
    return switch (kind) {
      case PYROSCOPE -> new PyroscopePush();
      case PARCA -> new ParcaWrite();
      case OTLP -> new OtlpExport();
    };
  }
}
