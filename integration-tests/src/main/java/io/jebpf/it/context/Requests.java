package io.jebpf.it.context;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** The client of the servers in this package, which answer {@code done}. */
final class Requests {
  private Requests() {}

  /** Throws IllegalStateException when the answer is another. */
  static void get(HttpClient client, String uri) throws Exception {
    HttpResponse<String> response =
        client.send(
            HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString());
    if (response.statusCode() != 200 || !response.body().equals("done")) {
      throw new IllegalStateException(uri + ": " + response.statusCode() + " " + response.body());
    }
  }
}
