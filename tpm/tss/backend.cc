#include "tpm/backend.h"

#include <algorithm>

#include "tpm/tss/algorithms.h"
#include "tpm/tss/commands.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/device.h"
#include "tpm/tss/facts.h"
#include "tpm/tss/import.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"
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
  explicit TssBackend(TssOptions options)
      : options_(std::move(options)), device_(std::make_unique<Device>(options_)) {}

  bool Present() noexcept override { return device_->Present(); }
  Facts LearnFacts() override {
    return device_->Operate([&] { return AskFacts(device_->connection()); });
  }
  Lockout ReadLockout() override {
    return device_->Operate([&] { return AskLockout(device_->connection()); });
  }
  Root EnsureRoot() override {
    return device_->Operate([&] { return tss::EnsureRoot(*device_); });
  }

  KeyBlob Seal(const Root& root, const SecretBytes& pin_auth, const SecretBytes& secret) override;
  SecretBytes Unseal(const Root& root, const KeyBlob& sealed, const SecretBytes& pin_auth) override;
  KeyBlob Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) override;
  KeyBlob Import(const Root& root, KeyScope scope, const PrivateKey& key,
                 const SecretBytes& auth) override;
  PublicKey PublicOf(const KeyBlob& blob) const override {
    return PublicKeyOf(UnmarshalPublic(blob.public_area).publicArea);
  }
  Bytes Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
             ByteView digest) override;
  SecretBytes RawRsa(const Root& root, const KeyRef& key, ByteView input) override;
  SecretBytes Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) override;
  SecretBytes Random(size_t size) override;
  void StirRandom(ByteView seed) override;

  void Release(ByteView uid) noexcept override { device_->Release(uid); }
  void AbandonAfterFork() noexcept override {
    // The parent's mutex, thread and descriptors are in an unknown state: leaked, not destroyed.
    static_cast<void>(device_.release());
    device_ = std::make_unique<Device>(options_);
  }

 private:
  KeyBlob CreateUnder(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                      const TPMT_PUBLIC& area, Hold hold);
  // Runs `use(object, auth)` with the key loaded and authorized.
  template <typename Use>
  auto UseKey(const Root& root, const KeyRef& key, Use use);

  const TssOptions options_;
  std::unique_ptr<Device> device_;
};

KeyBlob TssBackend::CreateUnder(const Root& root, const TPMS_SENSITIVE_CREATE& sensitive,
                                const TPMT_PUBLIC& area, Hold hold) {
  return device_->Operate([&] {
    const StorageKey parent = Parent(*device_, root);
    const Auth auth = device_->Begin(&parent, {}, hold);
    try {
      KeyBlob blob = tss::Create(device_->connection(), parent.object, auth, sensitive, area);
      device_->End(auth);
      return blob;
    } catch (const CommandError& error) {
      // The root's password is empty and the session is salted to it: the TPM has another root.
      if (error.Is(Fault::AuthFailed)) throw WithFault(error, Fault::KeyGone, kAdviceCleared);
      throw;
    }
  });
}

KeyBlob TssBackend::Seal(const Root& root, const SecretBytes& pin_auth, const SecretBytes& secret) {
  CheckSize(!secret.empty() && secret.size() <= kMaxSealed, "a secret to be sealed");
  const Wiped<TPMS_SENSITIVE_CREATE> sensitive{Sensitive(pin_auth, secret.view())};
  return CreateUnder(root, sensitive.value, SealedTemplate(), Hold::Always);
}

SecretBytes TssBackend::Unseal(const Root& root, const KeyBlob& sealed,
                               const SecretBytes& pin_auth) {
  CheckSize(pin_auth.size() <= kMaxAuth, "an auth value");
  return device_->Operate(
      [&] {
        // Always a new session: a held one that the TPM no longer knows would spend a try.
        device_->FlushSession();
        const StorageKey parent = Parent(*device_, root);
        const Auth auth = device_->Begin(&parent, pin_auth.view(), Hold::Always);
        const Object& item = device_->Loaded(sealed.public_area, KeyCache::Place::Last, [&] {
          return Load(device_->connection(), parent.object.handle, sealed);
        });
        SecretBytes secret = tss::Unseal(device_->connection(), item, auth);
        device_->End(auth);
        return secret;
      },
      Retry::UnlessAnswered);
}

KeyBlob TssBackend::Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) {
  const Wiped<TPMS_SENSITIVE_CREATE> sensitive{Sensitive(auth, {})};
  try {
    return CreateUnder(root, sensitive.value, KeyTemplate(spec), Hold::InBurst);
  } catch (const CommandError& error) {
    if (!error.Is(Fault::BadInput)) throw;
    throw WithFault(error, Fault::Unsupported, "; this TPM has no keys of this size");
  }
}

KeyBlob TssBackend::Import(const Root& root, KeyScope, const PrivateKey& key,
                           const SecretBytes& auth) {
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  return device_->Operate([&] {
    const StorageKey parent = Parent(*device_, root);
    const Duplicate duplicate = WrapForImport(parent.area, key, auth);
    const TPM2B_PRIVATE imported = tss::Import(device_->connection(), parent.object.handle,
                                               duplicate.area, duplicate.sensitive, duplicate.seed);
    return KeyBlob{Marshal(duplicate.area), Marshal(imported)};
  });
}

template <typename Use>
auto TssBackend::UseKey(const Root& root, const KeyRef& key, Use use) {
  return device_->Operate([&] {
    const Object& object = device_->Loaded(key.uid, KeyCache::Place::First, [&] {
      return Load(device_->connection(), Parent(*device_, root).object.handle, key.blob);
    });
    const Auth auth = device_->Begin(nullptr, key.auth.view(), Hold::InBurst);
    auto result = use(object, auth);
    device_->End(auth);
    return result;
  });
}

Bytes TssBackend::Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
                       ByteView digest) {
  CheckSize(digest.size() == DigestSize(hash), "a digest");
  const TPM2_ALG_ID hash_alg = AlgOf(hash);
  if (hash_alg == TPM2_ALG_NULL)
    throw Error(Fault::Unsupported, std::string("TPM 2.0 does not sign with ") + Name(hash));
  const PublicKey public_key = PublicOf(key.blob);
  const auto* ec = std::get_if<EcPublic>(&public_key);
  if ((scheme == SignScheme::Ecdsa) != (ec != nullptr))
    throw Error(Fault::BadInput, "the signature scheme is of another key type");
  const TPM2_ALG_ID scheme_alg = ec != nullptr ? TPM2_ALG_ECDSA : TPM2_ALG_RSASSA;

  const TPMT_SIGNATURE made = UseKey(root, key, [&](const Object& object, const Auth& auth) {
    return tss::Sign(device_->connection(), object, auth, scheme_alg, hash_alg, digest);
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
  const SecretBytes output = UseKey(root, key, [&](const Object& object, const Auth& auth) {
    return RsaDecrypt(device_->connection(), object, auth, input);
  });
  return SecretBytes(PadLeft(output.view(), rsa->modulus.size()));
}

SecretBytes TssBackend::Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) {
  const PublicKey public_key = PublicOf(key.blob);
  const auto* ec = std::get_if<EcPublic>(&public_key);
  if (ec == nullptr || ec->curve != peer.curve)
    throw Error(Fault::BadInput, "the other party's point is not on the key's curve");
  const SecretBytes x = UseKey(root, key, [&](const Object& object, const Auth& auth) {
    return EcdhZgen(device_->connection(), object, auth, peer);
  });
  return SecretBytes(PadLeft(x.view(), FieldSize(ec->curve)));
}

SecretBytes TssBackend::Random(size_t size) {
  return device_->Operate([&] {
    SecretBytes random(size);
    for (size_t done = 0; done < size;) {
      const SecretBytes some = GetRandom(device_->connection(), std::min(size - done, kMaxRandom));
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
  device_->Operate([&] {
    tss::StirRandom(device_->connection(), digest);
    return true;
  });
}

}  // namespace
}  // namespace tss

std::unique_ptr<Backend> MakeTssBackend(TssOptions options) {
  return std::make_unique<tss::TssBackend>(std::move(options));
}

}  // namespace keyscope::tpm
