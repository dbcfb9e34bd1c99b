// What holds of every Backend: keys.
#include "tests/contract/contract.h"
#include "tests/contract/verify.h"
#include "tests/fakes/public_key.h"

namespace keyscope::test {
namespace {

using tpm::Curve;
using tpm::Hash;
using tpm::RsaPadding;
using tpm::SignScheme;

class ContractKeys : public Contract {
 protected:
  // Signs with each hash that the device has.
  void ExpectSigns(const tpm::KeyRef& key) {
    const tpm::PublicKey public_key = backend().PublicOf(key.blob);
    const bool rsa = std::holds_alternative<tpm::RsaPublic>(public_key);
    for (Hash hash : facts.hashes) {
      SCOPED_TRACE(Name(hash));
      const Bytes digest = DigestFor(hash);
      const Bytes signature =
          backend().Sign(root, key, rsa ? SignScheme::RsaPkcs1 : SignScheme::Ecdsa, hash, digest);
      EXPECT_TRUE(Verifies(public_key, hash, digest, signature));
      Bytes other = digest;
      other[0] ^= 1;
      EXPECT_FALSE(Verifies(public_key, hash, other, signature));
    }
  }

  void ExpectDecrypts(const tpm::KeyRef& key) {
    if (facts.raw_rsa) ExpectRawRsa(key);
    if (facts.padded_rsa) ExpectPads(key);
  }

  void ExpectPads(const tpm::KeyRef& key) {
    const tpm::PublicKey public_key = backend().PublicOf(key.blob);
    const Bytes message(20, 0x42);
    for (Hash hash : facts.hashes) {
      SCOPED_TRACE(Name(hash));
      const Bytes digest = DigestFor(hash);
      if (std::get<tpm::RsaPublic>(public_key).modulus.size() < 2 * digest.size() + 22) continue;
      EXPECT_TRUE(VerifiesPss(public_key, hash, digest,
                              backend().Sign(root, key, SignScheme::RsaPss, hash, digest)));
      const Bytes oaep = EncryptPadded(public_key, RsaPadding::Oaep, hash, message);
      EXPECT_TRUE(
          Equal(backend().DecryptRsa(root, key, RsaPadding::Oaep, hash, oaep).view(), message));
    }
    const auto decrypt = [&](ByteView ciphertext) {
      return backend().DecryptRsa(root, key, RsaPadding::Pkcs1, Hash::None, ciphertext);
    };
    Bytes ciphertext = EncryptPadded(public_key, RsaPadding::Pkcs1, Hash::None, message);
    EXPECT_TRUE(Equal(decrypt(ciphertext).view(), message));
    ciphertext.pop_back();
    EXPECT_EQ(FaultOf([&] { decrypt(ciphertext); }), Fault::BadInput);
  }

  void ExpectRawRsa(const tpm::KeyRef& key) {
    const auto public_key = std::get<tpm::RsaPublic>(backend().PublicOf(key.blob));
    const size_t k = public_key.modulus.size();
    Bytes input(k, 0x5a);
    input[0] = 0;
    const SecretBytes output = backend().RawRsa(root, key, input);
    ASSERT_EQ(output.size(), k);
    EXPECT_TRUE(Equal(RawPublic(public_key, output.view()), input));
  }

  // Where an EC key signs or agrees.
  tpm::KeyRef Agreeing(Curve curve) {
    return NewKey(backend(), root, std::string("agreeing ") + Name(curve),
                  {KeyScope::User, tpm::EcSpec{curve, true}});
  }

  void ExpectAgrees(const tpm::KeyRef& key) {
    const auto own = std::get<tpm::EcPublic>(backend().PublicOf(key.blob));
    const MadeKey peer = MakeEc(own.curve);
    const SecretBytes ours =
        backend().Ecdh(root, key, std::get<tpm::EcPrivate>(peer.parts).public_key);
    const SecretBytes theirs = SharedX(*peer.pkey, *ToPkey(own));
    EXPECT_TRUE(Equal(ours.view(), theirs.view()));
  }
};

INSTANTIATE_TEST_SUITE_P(Backends, ContractKeys, testing::ValuesIn(Kinds()), KindName);

TEST_P(ContractKeys, EveryRsaSizeSignsAndDecrypts) {
  for (unsigned bits : facts.rsa_bits) {
    if (bits > 2048) continue;  // too slow in software
    SCOPED_TRACE(bits);
    const auto key =
        NewKey(backend(), root, "rsa" + std::to_string(bits), {KeyScope::User, tpm::RsaSpec{bits}});
    EXPECT_EQ(std::get<tpm::RsaPublic>(backend().PublicOf(key.blob)).modulus.size() * 8, bits);
    ExpectSigns(key);
    ExpectDecrypts(key);
  }
}

TEST_P(ContractKeys, EveryCurveSignsAndAgrees) {
  for (Curve curve : facts.curves) {
    SCOPED_TRACE(Name(curve));
    const auto key = NewKey(backend(), root, Name(curve), {KeyScope::User, tpm::EcSpec{curve}});
    ExpectSigns(key);
    ExpectAgrees(facts.ec_either ? Agreeing(curve) : Ready(Name(curve), key.blob));
  }
}

TEST_P(ContractKeys, SignaturesKeepTheirLength) {
  const auto key = NewKey(backend(), root, "key", kP256);
  const Bytes digest = DigestFor(Hash::Sha256);
  // One in 128 has a leading zero in r or s.
  for (int i = 0; i < 300; ++i)
    ASSERT_EQ(backend().Sign(root, key, SignScheme::Ecdsa, Hash::Sha256, digest).size(), 64U);
}

TEST_P(ContractKeys, UnknownSizesAreUnsupported) {
  const auto create = [&](const tpm::KeySpec& spec) {
    return FaultOf([&] { backend().Create(root, spec, AuthOf("key")); });
  };
  for (unsigned bits : {0U, 1U, 512U, 1000U, 4096U, 65536U + 2048U}) {
    if (std::find(facts.rsa_bits.begin(), facts.rsa_bits.end(), bits) != facts.rsa_bits.end())
      continue;
    EXPECT_EQ(create({KeyScope::User, tpm::RsaSpec{bits}}), Fault::Unsupported) << bits;
  }
  for (Curve curve : {Curve::P256, Curve::P384, Curve::P521}) {
    if (std::find(facts.curves.begin(), facts.curves.end(), curve) != facts.curves.end()) continue;
    EXPECT_EQ(create({KeyScope::User, tpm::EcSpec{curve}}), Fault::Unsupported) << Name(curve);
  }
}

TEST_P(ContractKeys, ImportedRsaSignsAndDecrypts) {
  if (facts.no_import) GTEST_SKIP() << "no keys from outside";
  const MadeKey made = MakeRsa(2048);
  const auto key = Ready("rsa", backend().Import(root, KeyScope::User, made.parts, AuthOf("rsa")));
  EXPECT_EQ(std::get<tpm::RsaPublic>(backend().PublicOf(key.blob)).modulus,
            std::get<tpm::RsaPrivate>(made.parts).public_key.modulus);
  ExpectSigns(key);
  ExpectDecrypts(key);
}

TEST_P(ContractKeys, ImportedEcSignsAndAgrees) {
  if (facts.no_import) GTEST_SKIP() << "no keys from outside";
  for (Curve curve : facts.curves) {
    SCOPED_TRACE(Name(curve));
    const MadeKey made = MakeEc(curve);
    const auto key =
        Ready(Name(curve), backend().Import(root, KeyScope::User, made.parts, AuthOf(Name(curve))));
    ExpectSigns(key);
    ExpectAgrees(key);
  }
}

TEST_P(ContractKeys, ImportRefusesPartsThatDoNotFit) {
  if (facts.no_import) {
    EXPECT_EQ(FaultOf([&] {
                backend().Import(root, KeyScope::User, MakeEc(Curve::P256).parts, AuthOf("k"));
              }),
              Fault::Unsupported);
    return;
  }
  MadeKey rsa = MakeRsa(2048);
  auto& rsa_parts = std::get<tpm::RsaPrivate>(rsa.parts);
  rsa_parts.prime.data()[rsa_parts.prime.size() - 1] ^= 2;
  EXPECT_EQ(FaultOf([&] { backend().Import(root, KeyScope::User, rsa.parts, AuthOf("k")); }),
            Fault::BadInput);
  MadeKey ec = MakeEc(Curve::P256);
  auto& ec_parts = std::get<tpm::EcPrivate>(ec.parts);
  ec_parts.scalar.data()[31] ^= 1;
  EXPECT_EQ(FaultOf([&] { backend().Import(root, KeyScope::User, ec.parts, AuthOf("k")); }),
            Fault::BadInput);
  ec_parts.scalar.data()[31] ^= 1;
  ec_parts.public_key.x[5] ^= 1;
  EXPECT_EQ(FaultOf([&] { backend().Import(root, KeyScope::User, ec.parts, AuthOf("k")); }),
            Fault::BadInput);
}

TEST_P(ContractKeys, BadInputsAreRefused) {
  const auto ec = NewKey(backend(), root, "ec", kP256);
  const auto rsa = NewKey(backend(), root, "rsa", {KeyScope::User, tpm::RsaSpec{2048}});
  const auto sign = [&](const tpm::KeyRef& key, SignScheme scheme, Hash hash, size_t size) {
    return FaultOf([&] { backend().Sign(root, key, scheme, hash, Bytes(size, 1)); });
  };
  EXPECT_EQ(sign(ec, SignScheme::Ecdsa, Hash::Sha256, 31), Fault::BadInput);
  EXPECT_EQ(sign(ec, SignScheme::Ecdsa, Hash::Sha256, 0), Fault::BadInput);
  EXPECT_EQ(sign(ec, SignScheme::RsaPkcs1, Hash::Sha256, 32), Fault::BadInput);
  EXPECT_EQ(sign(rsa, SignScheme::Ecdsa, Hash::Sha256, 32), Fault::BadInput);
  EXPECT_EQ(sign(rsa, SignScheme::RsaPkcs1, Hash::Sha3_224, 28), Fault::Unsupported);

  const auto raw = [&](const tpm::KeyRef& key, const Bytes& input) {
    return FaultOf([&] { backend().RawRsa(root, key, input); });
  };
  const Fault bad = facts.raw_rsa ? Fault::BadInput : Fault::Unsupported;
  EXPECT_EQ(raw(rsa, {}), bad);
  EXPECT_EQ(raw(rsa, Bytes(255, 1)), bad);
  EXPECT_EQ(raw(rsa, Bytes(257, 0)), bad);
  EXPECT_EQ(raw(rsa, Bytes(256, 0xff)), bad) << "above the modulus";
  EXPECT_EQ(raw(ec, Bytes(32, 1)), bad);

  const auto agree = [&](const tpm::KeyRef& key, const tpm::EcPublic& peer) {
    return FaultOf([&] { backend().Ecdh(root, key, peer); });
  };
  const tpm::KeyRef agreeing = facts.ec_either ? Agreeing(Curve::P256) : Ready("ec", ec.blob);
  const tpm::EcPublic good = std::get<tpm::EcPrivate>(MakeEc(Curve::P256).parts).public_key;
  tpm::EcPublic off = good;
  off.y[31] ^= 1;
  EXPECT_EQ(agree(agreeing, off), Fault::BadInput);
  EXPECT_EQ(agree(agreeing, {Curve::P256, Bytes(32), Bytes(32)}), Fault::BadInput);
  EXPECT_EQ(agree(agreeing, {Curve::P256, {}, {}}), Fault::BadInput);
  EXPECT_EQ(agree(agreeing, {Curve::P256, Bytes(200, 1), Bytes(200, 1)}), Fault::BadInput);
  EXPECT_EQ(agree(agreeing, std::get<tpm::EcPrivate>(MakeEc(Curve::P384).parts).public_key),
            Fault::BadInput);
  EXPECT_EQ(agree(rsa, good), Fault::BadInput);

  // After all this the keys still work.
  EXPECT_FALSE(sign(ec, SignScheme::Ecdsa, Hash::Sha256, 32));
  EXPECT_FALSE(sign(rsa, SignScheme::RsaPkcs1, Hash::Sha256, 32));
  EXPECT_FALSE(agree(agreeing, good));
}

}  // namespace
}  // namespace keyscope::test
