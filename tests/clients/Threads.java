// Threads.java CONFIG PIN: eight threads use the token's keys "rsa" and "ec" at once; what they make is
// checked with Java's own software.
import java.security.*;
import java.security.interfaces.ECPublicKey;
import java.util.*;
import java.util.concurrent.*;
import javax.crypto.*;

public class Threads {
  private static final int THREADS = 8;
  private static final int ROUNDS = 10;
  private static Provider token;
  private static PrivateKey rsa, ec;
  private static PublicKey rsaPublic, ecPublic;

  public static void main(String[] args) throws Exception {
    token = Security.getProvider("SunPKCS11").configure(args[0]);
    KeyStore store = KeyStore.getInstance("PKCS11", token);
    store.load(null, args[1].toCharArray());
    rsa = (PrivateKey) store.getKey("rsa", null);
    ec = (PrivateKey) store.getKey("ec", null);
    rsaPublic = inSoftware(store.getCertificate("rsa").getPublicKey());
    ecPublic = inSoftware(store.getCertificate("ec").getPublicKey());

    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    List<Future<?>> work = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      byte[] message = ("message of thread " + i).getBytes();
      work.add(threads.submit(() -> useKeys(message)));
    }
    threads.shutdown();
    for (Future<?> each : work) each.get();
  }

  private static Void useKeys(byte[] message) throws Exception {
    for (int round = 0; round < ROUNDS; round++) {
      sign("SHA256withRSA", rsa, rsaPublic, message);
      sign("SHA256withECDSA", ec, ecPublic, message);
      decrypt(message);
      agree();
    }
    return null;
  }

  private static void sign(String algorithm, PrivateKey key, PublicKey publicKey, byte[] message)
      throws Exception {
    Signature signer = Signature.getInstance(algorithm, token);
    signer.initSign(key);
    signer.update(message);
    byte[] signature = signer.sign();
    Signature verifier = Signature.getInstance(algorithm);
    verifier.initVerify(publicKey);
    verifier.update(message);
    require(verifier.verify(signature), algorithm);
  }

  private static void decrypt(byte[] message) throws Exception {
    Cipher encryptor = Cipher.getInstance("RSA/ECB/PKCS1Padding", "SunJCE");
    encryptor.init(Cipher.ENCRYPT_MODE, rsaPublic);
    Cipher decryptor = Cipher.getInstance("RSA/ECB/PKCS1Padding", token);
    decryptor.init(Cipher.DECRYPT_MODE, rsa);
    require(Arrays.equals(message, decryptor.doFinal(encryptor.doFinal(message))), "RSA decryption");
  }

  private static void agree() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
    generator.initialize(((ECPublicKey) ecPublic).getParams());
    KeyPair other = generator.generateKeyPair();
    byte[] ours = secret(KeyAgreement.getInstance("ECDH", token), ec, other.getPublic());
    byte[] theirs = secret(KeyAgreement.getInstance("ECDH", "SunEC"), other.getPrivate(), ecPublic);
    require(Arrays.equals(ours, theirs), "ECDH");
  }

  private static byte[] secret(KeyAgreement agreement, PrivateKey key, PublicKey peer) throws Exception {
    agreement.init(key);
    agreement.doPhase(peer, true);
    return agreement.generateSecret();
  }

  // The same key as an object of the software provider.
  private static PublicKey inSoftware(PublicKey key) throws Exception {
    String provider = key.getAlgorithm().equals("EC") ? "SunEC" : "SunRsaSign";
    return KeyFactory.getInstance(key.getAlgorithm(), provider)
        .generatePublic(new java.security.spec.X509EncodedKeySpec(key.getEncoded()));
  }

  private static void require(boolean holds, String what) {
    if (!holds) throw new IllegalStateException(what + " gave a wrong result");
  }
}
