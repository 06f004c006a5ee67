package io.jebpf.agent.upload;

import java.security.KeyManagementException;
import java.security.Provider;
import java.security.SecureRandom;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLContextSpi;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLServerSocketFactory;
import javax.net.ssl.SSLSessionContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;

/**
 * A TLS context for a client that speaks clear text. Without one, the client takes the JVM's
 * default context, and whatever the application sets up for that later would come too late.
 */
final class NoTls extends SSLContextSpi {
  private static final class Context extends SSLContext {
    Context(Provider provider) {
      super(new NoTls(), provider, "none");
    }
  }

  private NoTls() {}

  static SSLContext context() {
    return new Context(null); // none of the JVM's providers is asked
  }

  private static UnsupportedOperationException none() {
    return new UnsupportedOperationException("clear text only");
  }

  @Override
  protected void engineInit(KeyManager[] keys, TrustManager[] trust, SecureRandom random)
      throws KeyManagementException {
    throw new KeyManagementException("clear text only");
  }

  @Override
  protected SSLParameters engineGetDefaultSSLParameters() {
    return new SSLParameters();
  }

  @Override
  protected SSLParameters engineGetSupportedSSLParameters() {
    SSLParameters all = new SSLParameters();
    all.setProtocols(new String[] {"TLSv1.3", "TLSv1.2"});
    all.setCipherSuites(new String[0]);
    return all;
  }

  @Override
  protected SSLSocketFactory engineGetSocketFactory() {
    throw none();
  }

  @Override
  protected SSLServerSocketFactory engineGetServerSocketFactory() {
    throw none();
  }

  @Override
  protected SSLEngine engineCreateSSLEngine() {
    throw none();
  }

  @Override
  protected SSLEngine engineCreateSSLEngine(String host, int port) {
    throw none();
  }

  @Override
  protected SSLSessionContext engineGetServerSessionContext() {
    throw none();
  }

  @Override
  protected SSLSessionContext engineGetClientSessionContext() {
    throw none();
  }
}
