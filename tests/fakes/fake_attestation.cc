// The fake's statements, credentials and persistent keys: the TPM's structures, OpenSSL's
// signatures.
#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <tss2/tss2_mu.h>

#include <algorithm>

#include "tests/fakes/fake_backend.h"
#include "tests/fakes/fake_keys.h"
#include "tests/fakes/public_key.h"
#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/templates.h"

namespace keyscope::test {
namespace {

using tpm::EkType;
using tpm::Hash;
using tpm::KeyRef;
using tpm::Root;
using tpm::Statement;
using tpm::tss::Digest;
using tpm::tss::Tpm2b;
using tpm::tss::View;

constexpr uint32_t kFirstHandle = 0x81008000, kLastHandle = 0x8100FFFF;
constexpr char kIdentity[] = "IDENTITY";  // travels with its NUL

TPM2B_NAME NameFor(ByteView name) {
  TPM2B_NAME tpm2b{};
  tpm2b.size = static_cast<UINT16>(name.size());
  std::copy(name.begin(), name.end(), tpm2b.name);
  return tpm2b;
}

TPMT_SIGNATURE SignatureOf(EVP_PKEY& key, ByteView digest) {
  const Bytes bytes = SignDigest(key, Hash::Sha256, digest);
  TPMT_SIGNATURE signature{};
  if (EVP_PKEY_is_a(&key, "RSA")) {
    signature.sigAlg = TPM2_ALG_RSASSA;
    signature.signature.rsassa = {TPM2_ALG_SHA256, Tpm2b<TPM2B_PUBLIC_KEY_RSA>(bytes)};
  } else {
    const ByteView pair = bytes;
    signature.sigAlg = TPM2_ALG_ECDSA;
    signature.signature.ecdsa = {TPM2_ALG_SHA256,
                                 Tpm2b<TPM2B_ECC_PARAMETER>(pair.first(pair.size() / 2)),
                                 Tpm2b<TPM2B_ECC_PARAMETER>(pair.subspan(pair.size() / 2))};
  }
  return signature;
}

Bytes CreationData(const Root& root, ByteView outside_info) {
  TPMS_CREATION_DATA data{};
  data.pcrDigest = Tpm2b<TPM2B_DIGEST>(Digest(Hash::Sha256, {}));
  data.locality = 1;
  data.parentNameAlg = TPM2_ALG_SHA256;
  data.parentName = data.parentQualifiedName = NameFor(root.name);
  data.outsideInfo = Tpm2b<TPM2B_DATA>(outside_info);
  return tpm::tss::Marshal(data);
}

void CheckHandle(uint32_t handle) {
  if (handle < kFirstHandle || handle > kLastHandle)
    throw Error(Fault::BadInput, "fake: no such persistent handle");
}

TPMT_PUBLIC EndorsementArea(EkType type, const EVP_PKEY& key) {
  TPMT_PUBLIC area = tpm::tss::EndorsementTemplate(type);
  area.unique = tpm::tss::ImportTemplate(PublicPart(key)).unique;
  return area;
}

// The seed of a credential (TPM 2.0 Part 1, annexes B.10.4 and C.6.4).
SecretBytes SeedOf(EVP_PKEY& ek, const TPM2B_ENCRYPTED_SECRET& secret) {
  const Error refused(Fault::BadInput, "fake: a credential for another endorsement key");
  const ByteView bytes(secret.secret, secret.size);
  if (EVP_PKEY_is_a(&ek, "RSA")) {
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_PAD_MODE,
                                         const_cast<char*>(OSSL_PKEY_RSA_PAD_MODE_OAEP), 0),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST,
                                         const_cast<char*>("SHA256"), 0),
        OSSL_PARAM_construct_octet_string(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL,
                                          const_cast<char*>(kIdentity), sizeof kIdentity),
        OSSL_PARAM_construct_end()};
    const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), &ek, nullptr));
    SecretBytes seed(static_cast<size_t>(EVP_PKEY_get_size(&ek)));
    size_t size = seed.size();
    if (EVP_PKEY_decrypt_init_ex(context.get(), params) != 1 ||
        EVP_PKEY_decrypt(context.get(), seed.data(), &size, bytes.data(), bytes.size()) != 1) {
      ossl::TakeError();
      throw refused;
    }
    return SecretBytes(seed.view().first(size));
  }
  TPMS_ECC_POINT point{};
  size_t used = 0;
  if (Tss2_MU_TPMS_ECC_POINT_Unmarshal(bytes.data(), bytes.size(), &used, &point) !=
          TSS2_RC_SUCCESS ||
      point.x.size != 32 || point.y.size != 32)
    throw refused;
  const tpm::EcPublic peer{tpm::Curve::P256, Copy(View(point.x)), Copy(View(point.y))};
  const SecretBytes z = SharedX(ek, *ToPkey(peer));
  const tpm::EcPublic own = PointOf(ek, tpm::Curve::P256);
  return SecretBytes(
      Digest(Hash::Sha256, {BigEndian32(1),
                            z.view(),
                            {reinterpret_cast<const uint8_t*>(kIdentity), sizeof kIdentity},
                            peer.x,
                            own.x}));
}

}  // namespace

Statement FakeBackend::State(const Root& root, const KeyRef& ak, TPMS_ATTEST attest,
                             ByteView nonce) const {
  const TPMT_PUBLIC area = AreaOf(ak.blob);
  if ((area.objectAttributes & TPMA_OBJECT_RESTRICTED) == 0)
    throw Error(Fault::Unsupported, "fake: not an attestation key");
  attest.magic = TPM2_GENERATED_VALUE;
  attest.qualifiedSigner = NameFor(NameOf(ak.blob));
  attest.extraData = Tpm2b<TPM2B_DATA>(nonce);
  Bytes bytes(sizeof attest);
  size_t size = 0;
  Tss2_MU_TPMS_ATTEST_Marshal(&attest, bytes.data(), bytes.size(), &size);
  bytes.resize(size);
  const TPMT_SIGNATURE signature = SignatureOf(*KeyOf(root, ak), Digest(Hash::Sha256, {bytes}));
  return {bytes, tpm::tss::Marshal(signature)};
}

Statement FakeBackend::StateKey(const Root& root, const KeyRef& ak, const KeyRef& key,
                                ByteView nonce) const {
  KeyOf(root, key);
  TPMS_ATTEST attest{};
  attest.type = TPM2_ST_ATTEST_CERTIFY;
  attest.attested.certify = {NameFor(NameOf(key.blob)), NameFor(NameOf(key.blob))};
  return State(root, ak, attest, nonce);
}

tpm::CreatedKey FakeBackend::CreateAttested(const Root& root, ByteView uid,
                                            const tpm::KeySpec& spec, const SecretBytes& auth,
                                            const KeyRef* ak, ByteView nonce) {
  std::lock_guard lock(mutex_);
  Enter(Op::CreateAttested);
  const KeyRef key{Copy(uid), spec.scope, Make(spec, auth), auth.Clone()};
  tpm::CreatedKey made{key.blob, CreationData(root, spec.outside_info), {}, std::nullopt};
  TPMS_ATTEST attest{};
  attest.type = TPM2_ST_ATTEST_CREATION;
  attest.attested.creation = {NameFor(NameOf(key.blob)),
                              Tpm2b<TPM2B_DIGEST>(Digest(Hash::Sha256, {made.creation_data}))};
  made.creation = State(root, ak != nullptr ? *ak : key, attest, nonce);
  if (ak != nullptr && !spec.creation_only) made.certification = StateKey(root, *ak, key, nonce);
  return made;
}

Statement FakeBackend::Certify(const Root& root, const KeyRef& ak, const KeyRef& key,
                               ByteView nonce) {
  std::lock_guard lock(mutex_);
  Enter(Op::Certify);
  return StateKey(root, ak, key, nonce);
}

Statement FakeBackend::Quote(const Root& root, const KeyRef& ak, Hash bank, uint32_t pcrs,
                             ByteView nonce) {
  std::lock_guard lock(mutex_);
  Enter(Op::Quote);
  if (bank != Hash::Sha1 && bank != Hash::Sha256)
    throw Error(Fault::Unsupported, "fake: no such PCR bank");
  if (pcrs >> 24 != 0) throw Error(Fault::BadInput, "fake: no such PCR");
  TPMS_ATTEST attest{};
  attest.type = TPM2_ST_ATTEST_QUOTE;
  TPMS_PCR_SELECTION selection{tpm::tss::AlgOf(bank), 3, {}};
  Bytes values;
  for (unsigned i = 0; i < 24; ++i) {
    if ((pcrs >> i & 1) == 0) continue;
    selection.pcrSelect[i / 8] |= static_cast<BYTE>(1 << i % 8);
    values.resize(values.size() + DigestSize(bank));
  }
  attest.attested.quote = {{1, {selection}}, Tpm2b<TPM2B_DIGEST>(Digest(Hash::Sha256, {values}))};
  return State(root, ak, attest, nonce);
}

EVP_PKEY& FakeBackend::EndorsementKey(EkType type) {
  ossl::Pkey& key = endorsement_keys_[type];
  if (key == nullptr) {
    tpm::KeySpec spec;
    if (type == EkType::Ec) spec.algorithm = tpm::EcSpec{};
    key = Generate(spec);
  }
  return *key;
}

std::vector<tpm::Endorsement> FakeBackend::Endorsements() {
  std::lock_guard lock(mutex_);
  Enter(Op::Endorsements);
  std::vector<tpm::Endorsement> all;
  for (EkType type : {EkType::Rsa, EkType::Ec}) {
    const EVP_PKEY& key = EndorsementKey(type);
    const TPMT_PUBLIC area = EndorsementArea(type, key);
    all.push_back(
        {type, tpm::tss::Marshal(area), tpm::tss::NameOf(area), PublicPart(key), Bytes()});
  }
  return all;
}

// TPM 2.0 Part 1, section 24.
SecretBytes FakeBackend::ActivateCredential(const Root& root, const KeyRef& ak, EkType type,
                                            ByteView id_object, ByteView encrypted_secret) {
  std::lock_guard lock(mutex_);
  Enter(Op::ActivateCredential);
  const TPM2B_ID_OBJECT blob = tpm::tss::UnmarshalIdObject(id_object);
  const TPM2B_ENCRYPTED_SECRET secret = tpm::tss::UnmarshalSecret(encrypted_secret);
  KeyOf(root, ak);
  const SecretBytes seed = SeedOf(EndorsementKey(type), secret);
  const Bytes name = NameOf(ak.blob);
  constexpr size_t kIntegrity = 2 + 32;
  const Error refused(Fault::BadInput, "fake: a credential for another attestation key");
  const ByteView bytes(blob.credential, blob.size);
  if (bytes.size() < kIntegrity + 2) throw refused;
  const SecretBytes hmac_key = tpm::tss::Kdfa(Hash::Sha256, seed.view(), "INTEGRITY", {}, {}, 32);
  SecretBytes identity(bytes.subspan(kIntegrity));
  if (!Equal(bytes.subspan(2, 32),
             tpm::tss::Hmac(Hash::Sha256, hmac_key.view(), {identity.view(), name})))
    throw refused;
  const SecretBytes key = tpm::tss::Kdfa(Hash::Sha256, seed.view(), "STORAGE", name, {}, 16);
  tpm::tss::AesCfb(tpm::Direction::Decrypt, key.view(), Bytes(16),
                   {identity.data(), identity.size()});
  return SecretBytes(identity.view().subspan(2));
}

uint32_t FakeBackend::FreePersistentHandle() {
  std::lock_guard lock(mutex_);
  Enter(Op::FreePersistentHandle);
  uint32_t free = kFirstHandle;
  while (persistent_.contains(free)) ++free;
  return free;
}

void FakeBackend::Persist(const Root& root, const KeyRef& key, uint32_t handle) {
  std::lock_guard lock(mutex_);
  Enter(Op::Persist);
  CheckHandle(handle);
  KeyOf(root, key);
  const Bytes name = NameOf(key.blob);
  if (persistent_.try_emplace(handle, name).first->second != name)
    throw Error(Fault::Busy, "fake: another key is at this handle");
}

void FakeBackend::Erase(uint32_t handle, ByteView name) {
  std::lock_guard lock(mutex_);
  Enter(Op::Erase);
  CheckHandle(handle);
  const auto found = persistent_.find(handle);
  if (found != persistent_.end() && Equal(found->second, name)) persistent_.erase(found);
}

}  // namespace keyscope::test
