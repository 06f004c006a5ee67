package io.jebpf.it.receiver;

import io.jebpf.it.pprof.MalformedProfile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;

/** What receivers of all kinds have in common: they take requests whole and keep books. */
public abstract class ProfileReceiver implements Exchange.Handler {
  private final List<Received> received = new ArrayList<>();
  private final Map<String, Integer> requestsByKey = new TreeMap<>();
  private final List<String> refusals = new ArrayList<>();
  private final AtomicReference<Exchange.Answer> override = new AtomicReference<>();
  private volatile Exchange last = new Exchange("", "", Map.of(), new byte[0]);

  /** A request that breaks a rule of the server. */
  static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String rule) {
      super(rule);
    }
  }

  /** Answers every request with this, and takes nothing; null ends it. */
  public void answerAlways(Exchange.Answer answer) {
    override.set(answer);
  }

  @Override
  public Exchange.Answer answer(Exchange request) {
    last = request;
    Exchange.Answer always = override.get();
    if (always != null) {
      return always;
    }
    try {
      List<Received> profiles = decode(request);
      synchronized (this) {
        received.addAll(profiles);
        profiles.stream()
            .map(Received::key)
            .distinct()
            .forEach(key -> requestsByKey.merge(key, 1, Integer::sum));
      }
      return accepted();
    } catch (Refusal | IOException | MalformedProfile e) {
      synchronized (this) {
        refusals.add(e.toString());
      }
      return refused(e.getMessage());
    }
  }

  /** What a request brings; throws when the server would refuse it. */
  abstract List<Received> decode(Exchange request) throws Refusal, IOException;

  abstract Exchange.Answer accepted();

  abstract Exchange.Answer refused(String rule);

  static void require(boolean holds, String rule) throws Refusal {
    if (!holds) {
      throw new Refusal(rule);
    }
  }

  public synchronized List<Received> received() {
    return List.copyOf(received);
  }

  /** How many requests brought each profile. */
  public synchronized Map<String, Integer> requestsByKey() {
    return new TreeMap<>(requestsByKey);
  }

  /** The rules that were broken, in order. */
  public synchronized List<String> refusals() {
    return List.copyOf(refusals);
  }

  public Exchange lastRequest() {
    return last;
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
