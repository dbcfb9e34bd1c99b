#include "cli/key_file.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/pem.h>

#include <algorithm>
#include <exception>

#include "base/ossl.h"
#include "cli/error.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

using Bio = std::unique_ptr<BIO, ossl::Deleter<BIO_free>>;
using Decoder = std::unique_ptr<OSSL_DECODER_CTX, ossl::Deleter<OSSL_DECODER_CTX_free>>;

// What OpenSSL's callback needs, and what became of it.
struct Asking {
  const Passphrase& passphrase;
  bool missing = false;
  std::exception_ptr error = nullptr;  // none may pass through OpenSSL
};

int GivePassphrase(char* buffer, int size, int, void* asking) {
  auto& ask = *static_cast<Asking*>(asking);
  try {
    const auto given = ask.passphrase();
    if (given && given->size() <= static_cast<size_t>(size)) {
      std::ranges::copy(given->view(), buffer);
      return static_cast<int>(given->size());
    }
    ask.missing = !given;
  } catch (...) {
    ask.error = std::current_exception();
  }
  return -1;
}

EVP_PKEY* ReadDer(BIO* file, Asking& ask) {
  EVP_PKEY* key = nullptr;
  const Decoder decoder(OSSL_DECODER_CTX_new_for_pkey(
      &key, "DER", nullptr, nullptr, OSSL_KEYMGMT_SELECT_PRIVATE_KEY, ossl::Context(), nullptr));
  OSSL_DECODER_CTX_set_pem_password_cb(decoder.get(), GivePassphrase, &ask);
  OSSL_DECODER_from_bio(decoder.get(), file);
  return key;
}

ossl::Pkey Read(ByteView contents, const Passphrase& passphrase) {
  const Bio file(BIO_new_mem_buf(contents.data(), static_cast<int>(contents.size())));
  Asking ask{passphrase};
  const bool pem = AsStringView(contents).find("-----BEGIN ") != std::string_view::npos;
  // Passes over what other blocks are in the file, such as certificates.
  ossl::Pkey key(pem ? PEM_read_bio_PrivateKey_ex(file.get(), nullptr, GivePassphrase, &ask,
                                                  ossl::Context(), nullptr)
                     : ReadDer(file.get(), ask));
  const std::string why = ossl::TakeError();
  if (ask.error) std::rethrow_exception(ask.error);
  if (ask.missing) throw UsageError(kNoPassphrase);
  if (key == nullptr)
    throw Failure("the file holds no private key that can be read, or the passphrase is wrong: " +
                  why);
  return key;
}

// Big-endian; nullopt when the key has no such number.
std::optional<SecretBytes> Number(const EVP_PKEY& key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &number) != 1) return std::nullopt;
  const ossl::Bn owned(number);
  SecretBytes bytes(static_cast<size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  return bytes;
}

struct NumberRow {
  CK_ATTRIBUTE_TYPE type;
  const char* name;
};

void AddRsa(Attributes& to, const EVP_PKEY& key) {
  static constexpr NumberRow kNumbers[] = {
      {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N},          {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E},
      {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D}, {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1},
      {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2},
  };
  if (Number(key, OSSL_PKEY_PARAM_RSA_FACTOR3))
    throw Failure("the RSA key has more than two primes, and TPMs have no such keys");
  to.AddUlong(CKA_KEY_TYPE, CKK_RSA);
  for (const NumberRow& row : kNumbers)
    if (const auto number = Number(key, row.name)) to.Add(row.type, number->view());
}

void AddEc(Attributes& to, const EVP_PKEY& key) {
  char group[64] = "";
  size_t size = 0;
  if (EVP_PKEY_get_group_name(&key, group, sizeof group, &size) != 1)
    throw Failure("the EC key's curve has no name, and TPMs have only curves that have one");
  const char* nist_name = EC_curve_nid2nist(OBJ_sn2nid(group));
  const Bytes params = CurveParams(nist_name == nullptr ? "" : nist_name);
  if (params.empty())
    throw Failure(std::string("the EC key is on ") + group +
                  ", and Keyscope has P-256, P-384 and P-521");
  to.AddUlong(CKA_KEY_TYPE, CKK_EC).Add(CKA_EC_PARAMS, ByteView(params));
  if (const auto scalar = Number(key, OSSL_PKEY_PARAM_PRIV_KEY)) to.Add(CKA_VALUE, scalar->view());
}

void CheckPair(EVP_PKEY& key) {
  const ossl::PkeyCtx context(EVP_PKEY_CTX_new_from_pkey(ossl::Context(), &key, nullptr));
  if (EVP_PKEY_pairwise_check(context.get()) == 1) return;
  throw Failure("the key's private and public halves do not belong together: " + ossl::TakeError());
}

}  // namespace

void AddPrivateKey(Attributes& key, ByteView contents, const Passphrase& passphrase) {
  const ossl::Pkey read = Read(contents, passphrase);
  const bool rsa = EVP_PKEY_is_a(read.get(), "RSA") == 1;
  if (!rsa && EVP_PKEY_is_a(read.get(), "EC") != 1)
    throw Failure(std::string("TPMs have RSA and EC keys, and this one is ") +
                  EVP_PKEY_get0_type_name(read.get()));
  CheckPair(*read);
  if (rsa)
    AddRsa(key, *read);
  else
    AddEc(key, *read);
}

}  // namespace keyscope::cli
