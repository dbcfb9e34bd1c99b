// Backend: the one interface to key hardware. Implemented by tss/ (Linux) and, for fault injection
// in tests, by a fake that passes the same contract tests.
//
// Thread-safe: each call may come from any thread; an implementation serialises what its device
// needs. Every failure is an Error with a Fault. After a transport error the next call reconnects
// by itself. Nothing stays in the device after Release() or after an error, but what a later call
// can clean.
#pragma once

#include <memory>
#include <string>

#include "tpm/types.h"

namespace keyscope::tpm {

class Backend {
 public:
  virtual ~Backend() = default;

  // Whether a device is reachable: opens the connection if need be, sends no TPM command, throws
  // nothing.
  virtual bool Present() noexcept = 0;
  // About 6 commands (capabilities and TestParms).
  virtual Facts LearnFacts() = 0;
  virtual Lockout ReadLockout() = 0;

  // The storage root: the one in the device when present and usable, else made (and made persistent
  // where the owner authorization allows).
  virtual Root EnsureRoot() = 0;

  // Seals `secret` (at most 128 bytes) under `pin_auth` (at most 32 bytes; may be empty), under
  // dictionary-attack protection. `pin_auth` and `secret` travel encrypted only.
  virtual KeyBlob Seal(const Root& root, const SecretBytes& pin_auth,
                       const SecretBytes& secret) = 0;
  // Fault::AuthFailed for a wrong pin_auth (spends one try), LockedOut, KeyGone when the TPM was
  // cleared.
  virtual SecretBytes Unseal(const Root& root, const KeyBlob& sealed,
                             const SecretBytes& pin_auth) = 0;

  // A new key under `root` with auth value `auth` (32 bytes). Fault::Unsupported for a size or
  // curve that the device does not have.
  virtual KeyBlob Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) = 0;
  // The same with private parts from outside, wrapped so that they are never in clear on the bus.
  // Fault::BadInput when the device refuses the values.
  virtual KeyBlob Import(const Root& root, KeyScope scope, const PrivateKey& key,
                         const SecretBytes& auth) = 0;
  // The public key inside a blob. No command.
  virtual PublicKey PublicOf(const KeyBlob& blob) const = 0;

  // RSA: k bytes, big-endian. ECDSA: r || s, each as long as the field. `digest` has the size of
  // `hash`.
  virtual Bytes Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
                     ByteView digest) = 0;
  // The private RSA operation on a k-byte number below the modulus; the result has k bytes.
  virtual SecretBytes RawRsa(const Root& root, const KeyRef& key, ByteView input) = 0;
  // The x coordinate of the shared point, as long as the field. Fault::BadInput for a point off the
  // curve.
  virtual SecretBytes Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) = 0;

  virtual SecretBytes Random(size_t size) = 0;
  virtual void StirRandom(ByteView seed) = 0;

  // Gives back what is held for speed: loaded keys and the session. `uid` empty: everything
  // (logout, last session, finalize); else the one key (it was destroyed). Throws nothing; calls no
  // OpenSSL function.
  virtual void Release(ByteView uid) noexcept = 0;

  // In a child after fork: forget the parent's connection without touching it.
  virtual void AbandonAfterFork() noexcept = 0;
};

struct TssOptions {
  std::string tcti;        // TCTI loader string, e.g. "device:/dev/tpmrm0"
  SecretBytes owner_auth;  // of the storage hierarchy; usually empty
  bool threads = true;     // false: the host forbids threads, so no session is held between calls
};
std::unique_ptr<Backend> MakeTssBackend(TssOptions options);

// Keeps the TSS libraries' own messages off stderr, unless the environment asks for them. They read
// it once, at their first message: call it before anything else of this folder.
void SilenceTss();

// For pthread_atfork: while a connection is being opened, the dynamic loader's own lock is held, and a child
// made then could not open one ever.
void LockForFork();
void UnlockAfterFork();

}  // namespace keyscope::tpm
