// Tls.java CONFIGURATION PIN ALIAS PORT: a TLS 1.3 server for one connection, whose key and chain are ALIAS's in
// the token. It answers with the line that it was sent.
import java.io.*;
import java.security.*;
import java.security.cert.*;
import javax.net.ssl.*;

public class Tls {
  public static void main(String[] args) throws Exception {
    Provider provider = Security.getProvider("SunPKCS11").configure(args[0]);
    Security.addProvider(provider);
    char[] pin = args[1].toCharArray();
    KeyStore token = KeyStore.getInstance("PKCS11", provider);
    token.load(null, pin);
    X509ExtendedKeyManager keys = new OneKey(args[2], (PrivateKey) token.getKey(args[2], pin),
        token.getCertificateChain(args[2]));
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(new KeyManager[] {keys}, null, null);
    try (SSLServerSocket listening = (SSLServerSocket) context.getServerSocketFactory()
             .createServerSocket(Integer.parseInt(args[3]))) {
      listening.setEnabledProtocols(new String[] {"TLSv1.3"});
      listening.setSoTimeout(60000);
      for (;;) {
        // A connection that says nothing only asks whether somebody listens.
        try (SSLSocket client = (SSLSocket) listening.accept()) {
          BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream()));
          String line = in.readLine();
          if (line == null) continue;
          client.getOutputStream().write((line + "\n").getBytes());
          client.getOutputStream().flush();
          return;
        } catch (SSLException | java.net.SocketException e) {
          System.err.println(e);
        }
      }
    }
  }

  private static class OneKey extends X509ExtendedKeyManager {
    private final String alias;
    private final PrivateKey key;
    private final X509Certificate[] chain;

    OneKey(String alias, PrivateKey key, java.security.cert.Certificate[] chain) {
      this.alias = alias;
      this.key = key;
      this.chain = java.util.Arrays.copyOf(chain, chain.length, X509Certificate[].class);
    }
    private String ifFits(String type) { return type.startsWith(key.getAlgorithm()) ? alias : null; }
    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
      return ifFits(type);
    }
    public String chooseServerAlias(String type, Principal[] issuers, java.net.Socket socket) {
      return ifFits(type);
    }
    public String chooseClientAlias(String[] types, Principal[] issuers, java.net.Socket socket) {
      return null;
    }
    public String[] getClientAliases(String type, Principal[] issuers) { return null; }
    public String[] getServerAliases(String type, Principal[] issuers) { return new String[] {alias}; }
    public PrivateKey getPrivateKey(String name) { return key; }
    public X509Certificate[] getCertificateChain(String name) { return chain; }
  }
}
