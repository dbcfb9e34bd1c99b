#include "token/parameters.h"

#include <cstring>

#include "p11/keyscope.h"
#include "token/crypto/cipher.h"
#include "token/crypto/hash.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

using enum tpm::Hash;

[[noreturn]] void RefuseParameters(const char* why, Where where = Where::Here()) {
  Refuse(CKR_MECHANISM_PARAM_INVALID, why, where);
}

// A copy: the caller's structure need not be aligned, nor stay as it is while it is read.
template <typename Parameters>
Parameters Read(const void* given, CK_ULONG size) {
  Parameters parameters;
  if (given == nullptr || size != sizeof parameters)
    RefuseParameters("the mechanism's parameter, or a part of it, has the wrong size");
  std::memcpy(&parameters, given, sizeof parameters);
  return parameters;
}
template <typename Parameters>
Parameters Read(const CK_MECHANISM& mechanism) {
  return Read<Parameters>(mechanism.pParameter, mechanism.ulParameterLen);
}

ByteView Part(const void* data, CK_ULONG size) {
  if ((data == nullptr && size != 0) || size > kMaxLength)
    RefuseParameters(
        "a NULL pointer with a length, or an absurd length, in the mechanism's parameter");
  return {static_cast<const uint8_t*>(data), size};
}

struct HashRow {
  CK_MECHANISM_TYPE mechanism, hmac;
  CK_RSA_PKCS_MGF_TYPE mgf;
  tpm::Hash hash;
};
constexpr HashRow kHashes[] = {
    {CKM_SHA_1, CKM_SHA_1_HMAC, CKG_MGF1_SHA1, Sha1},
    {CKM_SHA224, CKM_SHA224_HMAC, CKG_MGF1_SHA224, Sha224},
    {CKM_SHA256, CKM_SHA256_HMAC, CKG_MGF1_SHA256, Sha256},
    {CKM_SHA384, CKM_SHA384_HMAC, CKG_MGF1_SHA384, Sha384},
    {CKM_SHA512, CKM_SHA512_HMAC, CKG_MGF1_SHA512, Sha512},
    {CKM_SHA3_224, CKM_SHA3_224_HMAC, CKG_MGF1_SHA3_224, Sha3_224},
    {CKM_SHA3_256, CKM_SHA3_256_HMAC, CKG_MGF1_SHA3_256, Sha3_256},
    {CKM_SHA3_384, CKM_SHA3_384_HMAC, CKG_MGF1_SHA3_384, Sha3_384},
    {CKM_SHA3_512, CKM_SHA3_512_HMAC, CKG_MGF1_SHA3_512, Sha3_512},
};

tpm::Hash HashOf(CK_MECHANISM_TYPE mechanism) {
  for (const HashRow& row : kHashes)
    if (row.mechanism == mechanism) return row.hash;
  RefuseParameters("unknown hash algorithm");
}

tpm::Hash HmacOf(CK_MECHANISM_TYPE prf) {
  for (const HashRow& row : kHashes)
    if (row.hmac == prf) return row.hash;
  RefuseParameters("unknown pseudorandom function");
}

tpm::Hash MgfOf(CK_RSA_PKCS_MGF_TYPE mgf) {
  for (const HashRow& row : kHashes)
    if (row.mgf == mgf) return row.hash;
  RefuseParameters("unknown mask generation function");
}

// The width of a number in whole bytes.
unsigned BytesOfWidth(CK_ULONG bits, CK_ULONG most) {
  if (bits == 0 || bits % 8 != 0 || bits > most)
    RefuseParameters("a number of a width that there is not");
  return static_cast<unsigned>(bits / 8);
}

// [L]_2 of SP 800-108: the length of all that is derived, in bits.
Bytes KeyLength(const CK_SP800_108_DKM_LENGTH_FORMAT& format, size_t size, size_t segment) {
  const unsigned width = BytesOfWidth(format.ulWidthInBits, 64);
  if (format.dkmLengthMethod == CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS)
    size = (size + segment - 1) / segment * segment;
  else if (format.dkmLengthMethod != CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS)
    RefuseParameters("unknown way to count the length of the keys");
  uint64_t bits = uint64_t{8} * size;
  Bytes little_endian;
  for (unsigned i = 0; i < width; ++i, bits >>= 8)
    little_endian.push_back(static_cast<uint8_t>(bits));
  if (bits != 0) RefuseParameters("the length of the keys does not fit its width");
  if (format.bLittleEndian) return little_endian;
  return {little_endian.rbegin(), little_endian.rend()};
}

}  // namespace

void NoParameters(const CK_MECHANISM& mechanism) {
  if (mechanism.ulParameterLen != 0) RefuseParameters("the mechanism takes no parameter");
}

PssParameters PssOf(const CK_MECHANISM& mechanism, tpm::Hash hash, size_t modulus_bits) {
  const auto given = Read<CK_RSA_PKCS_PSS_PARAMS>(mechanism);
  const PssParameters pss{HashOf(given.hashAlg), MgfOf(given.mgf), given.sLen};
  if (hash != None && pss.hash != hash)
    RefuseParameters("the parameter names another hash than the mechanism");
  const size_t encoded = (modulus_bits - 1 + 7) / 8, digest = crypto::Info(pss.hash).size();
  if (encoded < digest + 2 || pss.salt > encoded - digest - 2)
    RefuseParameters("the salt does not fit the key");
  return pss;
}

OaepParameters OaepOf(const CK_MECHANISM& mechanism) {
  const auto given = Read<CK_RSA_PKCS_OAEP_PARAMS>(mechanism);
  const ByteView label = Part(given.pSourceData, given.ulSourceDataLen);
  if (given.source != CKZ_DATA_SPECIFIED && (given.source != 0 || !label.empty()))
    RefuseParameters("unknown source of the encoding parameter");
  return {HashOf(given.hashAlg), MgfOf(given.mgf), Copy(label)};
}

CipherParameters IvOf(const CK_MECHANISM& mechanism, size_t size) {
  const ByteView iv = Part(mechanism.pParameter, mechanism.ulParameterLen);
  if (iv.size() != size) RefuseParameters("the IV has the wrong size");
  CipherParameters parameters;
  parameters.iv = Copy(iv);
  return parameters;
}

CipherParameters CtrOf(const CK_MECHANISM& mechanism) {
  const auto given = Read<CK_AES_CTR_PARAMS>(mechanism);
  if (given.ulCounterBits == 0 || given.ulCounterBits > 128)
    RefuseParameters("a counter has 1 to 128 bits");
  CipherParameters parameters;
  parameters.iv = Copy(given.cb);
  parameters.counter_bits = static_cast<unsigned>(given.ulCounterBits);
  return parameters;
}

CipherParameters GcmOf(const CK_MECHANISM& mechanism) {
  const auto given = Read<GcmParams>(mechanism);
  const ByteView iv = Part(given.pIv, given.ulIvLen), aad = Part(given.pAAD, given.ulAADLen);
  if (iv.empty()) RefuseParameters("GCM needs an IV");
  if (given.ulTagBits % 8 != 0 || given.ulTagBits < 32 || given.ulTagBits > 128)
    RefuseParameters("a GCM tag has 32 to 128 bits, in whole bytes");
  CipherParameters parameters;
  parameters.iv = Copy(iv);
  parameters.aad = Copy(aad);
  parameters.tag_size = given.ulTagBits / 8;
  return parameters;
}

Bytes OptionalIvOf(const CK_MECHANISM& mechanism, size_t size) {
  if (mechanism.ulParameterLen == 0) return {};
  return IvOf(mechanism, size).iv;
}

size_t MacSizeOf(const CK_MECHANISM& mechanism, size_t largest) {
  const auto size = Read<CK_MAC_GENERAL_PARAMS>(mechanism);
  if (size == 0 || size > largest)
    RefuseParameters("an authentication code of a length that there is not");
  return size;
}

EcdhParameters EcdhOf(const CK_MECHANISM& mechanism) {
  struct Row {
    CK_EC_KDF_TYPE kdf;
    tpm::Hash hash;
  };
  static constexpr Row kKdfs[] = {
      {CKD_NULL, None},         {CKD_SHA1_KDF, Sha1},     {CKD_SHA224_KDF, Sha224},
      {CKD_SHA256_KDF, Sha256}, {CKD_SHA384_KDF, Sha384}, {CKD_SHA512_KDF, Sha512},
  };
  const auto given = Read<CK_ECDH1_DERIVE_PARAMS>(mechanism);
  const ByteView info = Part(given.pSharedData, given.ulSharedDataLen);
  const ByteView peer = Part(given.pPublicData, given.ulPublicDataLen);
  for (const Row& row : kKdfs)
    if (row.kdf == given.kdf) return {row.hash, Copy(info), Copy(peer)};
  RefuseParameters("unknown key derivation function");
}

HkdfParameters HkdfOf(const CK_MECHANISM& mechanism) {
  const auto given = Read<CK_HKDF_PARAMS>(mechanism);
  if (!given.bExtract && !given.bExpand)
    RefuseParameters("neither extract nor expand is asked for");
  HkdfParameters hkdf{given.bExtract != CK_FALSE,
                      given.bExpand != CK_FALSE,
                      HashOf(given.prfHashMechanism),
                      {},
                      Copy(Part(given.pInfo, given.ulInfoLen)),
                      {}};
  if (given.ulSaltType == CKF_HKDF_SALT_DATA)
    hkdf.salt = Copy(Part(given.pSalt, given.ulSaltLen));
  else if (given.ulSaltType == CKF_HKDF_SALT_KEY)
    hkdf.salt_key = given.hSaltKey;
  else if (given.ulSaltType != CKF_HKDF_SALT_NULL)
    RefuseParameters("the salt is none, data or a key");
  return hkdf;
}

CounterKdfParameters CounterKdfOf(const CK_MECHANISM& mechanism, size_t size) {
  constexpr CK_ULONG kMostParts = 64;
  const auto given = Read<CK_SP800_108_KDF_PARAMS>(mechanism);
  if (given.ulAdditionalDerivedKeys != 0)
    RefuseParameters("one key is derived in a call, not several");
  if (given.pDataParams == nullptr || given.ulNumberOfDataParams > kMostParts)
    RefuseParameters("no data for the KDF, or absurdly many");
  CounterKdfParameters kdf{};
  kdf.hash = given.prfType == CKM_AES_CMAC ? None : HmacOf(given.prfType);
  const size_t segment = kdf.hash == None ? crypto::kAesBlock : crypto::Info(kdf.hash).size();
  bool has_length = false;
  for (CK_ULONG i = 0; i < given.ulNumberOfDataParams; ++i) {
    CK_PRF_DATA_PARAM part;
    std::memcpy(&part, given.pDataParams + i, sizeof part);
    Bytes& to = kdf.counter_bytes == 0 ? kdf.before : kdf.after;
    if (part.type == CK_SP800_108_ITERATION_VARIABLE && kdf.counter_bytes == 0) {
      const auto format = Read<CK_SP800_108_COUNTER_FORMAT>(part.pValue, part.ulValueLen);
      kdf.counter_bytes = BytesOfWidth(format.ulWidthInBits, 32);
      kdf.little_endian = format.bLittleEndian != CK_FALSE;
    } else if (part.type == CK_SP800_108_DKM_LENGTH && !has_length) {
      const auto format = Read<CK_SP800_108_DKM_LENGTH_FORMAT>(part.pValue, part.ulValueLen);
      Append(to, KeyLength(format, size, segment));
      has_length = true;
    } else if (part.type == CK_SP800_108_BYTE_ARRAY) {
      Append(to, Part(part.pValue, part.ulValueLen));
    } else {
      RefuseParameters("data that counter mode does not take, or not twice");
    }
  }
  if (kdf.counter_bytes == 0) RefuseParameters("counter mode needs its iteration variable");
  return kdf;
}

CK_OBJECT_HANDLE CertifiedKeyOf(const CK_MECHANISM& mechanism) {
  return Read<CK_KEYSCOPE_CERTIFY_PARAMS>(mechanism).hKey;
}

QuoteParameters QuoteOf(const CK_MECHANISM& mechanism) {
  const auto given = Read<CK_KEYSCOPE_QUOTE_PARAMS>(mechanism);
  const tpm::Hash bank = HashOf(given.hashAlg);
  if (bank != Sha1 && bank != Sha256 && bank != Sha384 && bank != Sha512)
    RefuseParameters("PCR banks are those of SHA-1, SHA-256, SHA-384 and SHA-512");
  if (given.pcrSelect == 0 || given.pcrSelect >= CK_ULONG{1} << tpm::kPcrs)
    RefuseParameters("one or more of the PCRs 0 to 23 are quoted");
  return {bank, static_cast<uint32_t>(given.pcrSelect)};
}

tpm::EkType EndorsementKeyOf(const CK_MECHANISM& mechanism) {
  const CK_ULONG named = Read<CK_KEYSCOPE_ACTIVATE_PARAMS>(mechanism).endorsementKey;
  if (named == CKK_RSA) return tpm::EkType::Rsa;
  if (named == CKK_EC) return tpm::EkType::Ec;
  for (tpm::EkType type : tpm::kEkTypes)
    if (named == static_cast<uint32_t>(type)) return type;
  RefuseParameters("an endorsement key is CKK_RSA, CKK_EC or the NV index of its certificate");
}

}  // namespace keyscope::token
