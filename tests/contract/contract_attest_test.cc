// What holds of every Backend: attestation.
#include "tests/contract/contract.h"
#include "tests/contract/credential.h"
#include "tests/contract/statement.h"
#include "tests/contract/verify.h"

namespace keyscope::test {
namespace {

using tpm::EkType;
using tpm::Hash;
using tpm::KeyRef;
using tpm::SignScheme;
using tpm::Statement;

class ContractAttest : public Contract {
 protected:
  const tpm::KeySpec& AkSpec() const { return facts.only_rsa_aks ? kRsaAk : kEcAk; }
  std::vector<const tpm::KeySpec*> Aks() const {
    if (facts.only_rsa_aks) return {&kRsaAk};
    return {&kEcAk, &kRsaAk};
  }
  // Where a provider makes the keys, it says no more of a birth than it wants.
  bool ProviderMakes() { return !backend().NewName(AsBytes("any")).empty(); }

  // A statement of type `type` by `ak` over `nonce`.
  Attested Checked(const KeyRef& ak, const Statement& statement, uint16_t type, ByteView nonce) {
    EXPECT_TRUE(IsSignedBy(backend().PublicOf(ak.blob), statement));
    const Attested attested = ParseAttest(statement.attest);
    EXPECT_EQ(attested.magic, kGenerated);
    EXPECT_EQ(attested.type, type);
    EXPECT_EQ(Hex(attested.extra_data), Hex(nonce));
    return attested;
  }
  Bytes NameIn(const tpm::KeyBlob& blob) { return NameFor(backend().TpmtPublicOf(blob)); }

  void ExpectBirth(const KeyRef& ak, const tpm::CreatedKey& made, std::string_view outside_info,
                   ByteView nonce) {
    if (ProviderMakes() && made.creation_data.empty()) {
      EXPECT_TRUE(made.certification);
      return;
    }
    const Attested creation = Checked(ak, made.creation, kCreation, nonce);
    EXPECT_EQ(creation.name, NameIn(made.blob));
    EXPECT_EQ(creation.creation_hash, Sha256(made.creation_data));
    EXPECT_EQ(AsString(OutsideInfoOf(made.creation_data)),
              ProviderMakes() ? std::string_view() : outside_info);
  }

  tpm::Endorsement EndorsementOf(EkType type) {
    for (tpm::Endorsement& one : backend().Endorsements())
      if (one.type == type) return std::move(one);
    throw std::runtime_error("no such endorsement key");
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractAttest, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractAttest, AnAkCertifiesItsOwnCreation) {
  for (const tpm::KeySpec* spec : Aks()) {
    const Bytes nonce(20, 7);
    const auto made =
        backend().CreateAttested(root, AsBytes("ak"), *spec, AuthOf("ak"), nullptr, nonce);
    ExpectBirth(Ready("ak", made.blob), made, "keyscope:machine", nonce);
    EXPECT_FALSE(made.certification);
    backend().Release(AsBytes("ak"));
  }
}

// The templates of AKs and of attested keys, as marshalled up to the key's size or curve.
TEST_P(ContractAttest, PublicAreasSayWhatVerifiersAskFor) {
  if (ProviderMakes()) GTEST_SKIP() << "the provider has templates of its own";
  const auto head = [&](const tpm::KeyBlob& blob, size_t size) {
    return Hex(ByteView(backend().TpmtPublicOf(blob)).first(size));
  };
  const KeyRef ec_ak = NewAk(backend(), root, "ec ak", kEcAk);
  EXPECT_EQ(head(ec_ak.blob, 20),
            "0023000b00050472"
            "0000"
            "0010"
            "0018000b"
            "0003"
            "0010");
  const KeyRef rsa_ak = NewAk(backend(), root, "rsa ak", kRsaAk);
  EXPECT_EQ(head(rsa_ak.blob, 18),
            "0001000b00050472"
            "0000"
            "0010"
            "0014000b"
            "0800");
  const KeyRef key = NewAttested(backend(), root, "key", kP256, ec_ak);
  EXPECT_EQ(head(key.blob, 18),
            "0023000b00060472"
            "0000"
            "0010"
            "0010"
            "0003"
            "0010");
}

TEST_P(ContractAttest, OnlyTheCreationIsStatedWhereThatIsAskedFor) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  tpm::KeySpec spec = kP256;
  spec.creation_only = true;
  const auto make = [&] {
    return backend().CreateAttested(root, AsBytes("key"), spec, AuthOf("key"), &ak, Bytes(8, 1));
  };
  if (facts.only_certify) {
    EXPECT_EQ(FaultOf(make), Fault::Unsupported);
    return;
  }
  const auto made = make();
  EXPECT_FALSE(made.certification);
  ExpectBirth(ak, made, "", Bytes(8, 1));
}

TEST_P(ContractAttest, KeysAreCertifiedAtBirth) {
  const Bytes nonce(32, 9);
  for (const tpm::KeySpec* ak_spec : Aks()) {
    const KeyRef ak = NewAk(backend(), root, "ak", *ak_spec);
    for (const tpm::KeySpec* spec : {&kP256, &kRsa2048}) {
      tpm::KeySpec with_scope{spec->scope, spec->algorithm};
      with_scope.outside_info = Copy(AsBytes("keyscope:user"));
      const auto made =
          backend().CreateAttested(root, AsBytes("key"), with_scope, AuthOf("key"), &ak, nonce);
      ExpectBirth(ak, made, "keyscope:user", nonce);
      ASSERT_TRUE(made.certification);
      EXPECT_EQ(Checked(ak, *made.certification, kCertify, nonce).name, NameIn(made.blob));
      // It is an ordinary key.
      const KeyRef key = Ready("key", made.blob);
      const bool rsa = std::holds_alternative<tpm::RsaPublic>(backend().PublicOf(key.blob));
      const Bytes digest = DigestFor(Hash::Sha256);
      const Bytes signature = backend().Sign(
          root, key, rsa ? SignScheme::RsaPkcs1 : SignScheme::Ecdsa, Hash::Sha256, digest);
      EXPECT_TRUE(Verifies(backend().PublicOf(key.blob), Hash::Sha256, digest, signature));
      backend().Release(AsBytes("key"));
    }
    backend().Release(AsBytes("ak"));
  }
  backend().Release({});
  subject_->ExpectNothingLoaded();
}

TEST_P(ContractAttest, TwoNoncesGiveTwoStatements) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  const KeyRef key = NewKey(backend(), root, "key", kRsa2048);
  const Bytes one(32, 1), two(32, 2);
  const Statement first = backend().Certify(root, ak, key, one);
  const Statement second = backend().Certify(root, ak, key, two);
  EXPECT_EQ(Checked(ak, first, kCertify, one).name, NameIn(key.blob));
  EXPECT_EQ(Checked(ak, second, kCertify, two).name, NameIn(key.blob));
  // The verifier can say no.
  EXPECT_FALSE(IsSignedBy(backend().PublicOf(ak.blob), {first.attest, second.signature}));
  EXPECT_FALSE(IsSignedBy(backend().PublicOf(key.blob), first));
}

TEST_P(ContractAttest, ImportedKeysAndAksCanBeCertifiedToo) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  const KeyRef other = NewAk(backend(), root, "other", AkSpec());
  const Bytes nonce(8, 3);
  std::vector<const KeyRef*> keys = {&other, &ak};
  std::optional<KeyRef> imported;
  if (!facts.no_import) {
    imported = Ready(
        "imported",
        backend().Import(root, KeyScope::User, MakeEc(tpm::Curve::P256).parts, AuthOf("imported")));
    keys.push_back(&*imported);
  }
  for (const KeyRef* key : keys)
    EXPECT_EQ(Checked(ak, backend().Certify(root, ak, *key, nonce), kCertify, nonce).name,
              NameIn(key->blob));
}

TEST_P(ContractAttest, QuotesPcrs) {
  const KeyRef ak = NewAk(backend(), root, "ak", kRsaAk);
  const Bytes nonce(16, 5);
  // Of the PCRs 0, 7 and 16 all are zero in a TPM that nobody has extended.
  const Attested quote =
      Checked(ak, backend().Quote(root, ak, Hash::Sha256, 0x10081, nonce), kQuote, nonce);
  EXPECT_EQ(quote.bank, 0x000B);
  EXPECT_EQ(quote.pcrs, 0x10081U);
  EXPECT_EQ(quote.pcr_digest, Sha256(Bytes(3 * 32)));
  const auto refused = [&](Hash bank, uint32_t pcrs) {
    return FaultOf([&] { backend().Quote(root, ak, bank, pcrs, nonce); });
  };
  EXPECT_EQ(refused(Hash::Sha256, 1U << 24), Fault::BadInput);
  EXPECT_EQ(refused(Hash::Sha3_256, 1), Fault::Unsupported);
  EXPECT_EQ(refused(Hash::Sha3_224, 1), Fault::Unsupported);
  EXPECT_EQ(refused(Hash::None, 1), Fault::Unsupported);
}

TEST_P(ContractAttest, AnAkSignsNothingElse) {
  for (const tpm::KeySpec* spec : Aks()) {
    const KeyRef ak = NewAk(backend(), root, "ak", *spec);
    const bool rsa = spec == &kRsaAk;
    for (Hash hash : {Hash::Sha1, Hash::Sha256}) {
      EXPECT_TRUE(FaultOf([&] {
        backend().Sign(root, ak, rsa ? SignScheme::RsaPkcs1 : SignScheme::Ecdsa, hash,
                       DigestFor(hash));
      }));
    }
    if (rsa) {
      EXPECT_TRUE(FaultOf([&] { backend().RawRsa(root, ak, Bytes(256, 1)); }));
    } else {
      const auto peer = std::get<tpm::EcPrivate>(MakeEc(tpm::Curve::P256).parts).public_key;
      EXPECT_TRUE(FaultOf([&] { backend().Ecdh(root, ak, peer); }));
    }
    backend().Release(AsBytes("ak"));
  }
}

TEST_P(ContractAttest, WhatCannotBeIsRefused) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  KeyRef key = NewKey(backend(), root, "key", kP256);
  const auto certify = [&](const KeyRef& by, size_t nonce) {
    return FaultOf([&] { backend().Certify(root, by, key, Bytes(nonce, 1)); });
  };
  EXPECT_FALSE(certify(ak, 64));
  EXPECT_EQ(certify(ak, 67), Fault::BadInput);
  EXPECT_EQ(certify(ak, 70000), Fault::BadInput);
  EXPECT_TRUE(certify(key, 8)) << "not an AK";
  const auto create = [&](const tpm::KeySpec& spec, const KeyRef* by, size_t nonce) {
    return FaultOf([&] {
      backend().CreateAttested(root, AsBytes("new"), spec, AuthOf("new"), by, Bytes(nonce, 1));
    });
  };
  EXPECT_EQ(create({KeyScope::User, tpm::RsaSpec{1024}, true}, nullptr, 8), Fault::Unsupported);
  EXPECT_EQ(create({KeyScope::User, tpm::EcSpec{tpm::Curve::P384}, true}, nullptr, 8),
            Fault::Unsupported);
  EXPECT_EQ(create(AkSpec(), nullptr, 67), Fault::BadInput);
  EXPECT_EQ(create(kP256, &ak, 67), Fault::BadInput);
  EXPECT_TRUE(create(kP256, &key, 8)) << "not an AK";
  // Wrong auth values: of the key, of the AK.
  key.auth = AuthOf("another");
  EXPECT_EQ(certify(ak, 8), Fault::AuthFailed);
  KeyRef forbidden = Ready("ak", ak.blob);
  forbidden.auth = AuthOf("another");
  EXPECT_EQ(create(kP256, &forbidden, 8), Fault::AuthFailed);
  EXPECT_EQ(backend().ReadLockout().tries_used, GetParam().keys_cost_tries ? 2U : 0U);
  backend().Release({});
  subject_->ExpectNothingLoaded();
}

TEST_P(ContractAttest, EndorsementKeysAreWhatTheProfileSays) {
  const auto all = backend().Endorsements();
  ASSERT_EQ(all.size(), 2U);
  for (const tpm::Endorsement& one : all) {
    const bool rsa = one.type == EkType::Rsa;
    EXPECT_EQ(Hex(ByteView(one.public_area).first(42)),
              std::string(rsa ? "0001" : "0023") +
                  "000b000300b20020"
                  "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa");
    EXPECT_EQ(one.name, NameFor(one.public_area));
    EXPECT_EQ(std::holds_alternative<tpm::RsaPublic>(one.key), rsa);
    EXPECT_TRUE(one.certificate.empty());
  }
  EXPECT_EQ(backend().Endorsements()[0].name, all[0].name) << "the same each time";
}

TEST_P(ContractAttest, ActivatesACredential) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  const Bytes secret(32, 0x42);
  for (const tpm::Endorsement& ek : backend().Endorsements()) {
    const Credential credential = MakeCredential(ek, NameIn(ak.blob), secret);
    const auto activate = [&] {
      return backend().ActivateCredential(root, ak, ek.type, credential.id_object,
                                          credential.encrypted_secret);
    };
    if (ProviderMakes() && ek.type != EkType::Rsa) {
      EXPECT_EQ(FaultOf(activate), Fault::Unsupported);
      continue;
    }
    EXPECT_EQ(Hex(activate().view()), Hex(secret));
  }
  backend().Release({});
  subject_->ExpectNothingLoaded();
}

TEST_P(ContractAttest, ACredentialForSomebodyElseIsRefused) {
  const KeyRef ak = NewAk(backend(), root, "ak", AkSpec());
  const KeyRef other_ak = NewAk(backend(), root, "other", AkSpec());
  for (EkType type : {EkType::Rsa, EkType::Ec}) {
    if (ProviderMakes() && type != EkType::Rsa) continue;
    SCOPED_TRACE(type == EkType::Rsa ? "RSA" : "EC");
    const tpm::Endorsement ek = EndorsementOf(type);
    const auto activate = [&](const KeyRef& by, ByteView id_object, ByteView encrypted) {
      return FaultOf([&] { backend().ActivateCredential(root, by, type, id_object, encrypted); });
    };
    const Credential good = MakeCredential(ek, NameIn(ak.blob), Bytes(32, 1));
    EXPECT_EQ(activate(other_ak, good.id_object, good.encrypted_secret), Fault::BadInput);

    for (const tpm::Endorsement& other_ek : subject_->EndorsementsOfAnother()) {
      const Credential other = MakeCredential(other_ek, NameIn(ak.blob), Bytes(32, 1));
      EXPECT_EQ(activate(ak, other.id_object, other.encrypted_secret), Fault::BadInput);
    }
    Bytes above_modulus = good.encrypted_secret;
    std::fill(above_modulus.begin() + 2, above_modulus.end(), uint8_t{0xff});
    EXPECT_EQ(activate(ak, good.id_object, above_modulus), Fault::BadInput);
    Bytes cut = good.id_object;
    cut.pop_back();
    EXPECT_EQ(activate(ak, cut, good.encrypted_secret), Fault::BadInput);
    EXPECT_EQ(activate(ak, {}, {}), Fault::BadInput);
    EXPECT_EQ(activate(ak, Bytes{0, 0}, Bytes{0, 0}), Fault::BadInput);
    const Bytes longest(2 + 0xffff, 0xff);
    EXPECT_EQ(activate(ak, longest, good.encrypted_secret), Fault::BadInput);
    EXPECT_EQ(activate(ak, good.id_object, longest), Fault::BadInput);
    EXPECT_FALSE(activate(ak, good.id_object, good.encrypted_secret));
  }
  backend().Release({});
  subject_->ExpectNothingLoaded();
}

}  // namespace
}  // namespace keyscope::test
