package io.jebpf.agent.upload;

/** Makes one request, and ends within its deadline whatever the server does. */
public interface Transport extends AutoCloseable {
  /**
   * @param deadlineMillis from now, for everything: name, connection, TLS, request and reply
   */
  Reply post(Call call, long deadlineMillis) throws InterruptedException;

  @Override
  void close();
}
