// TPMs that lack something: mechanisms, key sizes, places of keys and codes follow what they can.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "tests/fakes/fake_backend.h"
#include "tests/module/attributes.h"
#include "token/session.h"
#include "token/token.h"

// After the PKCS #11 header.
#include "p11/keyscope.h"

namespace keyscope::token {
namespace {

using namespace test;
using tpm::Curve;
using tpm::Hash;

constexpr CK_FLAGS kReadWrite = CKF_SERIAL_SESSION | CKF_RW_SESSION;

Input Pin() { return {"12345678", 8}; }

// 06 ...: the curve's name.
const Bytes kP256 = {0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7};
const Bytes kP384 = {0x06, 5, 0x2b, 0x81, 4, 0, 0x22};

// A token on a TPM that can do `facts` and no more, with the user logged in.
class Tpm {
 public:
  explicit Tpm(const tpm::Facts& facts)
      : folder_(testing::TempDir() + "keyscope-restricted-XXXXXX"),
        backend_(std::make_shared<FakeBackend>(facts)) {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
    token_.emplace(KeyScope::Machine, 0, backend_, folder_ + "/token.db");
    token_->InitToken(Pin(), Bytes(32, ' '));
    session_.emplace(*token_, 1, kReadWrite);
    session_->Login(CKU_SO, Pin());
    session_->InitPin(Pin());
    session_->Logout();
    session_->Login(CKU_USER, Pin());
  }
  Tpm(const Tpm&) = delete;
  Tpm& operator=(const Tpm&) = delete;
  ~Tpm() {
    session_->Close();
    session_.reset();
    token_.reset();
    std::filesystem::remove_all(folder_);
  }

  FakeBackend& backend() { return *backend_; }
  bool Has(CK_MECHANISM_TYPE type) {
    const auto all = token_->Mechanisms();
    return std::ranges::find(all, type) != all.end();
  }
  std::pair<CK_ULONG, CK_ULONG> Sizes(CK_MECHANISM_TYPE type) {
    const CK_MECHANISM_INFO info = token_->MechanismInfo(type);
    return {info.ulMinKeySize, info.ulMaxKeySize};
  }

  std::pair<CK_OBJECT_HANDLE, CK_OBJECT_HANDLE> Pair(CK_MECHANISM_TYPE type, Attribute parameter,
                                                     Attributes private_half = {}) {
    Attributes public_half{std::move(parameter)};
    return session_->GenerateKeyPair(*Mechanism(type).get(), ViewOf(public_half),
                                     ViewOf(private_half));
  }
  auto Ec(const Bytes& curve, Attributes private_half = {}) {
    return Pair(CKM_EC_KEY_PAIR_GEN, {CKA_EC_PARAMS, curve}, std::move(private_half));
  }
  auto Rsa(CK_ULONG bits, Attributes private_half = {}) {
    return Pair(CKM_RSA_PKCS_KEY_PAIR_GEN, {CKA_MODULUS_BITS, bits}, std::move(private_half));
  }
  // A secret key of the token that nobody can read.
  CK_OBJECT_HANDLE Secret(CK_KEY_TYPE type, ByteView value) {
    Attributes attributes{
        {CKA_CLASS, CKO_SECRET_KEY}, {CKA_KEY_TYPE, type}, {CKA_TOKEN, true}, {CKA_VALUE, value}};
    return session_->CreateObject(ViewOf(attributes));
  }
  CK_OBJECT_HANDLE Create(Attributes attributes) {
    return session_->CreateObject(ViewOf(attributes));
  }
  Bytes Get(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type) {
    Bytes value(64);
    CK_ATTRIBUTE attribute{type, value.data(), value.size()};
    EXPECT_EQ(session_->GetAttributes(key, {&attribute, 1}), CKR_OK);
    value.resize(attribute.ulValueLen);
    return value;
  }
  bool InTpm(CK_OBJECT_HANDLE key) { return Get(key, CKA_KEYSCOPE_IN_TPM) == Bytes{CK_TRUE}; }

  Bytes Do(OpKind kind, const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView data) {
    session_->Begin(kind, mechanism.get(), key);
    Bytes result(1024);
    CK_ULONG size = result.size();
    EXPECT_EQ(session_->Once(kind, {data.data(), data.size()}, {result.data(), &size}), CKR_OK);
    result.resize(size);
    return result;
  }
  void Verify(const Mechanism& mechanism, CK_OBJECT_HANDLE key, ByteView data, ByteView signature) {
    session_->Begin(OpKind::Verify, mechanism.get(), key);
    session_->VerifyOnce({data.data(), data.size()}, {signature.data(), signature.size()});
  }

 private:
  static Template ViewOf(Attributes& attributes) { return {attributes.data(), attributes.size()}; }

  std::string folder_;
  std::shared_ptr<FakeBackend> backend_;
  std::optional<Token> token_;
  std::optional<Session> session_;
};

// The code that `action` throws; CKR_OK: none.
CK_RV CodeOf(const std::function<void()>& action) {
  try {
    action();
    return CKR_OK;
  } catch (const Error& error) {
    return std::get<Rv>(error.cause()).value;
  }
}

const Bytes kData(32, 0x5a);

TEST(RestrictedTpm, WithoutP384) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.curves = {Curve::P256};
  Tpm tpm(facts);
  EXPECT_EQ(tpm.Sizes(CKM_ECDSA), std::pair(CK_ULONG{256}, CK_ULONG{256}));
  EXPECT_EQ(CodeOf([&] { tpm.Ec(kP384); }), CKR_CURVE_NOT_SUPPORTED);
  EXPECT_EQ(CodeOf([&] {
              tpm.Create({{CKA_CLASS, CKO_PRIVATE_KEY},
                          {CKA_KEY_TYPE, CKK_EC},
                          {CKA_EC_PARAMS, kP384},
                          {CKA_VALUE, Bytes(48, 1)}});
            }),
            CKR_CURVE_NOT_SUPPORTED);
  const auto [public_key, private_key] = tpm.Ec(kP256);
  for (CK_MECHANISM_TYPE type : {CKM_ECDSA, CKM_ECDSA_SHA512})
    EXPECT_NO_THROW(
        tpm.Verify(type, public_key, kData, tpm.Do(OpKind::Sign, type, private_key, kData)));
}

TEST(RestrictedTpm, WithoutEllipticCurves) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.curves = {};
  Tpm tpm(facts);
  for (CK_MECHANISM_TYPE type :
       {CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDH1_DERIVE}) {
    EXPECT_FALSE(tpm.Has(type));
    EXPECT_EQ(CodeOf([&] { tpm.Sizes(type); }), CKR_MECHANISM_INVALID);
  }
  EXPECT_EQ(CodeOf([&] { tpm.Ec(kP256); }), CKR_MECHANISM_INVALID);
}

TEST(RestrictedTpm, WithOneRsaSize) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.rsa_bits = {2048};
  Tpm tpm(facts);
  EXPECT_EQ(tpm.Sizes(CKM_RSA_PKCS), std::pair(CK_ULONG{2048}, CK_ULONG{2048}));
  for (CK_ULONG bits : {1024, 3072, 4096})
    EXPECT_EQ(CodeOf([&] { tpm.Rsa(bits); }), CKR_KEY_SIZE_RANGE) << bits;
}

// Such a TPM pads by itself only; PSS of its own would have whatever salt its maker chose.
TEST(RestrictedTpm, WithoutRawRsa) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.raw_rsa = false;
  Tpm tpm(facts);
  const auto [public_key, private_key] = tpm.Rsa(2048);
  for (CK_MECHANISM_TYPE type : {CKM_RSA_X_509, CKM_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS}) {
    EXPECT_FALSE(tpm.Has(type));
    EXPECT_EQ(CodeOf([&] { tpm.Do(OpKind::Sign, type, private_key, kData); }),
              CKR_MECHANISM_INVALID);
  }
  EXPECT_NO_THROW(tpm.Verify(CKM_SHA256_RSA_PKCS, public_key, kData,
                             tpm.Do(OpKind::Sign, CKM_SHA256_RSA_PKCS, private_key, kData)));
}

// As the Platform Crypto Provider of Windows.
class ProviderLike : public testing::Test {
 protected:
  static tpm::Facts FactsOf() {
    tpm::Facts facts = FakeBackend::Usual();
    facts.raw_rsa = facts.hmac = false;
    facts.aes_bits = {};
    facts.padded_rsa = facts.ec_either = facts.only_rsa_aks = facts.only_certify = facts.no_import =
        true;
    return facts;
  }
  Tpm tpm{FactsOf()};
};

TEST_F(ProviderLike, PadsByItself) {
  const auto [public_key, private_key] = tpm.Rsa(2048);
  EXPECT_FALSE(tpm.Has(CKM_RSA_X_509));
  const auto sign = [&, key = private_key](const Mechanism& mechanism, const Bytes& data) {
    return CodeOf([&] { tpm.Do(OpKind::Sign, mechanism, key, data); });
  };
  const Mechanism pss = Pss(CKM_SHA256_RSA_PKCS_PSS, kSha256, kSha256, 32);
  EXPECT_NO_THROW(
      tpm.Verify(pss, public_key, kData, tpm.Do(OpKind::Sign, pss, private_key, kData)));
  EXPECT_EQ(sign(Pss(CKM_SHA256_RSA_PKCS_PSS, kSha256, kSha256, 20), kData),
            CKR_MECHANISM_PARAM_INVALID);
  EXPECT_EQ(sign(CKM_RSA_PKCS, kData), CKR_DATA_INVALID) << "no DigestInfo";
  EXPECT_EQ(sign(CKM_SHA256_RSA_PKCS, kData), CKR_OK);
  const Bytes ciphertext = tpm.Do(OpKind::Encrypt, CKM_RSA_PKCS, public_key, kData);
  EXPECT_EQ(tpm.Do(OpKind::Decrypt, CKM_RSA_PKCS, private_key, ciphertext), kData);
  EXPECT_EQ(tpm.backend().Calls(Op::RawRsa), 0);
}

TEST_F(ProviderLike, TakesNoPrivateKeysFromOutside) {
  EXPECT_EQ(CodeOf([&] {
              tpm.Create({{CKA_CLASS, CKO_PRIVATE_KEY},
                          {CKA_KEY_TYPE, CKK_EC},
                          {CKA_EC_PARAMS, kP256},
                          {CKA_VALUE, Bytes(32, 1)}});
            }),
            CKR_TEMPLATE_INCONSISTENT);
}

TEST_F(ProviderLike, EcKeysSignOrDerive) {
  const auto make = [&](Attributes private_half) {
    return CodeOf([&] { tpm.Ec(kP256, std::move(private_half)); });
  };
  EXPECT_EQ(make({}), CKR_OK);
  EXPECT_EQ(make({{CKA_DERIVE, true}}), CKR_OK);
  EXPECT_EQ(make({{CKA_DERIVE, true}, {CKA_SIGN, true}}), CKR_TEMPLATE_INCONSISTENT);
  EXPECT_EQ(make({{CKA_KEYSCOPE_ATTESTATION_KEY, true}}), CKR_CURVE_NOT_SUPPORTED);
}

TEST_F(ProviderLike, StatesNoCreationOfKeys) {
  const auto [ak_public, ak] = tpm.Rsa(2048, {{CKA_KEYSCOPE_ATTESTATION_KEY, true}});
  const Attributes by{{CKA_KEYSCOPE_ATTESTED_BY, tpm.Get(ak, CKA_UNIQUE_ID)}};
  EXPECT_EQ(CodeOf([&] {
              tpm.Ec(kP256, by.With({{CKA_KEYSCOPE_CREATION_ONLY, true}}));
            }),
            CKR_ATTRIBUTE_VALUE_INVALID);
  EXPECT_NO_THROW(tpm.Ec(kP256, by));
}

// In FIPS mode TPM2_Sign makes salts as long as the hash, elsewhere the longest that fit. The
// padding is made here, so both have every salt.
TEST(RestrictedTpm, TheSaltsOfItsOwnPssDoNotMatter) {
  Tpm tpm(FakeBackend::Usual());
  const auto [public_key, private_key] = tpm.Rsa(2048);
  for (CK_ULONG salt : {0, 32, 222}) {
    const Mechanism pss = Pss(CKM_SHA256_RSA_PKCS_PSS, kSha256, kSha256, salt);
    EXPECT_NO_THROW(
        tpm.Verify(pss, public_key, kData, tpm.Do(OpKind::Sign, pss, private_key, kData)));
  }
  EXPECT_EQ(tpm.backend().Calls(Op::RawRsa), 3);
  EXPECT_EQ(tpm.backend().Calls(Op::Sign), 0);
}

TEST(RestrictedTpm, WithOneHash) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.hashes = {Hash::Sha256};
  Tpm tpm(facts);
  const auto rsa = tpm.Rsa(2048), ec = tpm.Ec(kP256);
  for (const auto& [type, pair] :
       {std::pair{CKM_SHA512_RSA_PKCS, rsa}, std::pair{CKM_SHA1_RSA_PKCS, rsa},
        std::pair{CKM_ECDSA_SHA1, ec}, std::pair{CKM_ECDSA_SHA384, ec}})
    EXPECT_NO_THROW(
        tpm.Verify(type, pair.first, kData, tpm.Do(OpKind::Sign, type, pair.second, kData)))
        << type;
  EXPECT_TRUE(tpm.InTpm(tpm.Secret(CKK_SHA256_HMAC, kData)));
  EXPECT_FALSE(tpm.InTpm(tpm.Secret(CKK_SHA_1_HMAC, kData)));
}

// Their keys are used in host memory, with the same results.
TEST(RestrictedTpm, WithoutSymmetricCommands) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.aes_bits = {};
  facts.hmac = false;
  Tpm without(facts), with(FakeBackend::Usual());
  const Mechanism cbc(CKM_AES_CBC, Bytes(16, 1));
  for (Tpm* tpm : {&without, &with}) {
    const bool in_tpm = tpm == &with;
    EXPECT_EQ(tpm->Sizes(CKM_AES_CBC), std::pair(CK_ULONG{16}, CK_ULONG{32}));
    const CK_OBJECT_HANDLE aes = tpm->Secret(CKK_AES, kData),
                           hmac = tpm->Secret(CKK_SHA256_HMAC, kData);
    EXPECT_EQ(tpm->InTpm(aes), in_tpm);
    EXPECT_EQ(tpm->InTpm(hmac), in_tpm);
    EXPECT_EQ(tpm->backend().Calls(Op::CreateSecret), in_tpm ? 2 : 0);
    tpm->Do(OpKind::Encrypt, cbc, aes, kData);
    tpm->Do(OpKind::Sign, CKM_SHA256_HMAC, hmac, kData);
    EXPECT_EQ(tpm->backend().Calls(Op::RunAes), in_tpm ? 1 : 0);
    EXPECT_EQ(tpm->backend().Calls(Op::Hmac), in_tpm ? 1 : 0);
  }
  EXPECT_EQ(without.Do(OpKind::Encrypt, cbc, without.Secret(CKK_AES, kData), kData),
            with.Do(OpKind::Encrypt, cbc, with.Secret(CKK_AES, kData), kData));
}

TEST(RestrictedTpm, WithOneAesSize) {
  tpm::Facts facts = FakeBackend::Usual();
  facts.aes_bits = {128};
  Tpm tpm(facts);
  EXPECT_TRUE(tpm.InTpm(tpm.Secret(CKK_AES, Bytes(16, 1))));
  EXPECT_FALSE(tpm.InTpm(tpm.Secret(CKK_AES, Bytes(32, 1))));
}

}  // namespace
}  // namespace keyscope::token
