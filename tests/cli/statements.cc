#include "tests/cli/statements.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include <stdexcept>

namespace keyscope::test {
namespace {

void Put(Bytes& to, uint64_t number, size_t size) {
  while (size-- > 0) to.push_back(static_cast<uint8_t>(number >> (8 * size)));
}
void Put2b(Bytes& to, ByteView bytes) {
  Put(to, bytes.size(), 2);
  Append(to, bytes);
}

Bytes NumberOf(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) throw std::runtime_error(name);
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  BN_free(number);
  return bytes;
}

uint16_t CurveOf(const EVP_PKEY& key) {
  switch (EVP_PKEY_get_bits(&key)) {
    case 256:
      return 0x0003;
    case 384:
      return 0x0004;
    case 521:
      return 0x0005;
    default:
      return 0x0002;  // P-224
  }
}

void PutScheme(Bytes& to, uint16_t scheme, bool with) {
  Put(to, with ? scheme : 0x0010, 2);
  if (with) Put(to, 0x000B, 2);
}

}  // namespace

SoftwareKey RsaKey(uint32_t attributes, bool with_scheme, unsigned bits) {
  return {ossl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{bits})), true,
          kMade | attributes, with_scheme};
}

SoftwareKey EcKey(uint32_t attributes, bool with_scheme, const char* curve) {
  return {ossl::Pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve)), false, kMade | attributes,
          with_scheme};
}

Bytes SoftwareKey::PublicArea() const {
  Bytes area;
  Put(area, rsa ? 0x0001 : 0x0023, 2);
  Put(area, 0x000B, 2);
  Put(area, attributes, 4);
  Put2b(area, {});       // authPolicy
  Put(area, 0x0010, 2);  // symmetric: null
  PutScheme(area, rsa ? 0x0014 : 0x0018, with_scheme);
  if (rsa) {
    const Bytes modulus = NumberOf(*pkey, OSSL_PKEY_PARAM_RSA_N);
    Put(area, modulus.size() * 8, 2);
    Put(area, 0, 4);  // 65537
    Put2b(area, modulus);
  } else {
    Put(area, CurveOf(*pkey), 2);
    Put(area, 0x0010, 2);  // kdf: null
    Put2b(area, NumberOf(*pkey, OSSL_PKEY_PARAM_EC_PUB_X));
    Put2b(area, NumberOf(*pkey, OSSL_PKEY_PARAM_EC_PUB_Y));
  }
  return area;
}

Bytes SoftwareKey::Name() const {
  Bytes name;
  Put(name, 0x000B, 2);
  Append(name, Sha256(PublicArea()));
  return name;
}

Bytes SoftwareKey::Sign(const Bytes& data) const {
  const ossl::MdCtx context(EVP_MD_CTX_new());
  size_t size = 0;
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, pkey.get());
  EVP_DigestSign(context.get(), nullptr, &size, data.data(), data.size());
  Bytes raw(size);
  if (EVP_DigestSign(context.get(), raw.data(), &size, data.data(), data.size()) != 1)
    throw std::runtime_error("no signature");
  raw.resize(size);
  Bytes signature;
  Put(signature, rsa ? 0x0014 : 0x0018, 2);
  Put(signature, 0x000B, 2);
  if (rsa) {
    Put2b(signature, raw);
    return signature;
  }
  const uint8_t* at = raw.data();
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(raw.size()));
  for (const BIGNUM* number : {ECDSA_SIG_get0_r(pair), ECDSA_SIG_get0_s(pair)}) {
    Bytes bytes(static_cast<size_t>(BN_num_bytes(number)));
    BN_bn2bin(number, bytes.data());
    Put2b(signature, bytes);
  }
  ECDSA_SIG_free(pair);
  return signature;
}

Bytes MakeAttest(const AttestFields& fields) {
  Bytes attest;
  Put(attest, fields.magic, 4);
  Put(attest, fields.type, 2);
  Put2b(attest, Bytes(34, 7));  // qualifiedSigner
  Put2b(attest, fields.extra_data);
  Append(attest, Bytes(17, 1));  // clockInfo
  Append(attest, Bytes(8, 2));   // firmwareVersion
  Put2b(attest, fields.name);
  Put2b(attest, fields.second);
  return attest;
}

Bytes MakeQuote(const Bytes& extra_data, const Bytes& pcr_digest) {
  Bytes attest;
  Put(attest, 0xff544347, 4);
  Put(attest, 0x8018, 2);
  Put2b(attest, Bytes(34, 7));
  Put2b(attest, extra_data);
  Append(attest, Bytes(25, 1));
  Put(attest, 1, 4);  // one bank: SHA-256, PCRs 0 and 7
  Put(attest, 0x000B, 2);
  Append(attest, Bytes{3, 0x81, 0, 0});
  Put2b(attest, pcr_digest);
  return attest;
}

Bytes MakeCreationData(const std::string& outside_info) {
  Bytes data;
  Put(data, 0, 4);  // no PCRs
  Put2b(data, Sha256({}));
  data.push_back(1);  // locality
  Put(data, 0x000B, 2);
  Put2b(data, Bytes(34, 3));
  Put2b(data, Bytes(34, 4));
  Put2b(data, AsBytes(outside_info));
  return data;
}

Bytes Sha256(const Bytes& data) {
  Bytes digest(32);
  EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

cli::Evidence GoodAk(const SoftwareKey& ak, const std::string& outside_info) {
  cli::Evidence evidence;
  evidence.kind = cli::Evidence::Kind::Ak;
  evidence.ak.public_area = evidence.ak_public = ak.PublicArea();
  evidence.ak.creation_data = MakeCreationData(outside_info);
  const Bytes attest = MakeAttest({.type = 0x801A,
                                   .extra_data = {},
                                   .name = ak.Name(),
                                   .second = Sha256(evidence.ak.creation_data)});
  evidence.ak.creation = {attest, ak.Sign(attest)};
  return evidence;
}

cli::Evidence GoodKey(const SoftwareKey& ak, const SoftwareKey& key, const Bytes& nonce,
                      const std::string& outside_info) {
  cli::Evidence evidence = GoodAk(ak, outside_info);
  evidence.kind = cli::Evidence::Kind::Key;
  evidence.key.public_area = key.PublicArea();
  evidence.key.creation_data = MakeCreationData(outside_info);
  const Bytes certify =
      MakeAttest({.extra_data = nonce, .name = key.Name(), .second = Bytes(34, 9)});
  evidence.key.certify = {certify, ak.Sign(certify)};
  const Bytes creation = MakeAttest({.type = 0x801A,
                                     .extra_data = {},
                                     .name = key.Name(),
                                     .second = Sha256(evidence.key.creation_data)});
  evidence.key.creation = {creation, ak.Sign(creation)};
  return evidence;
}

}  // namespace keyscope::test
