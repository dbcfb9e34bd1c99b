// Project Wycheproof's vectors. Each file says what must be accepted; "acceptable" cases are named
// where this module decides.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/unit/token/crypto_support.h"
#include "token/crypto/cipher.h"
#include "token/crypto/ec.h"
#include "token/crypto/hash.h"
#include "token/crypto/key_info.h"
#include "token/crypto/mac.h"
#include "token/crypto/public_key.h"
#include "token/crypto/rsa_padding.h"

namespace keyscope::crypto {
namespace {

using Json = nlohmann::json;
using tpm::Curve;
using tpm::Hash;

Bytes Field(const Json& of, const char* name) {
  return test::Unhex(of.at(name).get<std::string>());
}

Hash HashNamed(const std::string& name) {
  static const auto& hashes = *new std::map<std::string, Hash>{{"SHA-1", Hash::Sha1},
                                                               {"SHA-224", Hash::Sha224},
                                                               {"SHA-256", Hash::Sha256},
                                                               {"SHA-384", Hash::Sha384},
                                                               {"SHA-512", Hash::Sha512}};
  return hashes.at(name);
}

class CryptoWycheproof : public testing::Test {
 protected:
  // Calls check(group, test, must be accepted) for each case of the file.
  template <typename Check>
  void ForEach(const std::string& file, bool accept_acceptable, Check check) {
    std::ifstream stream(KEYSCOPE_SHARED_DIR "/wycheproof/" + file);
    if (!stream) GTEST_SKIP() << "no " << file << " beside the checkout";
    size_t count = 0;
    const Json all = Json::parse(stream);
    for (const Json& group : all.at("testGroups")) {
      for (const Json& test : group.at("tests")) {
        SCOPED_TRACE(file + " case " + test.at("tcId").dump() + ": " +
                     test.at("comment").get<std::string>());
        const std::string result = test.at("result");
        check(group, test, result == "valid" || (result == "acceptable" && accept_acceptable));
        ++count;
      }
    }
    EXPECT_EQ(count, all.at("numberOfTests").get<size_t>());
  }
};

// The one acceptable case lacks the NULL of the DigestInfo: refused.
TEST_F(CryptoWycheproof, RsaPkcs1Signatures) {
  ForEach("rsa_signature_2048_sha256_test.json", false,
          [](const Json& group, const Json& test, bool valid) {
            const SoftwareKey key(*DecodePublicKeyInfo(Field(group, "publicKeyDer")));
            EXPECT_EQ(key.VerifyPkcs1(Hash::Sha256, Digest(Hash::Sha256, Field(test, "msg")),
                                      Field(test, "sig")),
                      valid);
          });
}

TEST_F(CryptoWycheproof, RsaPssSignatures) {
  for (const char* file : {"rsa_pss_2048_sha256_mgf1_0_test.json",
                           "rsa_pss_2048_sha256_mgf1_32_test.json", "rsa_pss_misc_test.json"}) {
    ForEach(file, false, [](const Json& group, const Json& test, bool valid) {
      const SoftwareKey key(*DecodePublicKeyInfo(Field(group, "publicKeyDer")));
      const Hash hash = HashNamed(group.at("sha"));
      EXPECT_EQ(key.VerifyPss(hash, HashNamed(group.at("mgfSha")), group.at("sLen").get<size_t>(),
                              Digest(hash, Field(test, "msg")), Field(test, "sig")),
                valid);
    });
  }
}

TEST_F(CryptoWycheproof, EcdsaSignatures) {
  ForEach("ecdsa_secp256r1_sha256_p1363_test.json", false,
          [](const Json& group, const Json& test, bool valid) {
            const SoftwareKey key(*DecodePublicKeyInfo(Field(group, "publicKeyDer")));
            EXPECT_EQ(key.VerifyEcdsa(Digest(Hash::Sha256, Field(test, "msg")), Field(test, "sig")),
                      valid);
          });
}

// x of scalar * point.
Bytes SharedSecret(const tpm::EcPublic& peer, ByteView scalar) {
  const EC_GROUP* group = Group(peer.curve);
  const ossl::BnCtx context(BN_CTX_new());
  const ossl::Point point(EC_POINT_new(group));
  const Bytes raw = RawPoint(peer);
  EC_POINT_oct2point(group, point.get(), raw.data(), raw.size(), context.get());
  const ossl::Bn number = ossl::Number(scalar);
  const ossl::Bn x(BN_new());
  EC_POINT_mul(group, point.get(), nullptr, point.get(), number.get(), context.get());
  EC_POINT_get_affine_coordinates(group, point.get(), x.get(), nullptr, context.get());
  Bytes secret(peer.x.size());
  BN_bn2binpad(x.get(), secret.data(), static_cast<int>(secret.size()));
  return secret;
}

// The one acceptable case is a compressed point: accepted.
TEST_F(CryptoWycheproof, EcdhPoints) {
  ForEach("ecdh_secp256r1_ecpoint_test.json", true, [](const Json&, const Json& test, bool valid) {
    auto peer = DecodePoint(Curve::P256, Field(test, "public"));
    EXPECT_EQ(peer.has_value(), valid);
    if (peer && valid) {
      EXPECT_EQ(SharedSecret(*peer, Field(test, "private")), Field(test, "shared"));
    }
  });
}

template <typename Unpad>
void CheckDecryption(const Json& group, const Json& test, bool valid, Unpad unpad) {
  const Json& key = group.at("privateKey");
  const Bytes modulus = StripLeadingZeros(Field(key, "modulus"));
  const Bytes ciphertext = Field(test, "ct");
  // What the TPM refuses itself: another length, or a number that is not below the modulus.
  std::optional<SecretBytes> message;
  if (ciphertext.size() == modulus.size() && ciphertext < modulus)
    message = unpad(test::PowerMod(ciphertext, Field(key, "privateExponent"), modulus));
  EXPECT_EQ(message.has_value(), valid);
  if (message && valid) {
    EXPECT_TRUE(Equal(message->view(), Field(test, "msg")));
  }
}

TEST_F(CryptoWycheproof, RsaOaepDecryption) {
  ForEach("rsa_oaep_2048_sha256_mgf1sha256_test.json", false,
          [](const Json& group, const Json& test, bool valid) {
            CheckDecryption(group, test, valid, [&test](ByteView em) {
              return UnpadOaep(em, Hash::Sha256, Hash::Sha256, Field(test, "label"));
            });
          });
}

TEST_F(CryptoWycheproof, RsaPkcs1Decryption) {
  ForEach("rsa_pkcs1_2048_test.json", false, [](const Json& group, const Json& test, bool valid) {
    CheckDecryption(group, test, valid, UnpadPkcs1);
  });
}

TEST_F(CryptoWycheproof, HmacTags) {
  ForEach("hmac_sha256_test.json", false, [](const Json& group, const Json& test, bool valid) {
    const SecretBytes code = Hmac(Hash::Sha256, Field(test, "key"), {Field(test, "msg")});
    const size_t size = group.at("tagSize").get<size_t>() / 8;
    EXPECT_EQ(Equal(code.view().first(size), Field(test, "tag")), valid);
  });
}

TEST_F(CryptoWycheproof, AesCbcPadding) {
  ForEach("aes_cbc_pkcs5_test.json", false, [](const Json&, const Json& test, bool valid) {
    const Bytes key = Field(test, "key");
    const Bytes iv = Field(test, "iv");
    auto cipher = Cipher::Start(CipherMode::CbcPad, Direction::Decrypt, HostAes(key), {.iv = iv});
    CipherResult start = cipher->Update(Field(test, "ct"));
    CipherResult end = cipher->Final();
    EXPECT_EQ(end.status == CipherStatus::Ok, valid);
    if (valid) {
      EXPECT_EQ(Concat({start.bytes.view(), end.bytes.view()}), Field(test, "msg"));
    }
  });
}

}  // namespace
}  // namespace keyscope::crypto
