#include "tpm/backend.h"

#include <algorithm>

#include "base/log.h"
#include "tpm/tss/adopt.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/attestation.h"
#include "tpm/tss/bound_key.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/device.h"
#include "tpm/tss/endorsement.h"
#include "tpm/tss/facts.h"
#include "tpm/tss/import.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/pcr_policy.h"
#include "tpm/tss/persistent.h"
#include "tpm/tss/quiet.h"
#include "tpm/tss/root.h"
#include "tpm/tss/symmetric.h"
#include "tpm/tss/symmetric_commands.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm {
namespace tss {
namespace {

constexpr size_t kMaxAuth = 32;     // the digest of the name algorithm
constexpr size_t kMaxSealed = 128;  // MAX_SYM_DATA
constexpr size_t kMaxRandom = 64;   // a TPM gives at most its largest digest

void CheckSize(bool ok, const char* what) {
  if (!ok) throw Error(Fault::BadInput, std::string(what) + " has the wrong size");
}

TPMS_SENSITIVE_CREATE Sensitive(const SecretBytes& auth, ByteView data) {
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  return {Tpm2b<TPM2B_AUTH>(auth.view()), Tpm2b<TPM2B_SENSITIVE_DATA>(data)};
}

class TssBackend final : public Backend {
 public:
  explicit TssBackend(const BackendOptions& options) : device_(options) {}

  bool Present() noexcept override { return device_.Present(); }
  Facts LearnFacts() override {
    return device_.Operate([&] { return AskFacts(device_.channel()); });
  }
  Lockout ReadLockout() override {
    return device_.Operate([&] { return AskLockout(device_.channel()); });
  }
  Root EnsureRoot() override {
    return device_.Operate([&] { return tss::EnsureRoot(device_); });
  }

  KeyBlob Seal(const Root& root, const SecretBytes& pin_auth, const SecretBytes& secret) override;
  SecretBytes Unseal(const Root& root, const KeyBlob& sealed, const SecretBytes& pin_auth) override;
  KeyBlob Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) override;
  KeyBlob Import(const Root& root, KeyScope scope, const PrivateKey& key,
                 const SecretBytes& auth) override;
  KeyBlob Adopt(const Root& root, const ForeignKey& key, const SecretBytes& auth) override;
  KeyBlob CreateSecret(const Root& root, const SecretSpec& spec, const SecretBytes& value,
                       const SecretBytes& auth) override;
  CreatedKey CreateAttested(const Root& root, ByteView uid, const KeySpec& spec,
                            const SecretBytes& auth, const KeyRef* ak, ByteView nonce) override;
  PcrState ReadPcrs(const Root& root, const PcrSelection& selection) override;
  PublicKey PublicOf(const KeyBlob& blob) const override {
    return PublicKeyOf(UnmarshalPublic(blob.public_area).publicArea);
  }
  Bytes TpmtPublicOf(const KeyBlob& blob) const override {
    return Marshal(UnmarshalPublic(blob.public_area).publicArea);
  }
  Bytes NameOf(const KeyBlob& blob) const override {
    return tss::NameOf(UnmarshalPublic(blob.public_area).publicArea);
  }
  Bytes PolicyOf(const KeyBlob& blob) const override {
    return Copy(View(UnmarshalPublic(blob.public_area).publicArea.authPolicy));
  }
  KeyUses UsesOf(const KeyBlob& blob) const override {
    return tss::UsesOf(UnmarshalPublic(blob.public_area).publicArea);
  }
  Bytes NewName(ByteView) const override { return {}; }
  std::vector<Bytes> NamesIn(KeyScope) override { return {}; }
  Bytes Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
             ByteView digest) override;
  SecretBytes DecryptRsa(const Root&, const KeyRef&, RsaPadding, Hash, ByteView) override {
    throw Error(Fault::Unsupported, "the padding is the host's (RawRsa)");
  }
  SecretBytes RawRsa(const Root& root, const KeyRef& key, ByteView input) override;
  SecretBytes Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) override;
  SecretBytes RunAes(const Root& root, const KeyRef& key, AesMode mode, Direction direction,
                     Bytes& iv, ByteView data) override;
  SecretBytes Hmac(const Root& root, const KeyRef& key, ByteView message) override;
  Statement Certify(const Root& root, const KeyRef& ak, const KeyRef& key,
                    ByteView nonce) override {
    return device_.Operate([&] { return tss::Certify(device_, root, ak, key, nonce); });
  }
  Statement Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                  ByteView nonce) override;
  SecretBytes ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                 ByteView id_object, ByteView encrypted_secret) override;
  std::vector<Endorsement> Endorsements() override;
  std::vector<Bytes> EndorsementChain() override {
    return device_.Operate([&] { return ReadChain(device_); });
  }
  uint32_t FreePersistentHandle() override {
    return device_.Operate([&] { return tss::FreePersistentHandle(device_); });
  }
  void Persist(const Root& root, const KeyRef& key, uint32_t handle) override {
    device_.Operate([&] { tss::Persist(device_, root, key, handle); });
  }
  void Erase(uint32_t handle, ByteView name) override {
    device_.Operate([&] { tss::Erase(device_, handle, name); });
  }
  void EraseNamed(KeyScope, ByteView) override {
    throw Error(Fault::Unsupported, "a TPM keeps no keys under names: they are another provider's");
  }
  SecretBytes Random(size_t size) override;
  void StirRandom(ByteView seed) override;

  void Release(ByteView uid) noexcept override { device_.Release(uid); }

 private:
  // Runs `use(parent, auth)` with the root, authorized by a session that is salted to it.
  template <typename Use>
  auto UseRoot(const Root& root, Hold hold, Use use);
  Creation CreateUnder(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                       const TPMT_PUBLIC& area, Hold hold, ByteView outside_info = {});
  // The same, told in the words of a key that was asked for.
  Creation CreateKey(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                     const TPMT_PUBLIC& area, Hold hold, ByteView outside_info = {});
  Creation CreateKey(const Root& root, const KeySpec& spec, const SecretBytes& auth, Hold hold);
  // Runs `body`; after an error the object that it loaded as `id` does not stay.
  template <typename Body>
  auto OrRelease(ByteView id, Body body);
  // Runs `use(channel, object, auth)` with the key loaded and authorized.
  template <typename Use>
  auto UseKey(const Root& root, const KeyRef& key, Use use);

  Device device_;
};

template <typename Use>
auto TssBackend::UseRoot(const Root& root, Hold hold, Use use) {
  return device_.Operate([&] {
    const StorageKey parent = Parent(device_, root);
    const Auth auth = device_.Begin(&parent, {}, hold);
    try {
      auto result = use(parent, auth);
      device_.End(auth);
      return result;
    } catch (const CommandError& error) {
      // The root's password is empty and the session is salted to it: the TPM has another root.
      if (error.Is(Fault::AuthFailed)) throw WithFault(error, Fault::KeyGone, kAdviceCleared);
      throw;
    }
  });
}

Creation TssBackend::CreateUnder(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                                 const TPMT_PUBLIC& area, Hold hold, ByteView outside_info) {
  return UseRoot(root, hold, [&](const StorageKey& parent, const Auth& auth) {
    device_.MakeRoom();
    return tss::Create(device_.channel(), parent.object, auth, sensitive, area, outside_info);
  });
}

PcrState TssBackend::ReadPcrs(const Root& root, const PcrSelection& selection) {
  ListOf(selection);  // what no TPM has needs no command
  if (selection.pcrs == 0) throw Error(Fault::BadInput, "no PCR is selected");
  // The session is held for the key that is bound to them.
  return UseRoot(root, Hold::Always, [&](const StorageKey&, const Auth& auth) {
    return tss::ReadPcrs(device_, auth, selection);
  });
}

KeyBlob TssBackend::Seal(const Root& root, const SecretBytes& pin_auth, const SecretBytes& secret) {
  CheckSize(!secret.empty() && secret.size() <= kMaxSealed, "a secret to be sealed");
  const Wiped<TPMS_SENSITIVE_CREATE> sensitive{Sensitive(pin_auth, secret.view())};
  return CreateUnder(root, sensitive.value, SealedTemplate(), Hold::Always).blob;
}

SecretBytes TssBackend::Unseal(const Root& root, const KeyBlob& sealed,
                               const SecretBytes& pin_auth) {
  CheckSize(pin_auth.size() <= kMaxAuth, "an auth value");
  return device_.Operate(
      [&] {
        // Always a new session: a held one that the TPM no longer knows would spend a try.
        device_.FlushSessions();
        const StorageKey parent = Parent(device_, root);
        const Auth auth = device_.Begin(&parent, pin_auth.view(), Hold::Always);
        const Object& item = device_.Loaded(sealed.public_area, KeyCache::Place::Last, [&] {
          return Load(device_.channel(), parent.object.handle, sealed);
        });
        SecretBytes secret = tss::Unseal(device_.channel(), item, auth);
        device_.End(auth);
        return secret;
      },
      Retry::UnlessAnswered);
}

Creation TssBackend::CreateKey(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                               const TPMT_PUBLIC& area, Hold hold, ByteView outside_info) {
  try {
    return CreateUnder(root, sensitive, area, hold, outside_info);
  } catch (const CommandError& error) {
    if (!error.Is(Fault::BadInput)) throw;
    throw WithFault(error, Fault::Unsupported, "; this TPM has no keys of this kind or size");
  }
}

Creation TssBackend::CreateKey(const Root& root, const KeySpec& spec, const SecretBytes& auth,
                               Hold hold) {
  const Wiped<TPMS_SENSITIVE_CREATE> sensitive{Sensitive(auth, {})};
  return CreateKey(root, sensitive.value, KeyTemplate(spec), hold, spec.outside_info);
}

KeyBlob TssBackend::Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) {
  return CreateKey(root, spec, auth, Hold::InBurst).blob;
}

template <typename Body>
auto TssBackend::OrRelease(ByteView id, Body body) {
  try {
    return body();
  } catch (...) {
    device_.Release(id);
    throw;
  }
}

CreatedKey TssBackend::CreateAttested(const Root& root, ByteView uid, const KeySpec& spec,
                                      const SecretBytes& auth, const KeyRef* ak, ByteView nonce) {
  CheckSize(!uid.empty(), "a key's uid");
  // Two operations, so that what is tried again is not the making of the key, which takes long.
  const Creation creation = CreateKey(root, spec, auth, Hold::Always);
  const KeyRef key{Copy(uid), spec.scope, creation.blob, auth.Clone()};
  return OrRelease(uid, [&] {
    return device_.Operate([&] {
      return CertifyBirth(device_, root, ak != nullptr ? *ak : key, key, creation,
                          ak != nullptr && !spec.creation_only, nonce);
    });
  });
}

Statement TssBackend::Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                            ByteView nonce) {
  return device_.Operate([&] { return tss::Quote(device_, root, ak, {bank, pcrs}, nonce); });
}

SecretBytes TssBackend::ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                           ByteView id_object, ByteView encrypted_secret) {
  const TPM2B_ID_OBJECT id = UnmarshalIdObject(id_object);
  const TPM2B_ENCRYPTED_SECRET secret = UnmarshalSecret(encrypted_secret);
  const Bytes ek = EkId(type);
  return OrRelease(ek, [&] {
    return device_.Operate([&] {
      SecretBytes answer = Activate(device_, root, ak, type, id, secret);
      device_.Forget(ek);
      return answer;
    });
  });
}

std::vector<Endorsement> TssBackend::Endorsements() {
  std::vector<Endorsement> all;
  for (EkType type : device_.Operate([&] { return PresentTypes(device_); })) {
    try {
      all.push_back(OrRelease(EkId(type), [&] {
        return device_.Operate([&] { return ReadEndorsement(device_, type); });
      }));
    } catch (const Error& error) {  // it must not hide the others
      if (!error.Is(Fault::Unsupported) && !error.Is(Fault::Denied)) throw;
      log::Info("an endorsement key is left out: ", error.what());
    }
  }
  return all;
}

KeyBlob TssBackend::Import(const Root& root, KeyScope, const PrivateKey& key,
                           const SecretBytes& auth) {
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  return device_.Operate([&] {
    const StorageKey parent = Parent(device_, root);
    const Duplicate duplicate = WrapForImport(parent.area, key, auth);
    const TPM2B_PRIVATE imported = tss::Import(device_.channel(), parent.object.handle,
                                               duplicate.area, duplicate.sensitive, duplicate.seed);
    return KeyBlob{Marshal(duplicate.area), Marshal(imported)};
  });
}

KeyBlob TssBackend::Adopt(const Root& root, const ForeignKey& key, const SecretBytes& auth) {
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  return OrRelease(AsBytes(kAdopted), [&] {
    return device_.Operate([&] { return tss::Adopt(device_, root, key, auth); },
                           Retry::UnlessAnswered);
  });
}

KeyBlob TssBackend::CreateSecret(const Root& root, const SecretSpec& spec, const SecretBytes& value,
                                 const SecretBytes& auth) {
  const auto* hmac = std::get_if<HmacSpec>(&spec.algorithm);
  if (hmac != nullptr && AlgOf(hmac->hash) == TPM2_ALG_NULL)
    throw Error(Fault::Unsupported, std::string("TPM 2.0 has no HMAC with ") + Name(hmac->hash));
  CheckSize(hmac != nullptr
                ? !value.empty() && value.size() <= LongestHmacKey(hmac->hash)
                : value.empty() || value.size() * 8 == std::get<AesSpec>(spec.algorithm).bits,
            "a secret key's value");
  const Wiped<TPMS_SENSITIVE_CREATE> sensitive{Sensitive(auth, value.view())};
  return CreateKey(root, sensitive.value, SecretTemplate(spec, value.empty()), Hold::InBurst).blob;
}

template <typename Use>
auto TssBackend::UseKey(const Root& root, const KeyRef& key, Use use) {
  auto alone = [&] {
    const Object object = Ready(device_, root, key);
    const Auth auth = AuthorizeUse(device_, key);
    auto result = use(device_.channel(), object, auth);
    device_.End(auth);
    return result;
  };
  if (!key.pcrs.empty() || !MayUseHeldSession(key)) return device_.Operate(alone);
  return device_.Overlap(key.uid, key.auth.view(), use, alone);
}

Bytes TssBackend::Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
                       ByteView digest) {
  CheckSize(digest.size() == DigestSize(hash), "a digest");
  const TPM2_ALG_ID hash_alg = AlgOf(hash);
  if (hash_alg == TPM2_ALG_NULL)
    throw Error(Fault::Unsupported, std::string("TPM 2.0 does not sign with ") + Name(hash));
  const PublicKey public_key = PublicOf(key.blob);
  const auto* ec = std::get_if<EcPublic>(&public_key);
  if (scheme != (ec != nullptr ? SignScheme::Ecdsa : SignScheme::RsaPkcs1))
    throw Error(Fault::BadInput, "the signature scheme is of another key type");
  const TPM2_ALG_ID scheme_alg = ec != nullptr ? TPM2_ALG_ECDSA : TPM2_ALG_RSASSA;

  const TPMT_SIGNATURE made =
      UseKey(root, key, [&](const Channel& channel, const Object& object, const Auth& auth) {
        return tss::Sign(channel, object, auth, scheme_alg, hash_alg, digest);
      });
  if (made.sigAlg != scheme_alg)
    throw Error(Fault::Internal, "the TPM signed with another scheme than asked for");
  if (ec == nullptr)
    return PadLeft(View(made.signature.rsassa.sig), std::get<RsaPublic>(public_key).modulus.size());
  const size_t field = FieldSize(ec->curve);
  const TPMS_SIGNATURE_ECDSA& pair = made.signature.ecdsa;
  return Concat({PadLeft(View(pair.signatureR), field), PadLeft(View(pair.signatureS), field)});
}

SecretBytes TssBackend::RawRsa(const Root& root, const KeyRef& key, ByteView input) {
  const PublicKey public_key = PublicOf(key.blob);
  const auto* rsa = std::get_if<RsaPublic>(&public_key);
  CheckSize(rsa != nullptr && input.size() == rsa->modulus.size(), "an RSA block");
  // To some TPMs a larger number is a failure of their own, which only a restart ends.
  if (!std::ranges::lexicographical_compare(input, rsa->modulus))
    throw Error(Fault::BadInput, "an RSA block is not below the modulus");
  const SecretBytes output =
      UseKey(root, key, [&](const Channel& channel, const Object& object, const Auth& auth) {
        return RsaDecrypt(channel, object, auth, input);
      });
  return SecretBytes(PadLeft(output.view(), rsa->modulus.size()));
}

SecretBytes TssBackend::Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) {
  const PublicKey public_key = PublicOf(key.blob);
  const auto* ec = std::get_if<EcPublic>(&public_key);
  if (ec == nullptr || ec->curve != peer.curve)
    throw Error(Fault::BadInput, "the other party's point is not on the key's curve");
  const SecretBytes x =
      UseKey(root, key, [&](const Channel& channel, const Object& object, const Auth& auth) {
        return EcdhZgen(channel, object, auth, peer);
      });
  return SecretBytes(PadLeft(x.view(), FieldSize(ec->curve)));
}

SecretBytes TssBackend::RunAes(const Root& root, const KeyRef& key, AesMode mode,
                               Direction direction, Bytes& iv, ByteView data) {
  CheckSize(data.size() % kAesBlock == 0, "AES data");
  CheckSize(iv.size() == (mode == AesMode::Ecb ? 0 : kAesBlock), "an IV");
  SecretBytes done(data.size());
  // Each KiB is an operation of its own, so that the TPM is free for others in between.
  for (size_t at = 0; at < data.size(); at += kMaxBuffer) {
    const ByteView part = data.subspan(at, std::min(kMaxBuffer, data.size() - at));
    const SecretBytes some =
        UseKey(root, key, [&](const Channel& channel, const Object& object, const Auth& auth) {
          return EncryptDecrypt(channel, object, auth, AlgOf(mode), direction, iv, part);
        });
    if (some.size() != part.size())
      throw Error(Fault::Internal, "the TPM gave back another number of bytes than it took");
    std::ranges::copy(some.view(), done.data() + at);
  }
  return done;
}

SecretBytes TssBackend::Hmac(const Root& root, const KeyRef& key, ByteView message) {
  if (message.size() > kMaxBuffer)
    return OrRelease(AsBytes(kHmacSequence), [&] {
      return device_.Operate([&] { return HmacInParts(device_, root, key, message); });
    });
  return UseKey(root, key, [&](const Channel& channel, const Object& object, const Auth& auth) {
    return tss::Hmac(channel, object, auth, message);
  });
}

SecretBytes TssBackend::Random(size_t size) {
  return device_.Operate([&] {
    SecretBytes random(size);
    for (size_t done = 0; done < size;) {
      const SecretBytes some = GetRandom(device_.channel(), std::min(size - done, kMaxRandom));
      if (some.empty() || some.size() > size - done)
        throw Error(Fault::Internal, "the TPM gives no random bytes");
      std::copy(some.view().begin(), some.view().end(), random.data() + done);
      done += some.size();
    }
    return random;
  });
}

void TssBackend::StirRandom(ByteView seed) {
  const Bytes digest = Digest(Hash::Sha256, {seed});  // one command whatever the size
  device_.Operate([&] {
    tss::StirRandom(device_.channel(), digest);
    return true;
  });
}

}  // namespace
}  // namespace tss

std::unique_ptr<Backend> MakeBackend(BackendOptions options) {
  tss::SilenceTss();
  return std::make_unique<tss::TssBackend>(options);
}

}  // namespace keyscope::tpm
