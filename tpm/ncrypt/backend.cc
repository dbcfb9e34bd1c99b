#include "tpm/backend.h"

#include <algorithm>

#include "tpm/ncrypt/attestation.h"
#include "tpm/ncrypt/blob.h"
#include "tpm/ncrypt/device.h"
#include "tpm/ncrypt/facts.h"
#include "tpm/ncrypt/keys.h"
#include "tpm/ncrypt/structures.h"
#include "tpm/ncrypt/tpm_commands.h"

namespace keyscope::tpm {
namespace ncrypt {
namespace {

constexpr size_t kMaxAuth = 32, kMaxSealed = 128;
constexpr size_t kMaxRandom = 32, kMaxSeed = 128;

void CheckSize(bool ok, const char* what) {
  if (!ok) throw Error(Fault::BadInput, std::string(what) + " has the wrong size");
}

[[noreturn]] void NotHere(const char* what) {
  throw Error(Fault::Unsupported, std::string("the Platform Crypto Provider has no ") + what);
}

// TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET.
void CheckSized(ByteView bytes) {
  try {
    Reader reader(bytes);
    CheckSize(!reader.Sized().empty(), "a part of a credential");
    reader.End();
  } catch (const Error&) {
    throw Error(Fault::BadInput, "a part of a credential does not decode");
  }
}

class NcryptBackend final : public Backend {
 public:
  bool Present() noexcept override;
  Facts LearnFacts() override { return device_.Operate(AskFacts); }
  Lockout ReadLockout() override { return device_.Operate(AskLockout); }
  Root EnsureRoot() override { return device_.Operate(CurrentRoot); }

  KeyBlob Seal(const Root& root, const SecretBytes& pin_auth, const SecretBytes& secret) override;
  SecretBytes Unseal(const Root& root, const KeyBlob& sealed, const SecretBytes& pin_auth) override;

  Bytes NewName(ByteView uid) const override { return NameToBytes(NameFromUid(uid)); }
  KeyBlob Create(const Root& root, const KeySpec& spec, const SecretBytes& auth) override;
  KeyBlob Import(const Root&, KeyScope, const PrivateKey&, const SecretBytes&) override {
    NotHere("import of private keys");
  }
  CreatedKey CreateAttested(const Root& root, ByteView uid, const KeySpec& spec,
                            const SecretBytes& auth, const KeyRef* ak, ByteView nonce) override;
  KeyBlob CreateSecret(const Root&, const SecretSpec&, const SecretBytes&,
                       const SecretBytes&) override {
    NotHere("secret keys");
  }

  PcrState ReadPcrs(const Root&, const PcrSelection&) override { NotHere("keys bound to PCRs"); }
  Bytes PolicyOf(const KeyBlob&) const override { return {}; }
  KeyUses UsesOf(const KeyBlob& blob) const override {
    const PublicArea area = ParsePublic(TpmtOf(blob.public_area));
    return {.signs = area.signs, .decrypts = area.decrypts};
  }
  KeyBlob Adopt(const Root&, const ForeignKey&, const SecretBytes&) override {
    NotHere("import of private keys");
  }

  PublicKey PublicOf(const KeyBlob& blob) const override {
    return ParsePublic(TpmtOf(blob.public_area)).key;
  }
  Bytes TpmtPublicOf(const KeyBlob& blob) const override { return Copy(TpmtOf(blob.public_area)); }
  Bytes NameOf(const KeyBlob& blob) const override {
    return ncrypt::NameOf(TpmtOf(blob.public_area));
  }

  Bytes Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
             ByteView digest) override;
  SecretBytes RawRsa(const Root&, const KeyRef&, ByteView) override { NotHere("raw RSA"); }
  SecretBytes DecryptRsa(const Root& root, const KeyRef& key, RsaPadding padding, Hash hash,
                         ByteView ciphertext) override;
  SecretBytes Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) override;
  SecretBytes RunAes(const Root&, const KeyRef&, AesMode, Direction, Bytes&, ByteView) override {
    NotHere("secret keys");
  }
  SecretBytes Hmac(const Root&, const KeyRef&, ByteView) override { NotHere("secret keys"); }

  Statement Certify(const Root& root, const KeyRef& ak, const KeyRef& key,
                    ByteView nonce) override {
    return device_.Operate([&](const Provider& provider) {
      return ncrypt::Certify(device_, provider, root, ak, key, nonce);
    });
  }
  Statement Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                  ByteView nonce) override;
  SecretBytes ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                 ByteView id_object, ByteView encrypted_secret) override;
  std::vector<Endorsement> Endorsements() override { return device_.Operate(ReadEndorsements); }
  std::vector<Bytes> EndorsementChain() override { return {}; }

  uint32_t FreePersistentHandle() override { NotHere("persistent handles"); }
  void Persist(const Root&, const KeyRef&, uint32_t) override { NotHere("persistent handles"); }
  void Erase(uint32_t, ByteView) override { NotHere("persistent handles"); }
  void EraseNamed(KeyScope scope, ByteView name) override {
    device_.Operate([&](const Provider& provider) { provider.Delete(NameFromBytes(name), scope); });
  }
  std::vector<Bytes> NamesIn(KeyScope scope) override;

  SecretBytes Random(size_t size) override;
  void StirRandom(ByteView seed) override;
  void Release(ByteView uid) noexcept override { device_.Release(uid); }

 private:
  // Runs `use(handle)` with the key open. One that was refused is opened anew the next time.
  template <typename Use>
  auto UseKey(const Root& root, const KeyRef& key, Use use);

  Device device_;
};

bool NcryptBackend::Present() noexcept try {
  device_.Operate([](const Provider&) {});
  return true;
} catch (...) {
  return false;
}

KeyBlob NcryptBackend::Seal(const Root&, const SecretBytes& pin_auth, const SecretBytes& secret) {
  CheckSize(pin_auth.size() <= kMaxAuth, "an auth value");
  CheckSize(!secret.empty() && secret.size() <= kMaxSealed, "a secret to be sealed");
  return device_.Operate([&](const Provider& provider) {
    MadeKey made = MakeSealing(provider, pin_auth);
    Bytes sealed;
    AppendSized(sealed, EncryptOaep(made.handle.get(), secret));
    return KeyBlob{std::move(made.blob.public_area), Concat({sealed, made.blob.private_area})};
  });
}

SecretBytes NcryptBackend::Unseal(const Root& root, const KeyBlob& sealed,
                                  const SecretBytes& pin_auth) {
  CheckSize(pin_auth.size() <= kMaxAuth, "an auth value");
  Reader reader(sealed.private_area);
  const ByteView ciphertext = reader.Sized();
  const KeyRef key{Copy(AsBytes("sealed")),
                   KeyScope::User,
                   {sealed.public_area, Copy(reader.rest())},
                   pin_auth.Clone()};
  return device_.Operate([&](const Provider&) {
    struct Closer {  // the key of a PIN does not stay open
      Device& device;
      const Bytes& uid;
      ~Closer() { device.Close(uid); }
    } closer{device_, key.uid};
    return DecryptPadded(device_.Ready(root, key), RsaPadding::Oaep, Hash::Sha256, ciphertext);
  });
}

KeyBlob NcryptBackend::Create(const Root&, const KeySpec& spec, const SecretBytes& auth) {
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  return device_.Operate([&](const Provider& provider) { return Make(provider, spec, auth).blob; });
}

CreatedKey NcryptBackend::CreateAttested(const Root& root, ByteView uid, const KeySpec& spec,
                                         const SecretBytes& auth, const KeyRef* ak,
                                         ByteView nonce) {
  CheckSize(!uid.empty(), "a key's uid");
  CheckSize(auth.size() <= kMaxAuth, "an auth value");
  CheckSize(nonce.size() <= 66, "a nonce");
  if (ak != nullptr) CheckAttest(*ak, nonce);
  if (spec.creation_only)
    throw Error(Fault::Unsupported, "the provider does not state the creation of keys");
  return device_.Operate([&](const Provider& provider) {
    MadeKey key = Make(provider, spec, auth, ak == nullptr ? nonce : ByteView());
    CreatedKey made{.blob = key.blob, .creation_data = {}, .creation = {}, .certification = {}};
    const KeyRef ref{Copy(uid), spec.scope, made.blob, auth.Clone()};
    if (ak == nullptr) ReadBirth(key.handle.get(), made);
    device_.Keep(ref, std::move(key.handle));
    if (ak != nullptr)
      made.certification = ncrypt::Certify(device_, provider, root, *ak, ref, nonce);
    return made;
  });
}

template <typename Use>
auto NcryptBackend::UseKey(const Root& root, const KeyRef& key, Use use) {
  return device_.Operate([&](const Provider& provider) {
    const NCRYPT_KEY_HANDLE handle = device_.Ready(root, key);
    try {
      return use(provider, handle);
    } catch (const Error& error) {
      if (error.Is(Fault::AuthFailed)) device_.Close(key.uid);
      throw;
    }
  });
}

Bytes NcryptBackend::Sign(const Root& root, const KeyRef& key, SignScheme scheme, Hash hash,
                          ByteView digest) {
  CheckSize(digest.size() == DigestSize(hash), "a digest");
  if (HashId(hash) == nullptr)
    throw Error(Fault::Unsupported, std::string("the provider does not sign with ") + Name(hash));
  const PublicArea area = ParsePublic(TpmtOf(key.blob.public_area));
  if ((scheme == SignScheme::Ecdsa) != std::holds_alternative<EcPublic>(area.key))
    throw Error(Fault::BadInput, "the signature scheme is of another key type");
  if (area.restricted)
    throw Error(Fault::Denied, "an attestation key signs only what the TPM states");
  return UseKey(root, key, [&](const Provider&, NCRYPT_KEY_HANDLE handle) {
    return SignDigest(handle, area.key, scheme, hash, digest);
  });
}

SecretBytes NcryptBackend::DecryptRsa(const Root& root, const KeyRef& key, RsaPadding padding,
                                      Hash hash, ByteView ciphertext) {
  const PublicArea area = ParsePublic(TpmtOf(key.blob.public_area));
  const auto* rsa = std::get_if<RsaPublic>(&area.key);
  CheckSize(rsa != nullptr && ciphertext.size() == rsa->modulus.size(), "a ciphertext");
  if (padding == RsaPadding::Oaep && HashId(hash) == nullptr)
    throw Error(Fault::Unsupported, std::string("the provider has no OAEP with ") + Name(hash));
  if (area.restricted) throw Error(Fault::Denied, "an attestation key does not decrypt");
  return UseKey(root, key, [&](const Provider&, NCRYPT_KEY_HANDLE handle) {
    return DecryptPadded(handle, padding, hash, ciphertext);
  });
}

SecretBytes NcryptBackend::Ecdh(const Root& root, const KeyRef& key, const EcPublic& peer) {
  const PublicKey own = PublicOf(key.blob);
  const auto* ec = std::get_if<EcPublic>(&own);
  const size_t field = FieldSize(peer.curve);
  if (ec == nullptr || ec->curve != peer.curve || peer.x.size() != field || peer.y.size() != field)
    throw Error(Fault::BadInput, "the other party's point is not on the key's curve");
  return UseKey(root, key, [&](const Provider& provider, NCRYPT_KEY_HANDLE handle) {
    return Agree(provider, handle, peer);
  });
}

Statement NcryptBackend::Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                               ByteView nonce) {
  const uint16_t alg = AlgOf(bank);
  if (alg == kAlgNull)
    throw Error(Fault::Unsupported, std::string("there is no PCR bank of ") + Name(bank));
  CheckSize(pcrs >> 24 == 0, "a selection of PCRs");
  return device_.Operate([&](const Provider& provider) {
    return ncrypt::Quote(device_, provider, root, ak, alg, pcrs, nonce);
  });
}

SecretBytes NcryptBackend::ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                              ByteView id_object, ByteView encrypted_secret) {
  if (type != EkType::Rsa) NotHere("activation by other endorsement keys than the RSA one");
  CheckSized(id_object);
  CheckSized(encrypted_secret);
  return UseKey(root, ak, [&](const Provider&, NCRYPT_KEY_HANDLE handle) {
    try {
      return Activate(handle, id_object, encrypted_secret);
    } catch (const Error& error) {
      if (!error.Is(Fault::Corrupt)) throw;
      throw Error(Fault::BadInput, error.what(), error.native());
    }
  });
}

std::vector<Bytes> NcryptBackend::NamesIn(KeyScope scope) {
  return device_.Operate([&](const Provider& provider) {
    std::vector<Bytes> names;
    for (const std::wstring& name : provider.Names(scope))
      if (IsOurs(name)) names.push_back(NameToBytes(name));
    return names;
  });
}

SecretBytes NcryptBackend::Random(size_t size) {
  return device_.Operate([&](const Provider& provider) {
    SecretBytes random(size);
    for (size_t done = 0; done < size;) {
      const SecretBytes some = GetRandom(provider, std::min(size - done, kMaxRandom));
      if (some.empty() || some.size() > size - done)
        throw Error(Fault::Internal, "the TPM gives no random bytes");
      std::ranges::copy(some.view(), random.data() + done);
      done += some.size();
    }
    return random;
  });
}

void NcryptBackend::StirRandom(ByteView seed) {
  device_.Operate([&](const Provider& provider) {
    do {
      const ByteView part = seed.first(std::min(seed.size(), kMaxSeed));
      ncrypt::StirRandom(provider, part);
      seed = seed.subspan(part.size());
    } while (!seed.empty());
  });
}

}  // namespace
}  // namespace ncrypt

std::unique_ptr<Backend> MakeBackend(BackendOptions) {
  return std::make_unique<ncrypt::NcryptBackend>();
}

}  // namespace keyscope::tpm
