#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "tests/unit/token/crypto_support.h"
#include "token/crypto/hash.h"

namespace keyscope::crypto {
namespace {

using tpm::Hash;

constexpr Hash kAllHashes[] = {Hash::Sha1,     Hash::Sha224,   Hash::Sha256,
                               Hash::Sha384,   Hash::Sha512,   Hash::Sha3_224,
                               Hash::Sha3_256, Hash::Sha3_384, Hash::Sha3_512};

TEST(CryptoHash, DigestsOfAbcAreThoseOfFips180And202) {
  EXPECT_EQ(Hex(Digest(Hash::Sha1, AsBytes("abc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(Hex(Digest(Hash::Sha256, AsBytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Hex(Digest(Hash::Sha3_256, AsBytes("abc"))),
            "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
}

TEST(CryptoHash, StreamingGivesTheSameAndTheTableIsRight) {
  const Bytes data = test::Garbage().Some(1000);
  for (Hash hash : kAllHashes) {
    Digester digester(hash);
    digester.Update({});
    digester.Update(ByteView(data).first(333));
    digester.Update(ByteView(data).subspan(333));
    const Bytes digest = Copy(digester.Final().view());
    EXPECT_EQ(digest, Digest(hash, data));
    EXPECT_EQ(digest.size(), Info(hash).size());
    EXPECT_EQ(static_cast<size_t>(EVP_MD_get_size(Fetched(hash))), digest.size());
  }
}

// Contexts are used again: after digests that were left unfinished, several at a time.
TEST(CryptoHash, NothingOfOneMessageGetsIntoAnother) {
  for (Hash hash : kAllHashes) {
    const Bytes expected = Digest(hash, AsBytes("abc"));
    for (int round = 0; round < 3; ++round) {
      Digester unfinished(hash), finished(hash);
      unfinished.Update(AsBytes("something else"));
      finished.Update(AsBytes("abc"));
      EXPECT_TRUE(Equal(finished.Final().view(), expected)) << Info(hash).ossl_name();
    }
  }
}

TEST(CryptoHash, ThreadsDigestAtATime) {
  const Bytes expected = Digest(Hash::Sha256, AsBytes("abc"));
  const auto work = [&expected] {
    for (int round = 0; round < 2000; ++round) {
      Digester digester(Hash::Sha256);
      digester.Update(AsBytes("abc"));
      EXPECT_TRUE(Equal(digester.Final().view(), expected));
    }
  };
  const std::jthread one(work), two(work), three(work);
}

TEST(CryptoHash, NoneIsNoHash) {
  EXPECT_THROW(Info(Hash::None), Error);
  EXPECT_THROW(Digest(Hash::None, {}), Error);
}

// The prefixes as OpenSSL writes them into a signature.
TEST(CryptoHash, PrefixesAreOpenssls) {
  const ossl::Pkey key = test::NewRsa(1024);
  for (Hash hash : kAllHashes) {
    const Bytes digest = Digest(hash, {});
    const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), key.get(), nullptr));
    ASSERT_EQ(EVP_PKEY_sign_init(context.get()), 1);
    ASSERT_EQ(EVP_PKEY_CTX_set_signature_md(context.get(), Fetched(hash)), 1);
    Bytes signature(128);
    size_t size = signature.size();
    ASSERT_EQ(EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()),
              1);
    const tpm::RsaPublic numbers = test::RsaPublicOf(key);
    const Bytes em = test::PowerMod(signature, numbers.exponent, numbers.modulus);
    const Bytes info = Concat({Info(hash).digest_info_prefix, digest});
    EXPECT_TRUE(Equal(ByteView(em).last(info.size()), info)) << Info(hash).ossl_name();
  }
}

TEST(CryptoHash, ParseDigestInfoIsStrict) {
  for (Hash hash : kAllHashes) {
    Bytes info = Concat({Info(hash).digest_info_prefix, Digest(hash, {})});
    auto parsed = ParseDigestInfo(info);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->first, hash);
    EXPECT_TRUE(Equal(parsed->second, Digest(hash, {})));
    for (size_t i = 0; i < Info(hash).digest_info_prefix.size(); ++i) {
      Bytes changed = info;
      changed[i] ^= 0x40;
      EXPECT_FALSE(ParseDigestInfo(changed));
    }
    EXPECT_FALSE(ParseDigestInfo(ByteView(info).first(info.size() - 1)));
    info.push_back(0);
    EXPECT_FALSE(ParseDigestInfo(info));
  }
  EXPECT_FALSE(ParseDigestInfo({}));
}

}  // namespace
}  // namespace keyscope::crypto
