package io.jebpf.agent.upload;

import io.jebpf.agent.options.Secret;
import io.jebpf.agent.options.ServerOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;

/**
 * Requests by the JDK's client. Nothing of it is loaded before the first request. The client is
 * ours alone: own TLS context (the JVM's default one may be set up by the application later), no
 * proxy selector, authenticator or cookies of the application, no redirects, HTTP/1.1.
 *
 * <p>Threads: the client's selector, named jebpf-http-select here, and one for its callbacks, which
 * ends when it has nothing to do.
 */
final class HttpTransport implements Transport {
  private static final Duration CONNECT = Duration.ofSeconds(5);
  private static final long IDLE_SECONDS = 5;
  private static final int BODY_BYTES_MAX = 64 << 10;

  private final ServerOptions server;
  private final String agent;
  private final ThreadFactory threads;
  private Optional<HttpClient> client = Optional.empty();
  private Optional<ThreadPoolExecutor> executor = Optional.empty();

  /** State of the CA file that the client was made with. */
  private Optional<Object> caState = Optional.empty();

  HttpTransport(ServerOptions server, String agent, ThreadFactory threads) {
    this.server = server;
    this.agent = agent;
    this.threads = threads;
  }

  @Override
  public Reply post(Call call, long deadlineMillis) throws InterruptedException {
    Tracked body = new Tracked(call.body());
    CompletableFuture<HttpResponse<byte[]>> answer;
    try {
      HttpRequest request = request(call, body);
      answer = client().sendAsync(request, info -> new Beginning());
    } catch (IOException | GeneralSecurityException e) {
      return new Reply.NoAnswer(e.toString(), false);
    }
    try {
      HttpResponse<byte[]> response = answer.get(deadlineMillis, TimeUnit.MILLISECONDS);
      Map<String, String> headers = new HashMap<>();
      response.headers().map().forEach((name, values) -> headers.put(name, values.get(0)));
      return new Reply.Answer(response.statusCode(), headers, response.body());
    } catch (TimeoutException e) {
      return new Reply.NoAnswer("no answer in " + deadlineMillis + " ms", body.allGiven);
    } catch (ExecutionException e) {
      return failed(e.getCause(), body.allGiven);
    } finally {
      answer.cancel(true); // closes the connection when it is not done
    }
  }

  private static Reply failed(Throwable cause, boolean given) {
    for (Throwable link = cause; link != null; link = link.getCause()) {
      if (link instanceof UnresolvedAddressException || link instanceof UnknownHostException) {
        return new Reply.NoAnswer("the host's name cannot be resolved", false);
      }
    }
    boolean early =
        cause instanceof ConnectException
            || cause instanceof HttpConnectTimeoutException
            || cause instanceof SSLException;
    return new Reply.NoAnswer(cause.toString(), given && !early);
  }

  private HttpRequest request(Call call, HttpRequest.BodyPublisher body) throws IOException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(server.url() + call.path())).POST(body);
    call.headers().forEach(request::header);
    request.header("User-Agent", agent);
    if (server.token().isPresent()) {
      request.header("Authorization", "Bearer " + clean(server.token().get()));
    } else if (server.user().isPresent()) {
      String password = server.password().isPresent() ? clean(server.password().get()) : "";
      byte[] login = (server.user().get() + ":" + password).getBytes(StandardCharsets.UTF_8);
      request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(login));
    }
    if (!server.tenant().isEmpty()) {
      request.header("X-Scope-OrgID", server.tenant());
    }
    return request.build();
  }

  /** The client's exception for a bad header has the header in its text: it must not come to it. */
  private static String clean(Secret secret) throws IOException {
    String text = secret.read();
    if (text.chars().anyMatch(c -> c < ' ' || c == 127)) {
      throw new IOException("the token or password has control characters (" + secret + ")");
    }
    return text;
  }

  private HttpClient client() throws IOException, GeneralSecurityException {
    Optional<Object> state = Optional.empty();
    if (server.ca().isPresent()) {
      state = Optional.of(Files.getLastModifiedTime(server.ca().get()));
    }
    if (client.isPresent() && !state.equals(caState)) {
      close();
    }
    if (client.isEmpty()) {
      ThreadPoolExecutor callbacks =
          new ThreadPoolExecutor(
              1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), threads);
      callbacks.allowCoreThreadTimeOut(true);
      executor = Optional.of(callbacks);
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .proxy(HttpClient.Builder.NO_PROXY)
              .connectTimeout(CONNECT)
              .executor(callbacks);
      if (server.url().getScheme().equals("https")) {
        builder.sslContext(trusting(server.ca()));
      } else {
        builder.sslContext(NoTls.context()).sslParameters(new SSLParameters());
      }
      client = Optional.of(builder.build());
      caState = state;
      SelectorName.set(client.get());
    }
    return client.get();
  }

  private static SSLContext trusting(Optional<Path> ca)
      throws IOException, GeneralSecurityException {
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    if (ca.isPresent()) {
      KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
      store.load(null, null);
      try (InputStream in = Files.newInputStream(ca.get())) {
        int number = 0;
        for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
          store.setCertificateEntry("ca-" + number++, each);
        }
        if (number == 0) {
          throw new IOException(ca.get() + " has no certificates");
        }
      }
      trust.init(store);
    } else {
      trust.init((KeyStore) null); // the JVM's
    }
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }

  @Override
  public void close() {
    client.ifPresent(HttpClient::shutdownNow);
    executor.ifPresent(ThreadPoolExecutor::shutdownNow);
    client = Optional.empty();
    executor = Optional.empty();
  }

  /** Gives the body to the client, and knows whether the client has all of it. */
  private static final class Tracked implements HttpRequest.BodyPublisher {
    private final HttpRequest.BodyPublisher bytes;
    private volatile boolean allGiven;

    Tracked(byte[] body) {
      bytes = HttpRequest.BodyPublishers.ofByteArray(body);
    }

    @Override
    public long contentLength() {
      return bytes.contentLength();
    }

    @Override
    public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
      bytes.subscribe(
          new Flow.Subscriber<ByteBuffer>() {
            @Override
            public void onSubscribe(Flow.Subscription subscription) {
              subscriber.onSubscribe(subscription);
            }

            @Override
            public void onNext(ByteBuffer item) {
              subscriber.onNext(item);
            }

            @Override
            public void onError(Throwable cause) {
              subscriber.onError(cause);
            }

            @Override
            public void onComplete() {
              allGiven = true;
              subscriber.onComplete();
            }
          });
    }
  }

  /** The first bytes of a reply; a server that never ends gets its connection closed. */
  private static final class Beginning implements HttpResponse.BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> result = new CompletableFuture<>();
    private final ByteBuffer bytes = ByteBuffer.allocate(BODY_BYTES_MAX);
    private Optional<Flow.Subscription> subscription = Optional.empty();

    @Override
    public CompletableFuture<byte[]> getBody() {
      return result;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = Optional.of(given);
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> items) {
      for (ByteBuffer item : items) {
        int count = Math.min(item.remaining(), bytes.remaining());
        bytes.put(bytes.position(), item, item.position(), count);
        bytes.position(bytes.position() + count);
      }
      if (!bytes.hasRemaining()) {
        subscription.ifPresent(Flow.Subscription::cancel);
        onComplete();
      }
    }

    @Override
    public void onError(Throwable cause) {
      result.completeExceptionally(cause);
    }

    @Override
    public void onComplete() {
      byte[] all = new byte[bytes.position()];
      bytes.get(0, all);
      result.complete(all);
    }
  }
}
