// Backend: the one interface to key hardware. Implemented by tss/ and, on Windows, by ncrypt/; for
// fault injection in tests, by a fake that passes the same contract tests.
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
  // About a dozen commands (capabilities and TestParms).
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

  // The name under which a provider keeps a key that has `uid`: for KeySpec::name, and for
  // EraseNamed. Empty: this device keeps none. Who calls notes it first, so that a crash leaves no
  // orphan.
  virtual Bytes NewName(ByteView uid) const = 0;
  // A new key under `root` with auth value `auth` (32 bytes). Fault::Unsupported for a size or
  // curve that the device does not have, Exists when another key has KeySpec::name.
  virtual KeyBlob Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) = 0;
  // The same with private parts from outside, wrapped so that they are never in clear on the bus.
  // Fault::BadInput when the device refuses the values.
  virtual KeyBlob Import(const Root& root, KeyScope scope, const PrivateKey& key,
                         const SecretBytes& auth) = 0;
  // A key that is in this TPM's care already, given `auth` in place of its own auth value; it stays
  // under its parent. It is RSA or EC, not restricted, without a policy, and may be under
  // dictionary-attack protection. Fault::Unsupported for other keys, AuthFailed for a wrong auth
  // value (which may spend a try) and LockedOut, BadInput for what this TPM does not load.
  virtual KeyBlob Adopt(const Root& root, const ForeignKey& key, const SecretBytes& auth) = 0;
  // The same as Create with statements of its birth over `nonce`. `ak` nullptr: the key is an AK
  // itself and certifies its own creation. `uid` is to be the key's in KeyRef; it stays loaded
  // under it. Fault::Unsupported for an AK of another size or curve than KeySpec says and for
  // KeySpec::creation_only where Facts::only_certify, BadInput for a longer nonce than the TPM
  // takes.
  virtual CreatedKey CreateAttested(const Root& root, ByteView uid, const KeySpec& spec,
                                    const SecretBytes& auth, const KeyRef* ak, ByteView nonce) = 0;

  // A new secret key, with this value or, when that is empty, with one that the device draws (AES
  // only). The value travels encrypted only. Fault::Unsupported for a size or hash that the device
  // does not have, BadInput for a value of another size: AES as in `spec`, HMAC 1 to LongestHmacKey
  // bytes.
  virtual KeyBlob CreateSecret(const Root& root, const SecretSpec& spec, const SecretBytes& value,
                               const SecretBytes& auth) = 0;

  // What these PCRs hold now, for KeySpec; read so that nobody on the bus can change it unnoticed.
  // Fault::Unsupported when the device does not have that bank, or not all of them in it, BadInput
  // for no PCR at all, or one above 23.
  virtual PcrState ReadPcrs(const Root& root, const PcrSelection& selection) = 0;

  // What a blob holds: the public key, its TPMT_PUBLIC (marshalled), its Name. No command.
  virtual PublicKey PublicOf(const KeyBlob& blob) const = 0;
  virtual Bytes TpmtPublicOf(const KeyBlob& blob) const = 0;
  virtual Bytes NameOf(const KeyBlob& blob) const = 0;
  // Its authPolicy; empty for a key that is used with its auth value alone.
  virtual Bytes PolicyOf(const KeyBlob& blob) const = 0;
  virtual KeyUses UsesOf(const KeyBlob& blob) const = 0;

  // Sign, RawRsa and Ecdh throw Fault::PolicyMismatch for a key with PCRs of which one has another
  // value by now; nothing is spent, and the key works again when they have their values.
  //
  // RSA: k bytes, big-endian. ECDSA: r || s, each as long as the field. `digest` has the size of
  // `hash`.
  virtual Bytes Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
                     ByteView digest) = 0;
  // The private RSA operation on a k-byte number below the modulus; the result has k bytes.
  virtual SecretBytes RawRsa(const Root& root, const KeyRef& key, ByteView input) = 0;
  // What the padding of a k-byte ciphertext holds. `hash`: of OAEP. Fault::BadInput for a wrong
  // padding, Unsupported where not Facts::padded_rsa.
  virtual SecretBytes DecryptRsa(const Root& root, const KeyRef& key, RsaPadding padding, Hash hash,
                                 ByteView ciphertext) = 0;
  // The x coordinate of the shared point, as long as the field. Fault::BadInput for a point off the
  // curve.
  virtual SecretBytes Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) = 0;
  // AES of whole blocks, one command for each KiB. `iv`: a block, empty for ECB; it becomes the one
  // to go on with. Fault::BadInput for other sizes.
  virtual SecretBytes RunAes(const Root& root, const KeyRef& key, AesMode mode, Direction direction,
                             Bytes& iv, ByteView data) = 0;
  // One command, or for more than 1 KiB one and another for each KiB; meanwhile the device does
  // nothing else.
  virtual SecretBytes Hmac(const Root& root, const KeyRef& key, ByteView message) = 0;

  // TPM2_Certify and TPM2_Quote: statements about `key`, and about the PCRs of a bank (bit i of
  // `pcrs`: PCR i, 0 to 23). Fault::BadInput for a longer nonce than the TPM takes, Unsupported for
  // a bank that it does not have.
  virtual Statement Certify(const Root& root, const KeyRef& ak, const KeyRef& key,
                            ByteView nonce) = 0;
  virtual Statement Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                          ByteView nonce) = 0;
  // The secret in a credential made for an EK of this TPM and the Name of `ak` (TPM 2.0 Part 1,
  // section 24). `id_object`: TPM2B_ID_OBJECT, `encrypted_secret`: TPM2B_ENCRYPTED_SECRET, both
  // marshalled. Fault::BadInput when they are for another EK or AK.
  virtual SecretBytes ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                         ByteView id_object, ByteView encrypted_secret) = 0;
  // The device's endorsement keys: those of the low range that it can have, and those of the high
  // range for which its maker has left a certificate or a template.
  virtual std::vector<Endorsement> Endorsements() = 0;
  // The certificates of their issuers that the maker has left, DER, in his order.
  virtual std::vector<Bytes> EndorsementChain() = 0;

  // A free handle for Persist (0x81008000 to 0x8100FFFF). Fault::NoSpace when there is none.
  virtual uint32_t FreePersistentHandle() = 0;
  // Keeps `key` at `handle`, also over restarts; from then on KeyRef::persistent names it. Who
  // calls notes first that `handle` is to be erased, so that a crash leaves no orphan.
  // Fault::NoSpace, and Busy when another object has come to be there.
  virtual void Persist(const Root& root, const KeyRef& key, uint32_t handle) = 0;
  // Erases the key whose Name is `name` at `handle`. Success, too, when the handle is free or holds
  // another object by now, which is left alone. Fault::BadInput for a handle outside that range.
  virtual void Erase(uint32_t handle, ByteView name) = 0;
  // Erases the key that a provider keeps under `name`, in the name space of `scope`. Success, too,
  // when there is none.
  virtual void EraseNamed(KeyScope scope, ByteView name) = 0;
  // The names of Keyscope's that a provider has in the name space of `scope`.
  virtual std::vector<Bytes> NamesIn(KeyScope scope) = 0;

  virtual SecretBytes Random(size_t size) = 0;
  virtual void StirRandom(ByteView seed) = 0;

  // Gives back what is held for speed: loaded keys and the session. `uid` empty: everything
  // (logout, last session, finalize); else the one key (it was destroyed). Throws nothing; calls no
  // OpenSSL function.
  virtual void Release(ByteView uid) noexcept = 0;
};

struct BackendOptions {
  // Not for NCrypt: TCTI loader string, e.g. "device:/dev/tpmrm0", and the authorizations of the
  // storage and the endorsement hierarchy, usually empty.
  std::string tcti;
  SecretBytes owner_auth, endorsement_auth = {};
  bool threads = true;  // false: the host forbids threads, so no session is held between calls
};
// The one that this build has for the platform.
std::unique_ptr<Backend> MakeBackend(BackendOptions options);
// The command of the platform that ends a lockout before its time, for people.
const char* LockoutCommand();

// Of tss/, for pthread_atfork: while a connection is being opened, the dynamic loader's own lock is
// held, and a child made then could not open one ever.
void LockForFork();
void UnlockAfterFork();

}  // namespace keyscope::tpm
