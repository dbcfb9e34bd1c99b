// Keys of the double: made, wrapped, kept in files.
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

struct Algorithm {
  const wchar_t* name;
  const char* group;      // nullptr: RSA
  uint16_t curve;         // TPM_ECC_CURVE
  size_t field;           // bytes
  uint32_t public_magic;  // of its BCRYPT_ECCKEY_BLOB
};
// P-521 is what this TPM does not have.
constexpr Algorithm kAlgorithms[] = {
    {L"RSA", nullptr, 0, 0, 0},
    {L"ECDSA_P256", "P-256", 3, 32, BCRYPT_ECDSA_PUBLIC_P256_MAGIC},
    {L"ECDSA_P384", "P-384", 4, 48, BCRYPT_ECDSA_PUBLIC_P384_MAGIC},
    {L"ECDH_P256", "P-256", 3, 32, BCRYPT_ECDH_PUBLIC_P256_MAGIC},
    {L"ECDH_P384", "P-384", 4, 48, BCRYPT_ECDH_PUBLIC_P384_MAGIC},
};

const Algorithm* Find(const std::wstring& name) {
  for (const Algorithm& one : kAlgorithms)
    if (name == one.name) return &one;
  return nullptr;
}

// TPMA_OBJECT: fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth
constexpr uint32_t kAttributes = 0x00000072, kRestricted = 0x00010000, kDecrypt = 0x00020000,
                   kSign = 0x00040000;

Bytes Number(const EVP_PKEY& pkey, const char* name, size_t size = 0) {
  BIGNUM* number = nullptr;
  Require(EVP_PKEY_get_bn_param(&pkey, name, &number) == 1, kBadData);
  Bytes bytes(size != 0 ? size : static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size()));
  BN_free(number);
  return bytes;
}

Bytes AreaOf(const Key& key) {
  Bytes parameters;
  Put(parameters, 0x0010, 2);  // symmetric
  if (key.identity()) {
    Put(parameters, 0x0014, 2);
    Put(parameters, key.scheme_hash, 2);
  } else {
    Put(parameters, 0x0010, 2);
  }
  uint32_t attributes = kAttributes;
  if ((key.usage & NCRYPT_PCP_SIGNATURE_KEY) != 0) attributes |= kSign;
  if ((key.usage & NCRYPT_PCP_ENCRYPTION_KEY) != 0) attributes |= kDecrypt;
  if (key.identity()) attributes |= kSign | kRestricted;
  if (key.rsa()) return AreaOfRsa(*key.pkey, attributes, {}, parameters);
  const Algorithm& algorithm = *Find(key.algorithm);
  const bool agrees = key.algorithm.starts_with(L"ECDH");
  Bytes area;
  Put(area, 0x0023000B, 4);
  Put(area, kAttributes | (agrees ? kDecrypt : kSign), 4);
  Put(area, 0, 2);
  Put(area, 0x00100010, 4);
  Put(area, algorithm.curve, 2);
  Put(area, 0x0010, 2);
  PutSized(area, Number(*key.pkey, OSSL_PKEY_PARAM_EC_PUB_X, algorithm.field));
  PutSized(area, Number(*key.pkey, OSSL_PKEY_PARAM_EC_PUB_Y, algorithm.field));
  return area;
}

// The statement of an AK's birth, as PCP_TPM12_IDBINDING has it.
Bytes BindingOf(const Key& key) {
  Bytes creation_data;
  Put(creation_data, 0, 4);  // no PCRs
  PutSized(creation_data, {});
  Put(creation_data, 1, 1);       // locality 0
  Put(creation_data, 0x000B, 2);  // parentNameAlg
  PutSized(creation_data, NameOf(StorageRootArea()));
  PutSized(creation_data, NameOf(StorageRootArea()));
  PutSized(creation_data, {});  // outsideInfo: the provider sets none
  Bytes attest;
  Put(attest, 0xff544347, 4);
  Put(attest, 0x801A, 2);
  PutSized(attest, NameOf(key.area));
  PutSized(attest, key.id_nonce);
  attest.resize(attest.size() + 8 + 4 + 4 + 1 + 8);
  PutSized(attest, NameOf(key.area));
  PutSized(attest, Digest("SHA256", creation_data));
  Bytes binding;
  PutSized(binding, key.area);
  PutSized(binding, creation_data);
  PutSized(binding, attest);
  return Join({binding, SignStatement(key, attest)});
}

Bytes Sensitive(const Key& key) {
  uint8_t* der = nullptr;
  const int size = i2d_PrivateKey(key.pkey.get(), &der);
  Bytes sensitive;
  PutSized(sensitive, Bytes(key.algorithm.begin(), key.algorithm.end()));
  Put(sensitive, key.usage, 4);
  Put(sensitive, key.scheme_hash, 4);
  Put(sensitive, key.bits, 4);
  PutSized(sensitive, key.auth);
  PutSized(sensitive, Bytes(der, der + size));
  OPENSSL_free(der);
  return sensitive;
}

void LoadSensitive(Key& key, const Bytes& sensitive) {
  Cursor cursor{sensitive};
  const Bytes algorithm = cursor.Sized();
  key.algorithm.assign(algorithm.begin(), algorithm.end());
  key.usage = cursor.Number(4);
  key.scheme_hash = cursor.Number(4);
  key.bits = cursor.Number(4);
  key.auth = cursor.Sized();
  const Bytes der = cursor.Sized();
  const uint8_t* at = der.data();
  key.pkey.reset(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(der.size())));
  Require(key.pkey != nullptr, kTpmIntegrity);
  key.finalized = true;
}

uint32_t LittleEndian(const Bytes& bytes, size_t at) {
  uint32_t number = 0;
  for (int i = 3; i >= 0; --i) number = number << 8 | bytes[at + static_cast<size_t>(i)];
  return number;
}

void PutLittleEndian(Bytes& to, uint32_t number) {
  for (int i = 0; i < 4; ++i) to.push_back(static_cast<uint8_t>(number >> (8 * i)));
}

constexpr size_t kPcpHeader = 13 * 4;  // PCP_KEY_BLOB_WIN8

struct Context {
  EVP_PKEY_CTX* context;
  explicit Context(EVP_PKEY* key) : context(EVP_PKEY_CTX_new(key, nullptr)) {}
  ~Context() { EVP_PKEY_CTX_free(context); }
};

const EVP_MD* Md(const char* hash) { return EVP_get_digestbyname(hash); }

}  // namespace

size_t Key::field() const { return Find(algorithm)->field; }
bool KnowsAlgorithm(const std::wstring& algorithm) { return Find(algorithm) != nullptr; }

Bytes NameOf(const Bytes& area) { return Join({Bytes{0x00, 0x0B}, Digest("SHA256", area)}); }

Bytes AreaOfRsa(const EVP_PKEY& pkey, uint32_t attributes, const Bytes& policy,
                const Bytes& parameters) {
  const Bytes modulus = Number(pkey, OSSL_PKEY_PARAM_RSA_N);
  Bytes area;
  Put(area, 0x0001000B, 4);
  Put(area, attributes, 4);
  PutSized(area, policy);
  area = Join({area, parameters});
  Put(area, modulus.size() * 8, 2);
  Put(area, 0, 4);
  PutSized(area, modulus);
  return area;
}

void Generate(Key& key) {
  const Algorithm& algorithm = *Find(key.algorithm);
  key.pkey.reset(key.rsa() ? EVP_RSA_gen(key.bits) : EVP_EC_gen(algorithm.group));
  key.area = AreaOf(key);
  key.presented = key.auth;
  Bytes area;
  PutSized(area, key.area);
  key.wrapped = Protect(area, Sensitive(key));
  if (key.identity()) key.id_binding = BindingOf(key);
  key.finalized = true;
}

Bytes OpaqueOf(const Key& key) {
  Bytes area, wrapped, blob;
  PutSized(area, key.area);
  PutSized(wrapped, key.wrapped);
  PutLittleEndian(blob, 0x4D504350);
  PutLittleEndian(blob, kPcpHeader);
  PutLittleEndian(blob, 2);
  PutLittleEndian(blob, key.auth.empty() ? 0 : 1);  // authRequired
  PutLittleEndian(blob, static_cast<uint32_t>(area.size()));
  PutLittleEndian(blob, static_cast<uint32_t>(wrapped.size()));
  blob.resize(kPcpHeader);
  return Join({blob, area, wrapped});
}

void LoadOpaque(Key& key, const Bytes& opaque) {
  Require(opaque.size() > kPcpHeader && LittleEndian(opaque, 0) == 0x4D504350 &&
              LittleEndian(opaque, 4) == kPcpHeader && LittleEndian(opaque, 8) == 2,
          kBadData);
  Cursor cursor{opaque};
  cursor.Take(kPcpHeader);
  const Bytes area = cursor.Take(LittleEndian(opaque, 16));
  const Bytes wrapped = cursor.Take(LittleEndian(opaque, 20));
  Require(cursor.Rest().empty(), kBadData);
  Cursor of_area{area}, of_wrapped{wrapped};
  key.area = of_area.Sized();
  key.wrapped = of_wrapped.Sized();
  Require(of_area.Rest().empty() && of_wrapped.Rest().empty(), kBadData);
  LoadSensitive(key, Unprotect(area, key.wrapped));
}

void Persist(const Key& key) {
  Bytes content, name;
  for (wchar_t letter : key.name) Put(name, letter, 2);
  PutSized(content, name);
  PutSized(content, OpaqueOf(key));
  PutSized(content, key.id_binding);
  WriteFile(KeyFile(key.name, key.machine), content);
}

void LoadFile(Key& key, const Bytes& content) try {
  Cursor cursor{content};
  cursor.Sized();
  LoadOpaque(key, cursor.Sized());
  key.id_binding = cursor.Sized();
} catch (const Failure& failure) {
  // A file that does not decode is no key.
  throw Failure{failure.status == kBadData ? kBadKeyset : failure.status};
}

Bytes PublicBlob(const EVP_PKEY& pkey) {
  Bytes blob;
  if (EVP_PKEY_is_a(&pkey, "RSA")) {
    const Bytes modulus = Number(pkey, OSSL_PKEY_PARAM_RSA_N),
                exponent = Number(pkey, OSSL_PKEY_PARAM_RSA_E);
    for (size_t part : {size_t{BCRYPT_RSAPUBLIC_MAGIC}, modulus.size() * 8, exponent.size(),
                        modulus.size(), size_t{0}, size_t{0}})
      PutLittleEndian(blob, static_cast<uint32_t>(part));
    return Join({blob, exponent, modulus});
  }
  const size_t field = static_cast<size_t>(EVP_PKEY_get_bits(&pkey) + 7) / 8;
  PutLittleEndian(blob,
                  field == 32 ? BCRYPT_ECDH_PUBLIC_P256_MAGIC : BCRYPT_ECDH_PUBLIC_P384_MAGIC);
  PutLittleEndian(blob, static_cast<uint32_t>(field));
  return Join({blob, Number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, field),
               Number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, field)});
}

Pkey PublicFromEcBlob(const Bytes& blob, std::wstring& algorithm) {
  Require(blob.size() > 8, kInvalidParameter);
  const Algorithm* found = nullptr;
  for (const Algorithm& one : kAlgorithms)
    if (one.group != nullptr && one.public_magic == LittleEndian(blob, 0)) found = &one;
  Require(found != nullptr && LittleEndian(blob, 4) == found->field &&
              blob.size() == 8 + 2 * found->field,
          kInvalidParameter);
  algorithm = found->name;
  Bytes point(blob.begin() + 7, blob.end());
  point[0] = 4;
  OSSL_PARAM_BLD* builder = OSSL_PARAM_BLD_new();
  OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, found->group, 0);
  OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  OSSL_PARAM* parameters = OSSL_PARAM_BLD_to_param(builder);
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
  EVP_PKEY* made = nullptr;
  EVP_PKEY_fromdata_init(context);
  const bool ok = EVP_PKEY_fromdata(context, &made, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
  EVP_PKEY_CTX_free(context);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  Pkey key(made);
  Require(ok, kInvalidParameter);
  const Context check(key.get());
  Require(EVP_PKEY_public_check(check.context) == 1, kInvalidParameter);
  return key;
}

Bytes SignHash(const Key& key, const char* hash, const Bytes& digest, bool pss) {
  const Context sign(key.pkey.get());
  EVP_PKEY_sign_init(sign.context);
  if (key.rsa()) {
    EVP_PKEY_CTX_set_rsa_padding(sign.context, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    if (pss) EVP_PKEY_CTX_set_rsa_pss_saltlen(sign.context, RSA_PSS_SALTLEN_DIGEST);
  }
  if (hash != nullptr) EVP_PKEY_CTX_set_signature_md(sign.context, Md(hash));
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key.pkey.get())));
  size_t size = signature.size();
  Require(EVP_PKEY_sign(sign.context, signature.data(), &size, digest.data(), digest.size()) == 1,
          kInvalidParameter);
  signature.resize(size);
  if (key.rsa()) return signature;
  const uint8_t* at = signature.data();
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size));
  const size_t field = key.field();
  Bytes joined(2 * field);
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), joined.data(), static_cast<int>(field));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), joined.data() + field, static_cast<int>(field));
  ECDSA_SIG_free(pair);
  return joined;
}

Bytes SignStatement(const Key& key, const Bytes& attest) {
  const char* hash = key.scheme_hash == 0x000B ? "SHA256" : "SHA1";
  Bytes signature;
  Put(signature, 0x0014, 2);
  Put(signature, key.scheme_hash, 2);
  PutSized(signature, SignHash(key, hash, Digest(hash, attest), false));
  return signature;
}

Bytes Crypt(const Key& key, bool encrypt, bool oaep, const char* hash, const Bytes& input) {
  const Context work(key.pkey.get());
  if (encrypt)
    EVP_PKEY_encrypt_init(work.context);
  else
    EVP_PKEY_decrypt_init(work.context);
  EVP_PKEY_CTX_set_rsa_padding(work.context, oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING);
  if (oaep) EVP_PKEY_CTX_set_rsa_oaep_md(work.context, Md(hash));
  Bytes output(static_cast<size_t>(EVP_PKEY_get_size(key.pkey.get())));
  size_t size = output.size();
  const auto run = encrypt ? EVP_PKEY_encrypt : EVP_PKEY_decrypt;
  Require(run(work.context, output.data(), &size, input.data(), input.size()) == 1, kTpmValue);
  output.resize(size);
  return output;
}

Bytes SharedX(const Key& key, const Key& peer) {
  const Context derive(key.pkey.get());
  Bytes x(key.field());
  size_t size = x.size();
  Require(EVP_PKEY_derive_init(derive.context) == 1 &&
              EVP_PKEY_derive_set_peer(derive.context, peer.pkey.get()) == 1 &&
              EVP_PKEY_derive(derive.context, x.data(), &size) == 1,
          kInvalidParameter);
  return x;
}

}  // namespace keyscope::ncrypt_double
