#include "tests/fakes/fake_backend.h"

#include <algorithm>

#include "base/ossl.h"
#include "tests/fakes/fake_keys.h"
#include "tests/fakes/public_key.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using tpm::Hash;
using tpm::KeyBlob;
using tpm::Root;

constexpr size_t kMacSize = 32;
constexpr size_t kMaxAuth = 32;
constexpr size_t kMaxSealed = 128;
constexpr uint32_t kMaxTries = 3;

template <typename T>
bool Has(const std::vector<T>& all, T one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

void CheckInput(bool ok) {
  if (!ok) throw Error(Fault::BadInput, "fake: a value has the wrong size or kind");
}

// The public area of a key with this public part, made after `area`.
Bytes Marshalled(TPMT_PUBLIC area, const EVP_PKEY& key) {
  area.unique = tpm::tss::ImportTemplate(PublicPart(key)).unique;
  return tpm::tss::Marshal(TPM2B_PUBLIC{0, area});
}

}  // namespace

TPMT_PUBLIC AreaOf(const KeyBlob& blob) {
  return tpm::tss::UnmarshalPublic(blob.public_area).publicArea;
}

tpm::Facts FakeBackend::Usual() {
  tpm::Facts facts;
  facts.manufacturer = "FAKE";
  facts.model = "Software";
  facts.firmware_major = 1;
  facts.hashes = {Hash::Sha1, Hash::Sha256, Hash::Sha384, Hash::Sha512};
  facts.curves = {Curve::P256, Curve::P384};
  facts.rsa_bits = {1024, 2048};
  facts.raw_rsa = facts.hmac = true;
  facts.aes_bits = {128, 256};
  return facts;
}

FakeBackend::FakeBackend(tpm::Facts facts) : facts_(std::move(facts)), seed_(ossl::Random(32)) {}

bool FakeBackend::Supports(const tpm::KeySpec& spec) const {
  if (const auto* ec = std::get_if<tpm::EcSpec>(&spec.algorithm))
    return Has(facts_.curves, ec->curve);
  return Has(facts_.rsa_bits, std::get<tpm::RsaSpec>(spec.algorithm).bits);
}

bool FakeBackend::Supports(const tpm::SecretSpec& spec) const {
  if (const auto* hmac = std::get_if<tpm::HmacSpec>(&spec.algorithm))
    return facts_.hmac && Has(facts_.hashes, hmac->hash);
  return Has(facts_.aes_bits, std::get<tpm::AesSpec>(spec.algorithm).bits);
}

void FakeBackend::FailNext(Op op, Fault fault) {
  std::lock_guard lock(mutex_);
  failures_[op] = fault;
}

void FakeBackend::Meanwhile(Op op, std::function<void()> act) {
  std::lock_guard lock(mutex_);
  acts_[op] = std::move(act);
}

void FakeBackend::SetGone(bool gone) {
  std::lock_guard lock(mutex_);
  gone_ = gone;
}

void FakeBackend::Clear() {
  std::lock_guard lock(mutex_);
  seed_ = ossl::Random(32);
  tries_ = 0;
  persistent_.clear();
  endorsement_keys_.clear();
}

void FakeBackend::ResetLockout() {
  std::lock_guard lock(mutex_);
  tries_ = 0;
}

int FakeBackend::Calls(Op op) {
  std::lock_guard lock(mutex_);
  return calls_[op];
}

void FakeBackend::Enter(Op op) {
  ++calls_[op];
  if (const auto node = acts_.extract(op)) node.mapped()();
  if (gone_) throw Error(Fault::DeviceGone, "fake: the device is gone");
  if (const auto node = failures_.extract(op))
    throw Error(node.mapped(), "fake: a failure that the test asked for");
}

bool FakeBackend::Present() noexcept {
  std::lock_guard lock(mutex_);
  return !gone_;
}

tpm::Facts FakeBackend::LearnFacts() {
  std::lock_guard lock(mutex_);
  Enter(Op::LearnFacts);
  return facts_;
}

tpm::Lockout FakeBackend::ReadLockout() {
  std::lock_guard lock(mutex_);
  Enter(Op::ReadLockout);
  return {tries_ >= kMaxTries, tries_, kMaxTries, 1000};
}

Root FakeBackend::EnsureRoot() {
  std::lock_guard lock(mutex_);
  Enter(Op::EnsureRoot);
  const Bytes name = tpm::tss::Digest(Hash::Sha256, {seed_});
  return {0x81000001, name, name};
}

KeyBlob FakeBackend::Wrap(Bytes public_area, const SecretBytes& auth, ByteView data) const {
  const Bytes payload = Concat({Bytes{static_cast<uint8_t>(auth.size())}, auth.view(), data});
  const Bytes mac = tpm::tss::Hmac(Hash::Sha256, seed_, {public_area, payload});
  return {std::move(public_area), Concat({mac, payload})};
}

SecretBytes FakeBackend::Unwrap(const Root& root, const KeyBlob& blob,
                                const SecretBytes& auth) const {
  const ByteView bytes = blob.private_area;
  if (bytes.size() < kMacSize + 1) throw Error(Fault::Corrupt, "fake: a blob is too short");
  const ByteView payload = bytes.subspan(kMacSize);
  const bool ours = Equal(root.name, tpm::tss::Digest(Hash::Sha256, {seed_})) &&
                    Equal(bytes.first(kMacSize),
                          tpm::tss::Hmac(Hash::Sha256, seed_, {blob.public_area, payload}));
  if (!ours) throw Error(Fault::KeyGone, "fake: a key of another device");
  const ByteView expected = payload.subspan(1, payload[0]);
  if (!Equal(expected, auth.view())) throw Error(Fault::AuthFailed, "fake: wrong auth value");
  return SecretBytes(payload.subspan(1 + expected.size()));
}

KeyBlob FakeBackend::Seal(const Root&, const SecretBytes& pin_auth, const SecretBytes& secret) {
  std::lock_guard lock(mutex_);
  Enter(Op::Seal);
  CheckInput(pin_auth.size() <= kMaxAuth && !secret.empty() && secret.size() <= kMaxSealed);
  return Wrap(ossl::Random(16), pin_auth, secret.view());
}

SecretBytes FakeBackend::Unseal(const Root& root, const KeyBlob& sealed,
                                const SecretBytes& pin_auth) {
  std::lock_guard lock(mutex_);
  Enter(Op::Unseal);
  CheckInput(pin_auth.size() <= kMaxAuth);
  if (tries_ >= kMaxTries) throw Error(Fault::LockedOut, "fake: too many wrong PINs");
  try {
    return Unwrap(root, sealed, pin_auth);
  } catch (const Error& error) {
    if (error.Is(Fault::AuthFailed)) ++tries_;
    throw;
  }
}

SecretBytes FakeBackend::ValueOf(const Root& root, const tpm::KeyRef& key) const {
  const Bytes name = NameOf(key.blob);
  if (key.persistent != 0) {
    const auto found = persistent_.find(key.persistent);
    if (found == persistent_.end() || found->second != name)
      throw Error(Fault::KeyGone, "fake: the key is not at its persistent handle");
  }
  return Unwrap(root, key.blob, key.auth);
}

ossl::Pkey FakeBackend::KeyOf(const Root& root, const tpm::KeyRef& key) const {
  return FromDer(ValueOf(root, key).view());
}

KeyBlob FakeBackend::Make(const tpm::KeySpec& spec, const SecretBytes& auth) const {
  CheckInput(auth.size() <= kMaxAuth);
  if (!Supports(spec)) throw Error(Fault::Unsupported, "fake: no keys of this size");
  const TPMT_PUBLIC area = tpm::tss::KeyTemplate(spec);
  const ossl::Pkey key = Generate(spec);
  return Wrap(Marshalled(area, *key), auth, ToDer(*key));
}

KeyBlob FakeBackend::Create(const Root&, const tpm::KeySpec& spec, const SecretBytes& auth) {
  std::lock_guard lock(mutex_);
  Enter(Op::Create);
  return Make(spec, auth);
}

KeyBlob FakeBackend::Import(const Root&, KeyScope, const tpm::PrivateKey& key,
                            const SecretBytes& auth) {
  std::lock_guard lock(mutex_);
  Enter(Op::Import);
  CheckInput(auth.size() <= kMaxAuth);
  const ossl::Pkey made = FromPrivate(key);
  return Wrap(Marshalled(tpm::tss::ImportTemplate(PublicPart(*made)), *made), auth, ToDer(*made));
}

KeyBlob FakeBackend::Adopt(const Root& root, const tpm::ForeignKey& key, const SecretBytes& auth) {
  std::lock_guard lock(mutex_);
  Enter(Op::Adopt);
  CheckInput(auth.size() <= kMaxAuth && key.import_secret.empty());
  try {
    tpm::tss::CheckAdoptable(AreaOf(key.blob));
    const SecretBytes held = Unwrap(root, key.blob, key.auth);
    return Wrap(key.blob.public_area, auth, held.view());
  } catch (const Error& error) {
    if (error.Is(Fault::KeyGone) || error.Is(Fault::Corrupt))
      throw Error(Fault::BadInput, error.what());
    throw;
  }
}

KeyBlob FakeBackend::CreateSecret(const Root&, const tpm::SecretSpec& spec,
                                  const SecretBytes& value, const SecretBytes& auth) {
  std::lock_guard lock(mutex_);
  Enter(Op::CreateSecret);
  CheckInput(auth.size() <= kMaxAuth);
  if (!Supports(spec)) throw Error(Fault::Unsupported, "fake: no secret keys of this size");
  const auto* hmac = std::get_if<tpm::HmacSpec>(&spec.algorithm);
  const size_t aes_size = hmac == nullptr ? std::get<tpm::AesSpec>(spec.algorithm).bits / 8 : 0;
  CheckInput(hmac != nullptr ? !value.empty() && value.size() <= tpm::LongestHmacKey(hmac->hash)
                             : value.empty() || value.size() == aes_size);
  const SecretBytes drawn(value.empty() ? ossl::Random(aes_size) : Bytes());
  const ByteView chosen = value.empty() ? drawn.view() : value.view();
  TPMT_PUBLIC area = tpm::tss::SecretTemplate(spec, value.empty());
  area.unique.sym =
      tpm::tss::Tpm2b<TPM2B_DIGEST>(tpm::tss::Digest(Hash::Sha256, {auth.view(), chosen}));
  return Wrap(tpm::tss::Marshal(TPM2B_PUBLIC{0, area}), auth, chosen);
}

tpm::PublicKey FakeBackend::PublicOf(const KeyBlob& blob) const {
  return tpm::tss::PublicKeyOf(AreaOf(blob));
}
Bytes FakeBackend::TpmtPublicOf(const KeyBlob& blob) const {
  return tpm::tss::Marshal(AreaOf(blob));
}
Bytes FakeBackend::NameOf(const KeyBlob& blob) const { return tpm::tss::NameOf(AreaOf(blob)); }
tpm::KeyUses FakeBackend::UsesOf(const KeyBlob& blob) const {
  return tpm::tss::UsesOf(AreaOf(blob));
}

Bytes FakeBackend::Sign(const Root& root, const tpm::KeyRef& key, tpm::SignScheme scheme, Hash hash,
                        ByteView digest) {
  std::lock_guard lock(mutex_);
  Enter(Op::Sign);
  CheckInput(digest.size() == DigestSize(hash));
  const bool ec = std::holds_alternative<tpm::EcPublic>(PublicOf(key.blob));
  CheckInput(ec == (scheme == tpm::SignScheme::Ecdsa));
  const bool pss = scheme == tpm::SignScheme::RsaPss;
  if (pss && !facts_.padded_rsa) throw Error(Fault::Unsupported, "fake: no PSS");
  if (!Has(facts_.hashes, hash)) throw Error(Fault::Unsupported, "fake: no such hash");
  CheckUse(key);
  return pss ? SignPss(*KeyOf(root, key), hash, digest)
             : SignDigest(*KeyOf(root, key), hash, digest);
}

SecretBytes FakeBackend::RawRsa(const Root& root, const tpm::KeyRef& key, ByteView input) {
  std::lock_guard lock(mutex_);
  Enter(Op::RawRsa);
  const tpm::PublicKey public_key = PublicOf(key.blob);
  const auto* rsa = std::get_if<tpm::RsaPublic>(&public_key);
  CheckInput(rsa != nullptr && input.size() == rsa->modulus.size());
  CheckUse(key);
  return RawPrivate(*KeyOf(root, key), input);
}

SecretBytes FakeBackend::DecryptRsa(const Root& root, const tpm::KeyRef& key,
                                    tpm::RsaPadding padding, Hash hash, ByteView ciphertext) {
  std::lock_guard lock(mutex_);
  Enter(Op::DecryptRsa);
  if (!facts_.padded_rsa) throw Error(Fault::Unsupported, "fake: no padding");
  CheckUse(key);
  return DecryptPadded(*KeyOf(root, key), padding, hash, ciphertext);
}

SecretBytes FakeBackend::Ecdh(const Root& root, const tpm::KeyRef& key, const tpm::EcPublic& peer) {
  std::lock_guard lock(mutex_);
  Enter(Op::Ecdh);
  const tpm::PublicKey public_key = PublicOf(key.blob);
  const auto* ec = std::get_if<tpm::EcPublic>(&public_key);
  CheckInput(ec != nullptr && ec->curve == peer.curve);
  CheckUse(key);
  return SharedX(*KeyOf(root, key), *ToPkey(peer));
}

SecretBytes FakeBackend::RunAes(const Root& root, const tpm::KeyRef& key, tpm::AesMode mode,
                                tpm::Direction direction, Bytes& iv, ByteView data) {
  std::lock_guard lock(mutex_);
  Enter(Op::RunAes);
  CheckInput(AreaOf(key.blob).type == TPM2_ALG_SYMCIPHER && data.size() % tpm::kAesBlock == 0 &&
             iv.size() == (mode == tpm::AesMode::Ecb ? 0 : tpm::kAesBlock));
  return Aes(mode, direction, ValueOf(root, key).view(), iv, data);
}

SecretBytes FakeBackend::Hmac(const Root& root, const tpm::KeyRef& key, ByteView message) {
  std::lock_guard lock(mutex_);
  Enter(Op::Hmac);
  const TPMT_PUBLIC area = AreaOf(key.blob);
  const auto hash = tpm::tss::HashOf(area.parameters.keyedHashDetail.scheme.details.hmac.hashAlg);
  CheckInput(area.type == TPM2_ALG_KEYEDHASH && hash.has_value());
  return SecretBytes(tpm::tss::Hmac(*hash, ValueOf(root, key).view(), {message}));
}

SecretBytes FakeBackend::Random(size_t size) {
  std::lock_guard lock(mutex_);
  Enter(Op::Random);
  return SecretBytes(ossl::Random(size));
}

void FakeBackend::StirRandom(ByteView) {
  std::lock_guard lock(mutex_);
  Enter(Op::StirRandom);
}

}  // namespace keyscope::test
