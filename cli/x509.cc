#include "cli/x509.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>

#include "cli/public_key.h"

namespace keyscope::cli {
namespace {

using StorePtr = std::unique_ptr<X509_STORE, ossl::Deleter<X509_STORE_free>>;
using StoreCtx = std::unique_ptr<X509_STORE_CTX, ossl::Deleter<X509_STORE_CTX_free>>;
using BioPtr = std::unique_ptr<BIO, ossl::Deleter<BIO_free>>;
using ObjectPtr = std::unique_ptr<ASN1_OBJECT, ossl::Deleter<ASN1_OBJECT_free>>;
using Usages = std::unique_ptr<EXTENDED_KEY_USAGE, ossl::Deleter<EXTENDED_KEY_USAGE_free>>;
void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }
using Stack = std::unique_ptr<STACK_OF(X509), ossl::Deleter<FreeStack>>;

std::string TextOf(const X509_NAME* name) {
  const BioPtr text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : "";
}

}  // namespace

X509Ptr ParseX509(ByteView der) {
  X509Ptr certificate(X509_new_ex(ossl::Context(), nullptr));
  const uint8_t* at = der.data();
  X509* place = certificate.get();
  const bool good = d2i_X509(&place, &at, static_cast<long>(der.size())) != nullptr;
  ossl::TakeError();
  if (good) return certificate;
  static_cast<void>(certificate.release());  // d2i frees what it was given
  return nullptr;
}

Bytes SubjectOf(const X509& certificate) {
  const uint8_t* der = nullptr;
  size_t size = 0;
  if (X509_NAME_get0_der(X509_get_subject_name(&certificate), &der, &size) != 1) return {};
  return {der, der + size};
}

Bytes SpkiOf(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  ossl::TakeError();
  return key == nullptr ? Bytes() : ToSpki(*key);
}

Bytes Sha1Of(const X509& certificate) {
  Bytes digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  X509_digest(&certificate, ossl::Digest("SHA1"), digest.data(), &size);
  digest.resize(size);
  return digest;
}

std::string SerialOf(const X509& certificate) {
  const ossl::Bn number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr));
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes.empty() ? "00" : Hex(bytes);
}

std::string IssuerTextOf(const X509& certificate) {
  return TextOf(X509_get_issuer_name(&certificate));
}

std::string SubjectTextOf(const X509& certificate) {
  return TextOf(X509_get_subject_name(&certificate));
}

std::string IssuerNameOf(const X509& certificate) {
  std::array<char, 256> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_issuer_name(&certificate), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  return size > 0 ? name.data() : "";
}

std::string NotAfterOf(const X509& certificate) {
  tm time{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(&certificate), &time) != 1) return "";
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time);
  return text.data();
}

bool HasExpired(const X509& certificate) {
  return X509_cmp_current_time(X509_get0_notAfter(&certificate)) < 0;
}

bool MaySign(const X509& certificate) {
  return (X509_get_key_usage(const_cast<X509*>(&certificate)) & KU_DIGITAL_SIGNATURE) != 0;
}

std::optional<bool> IsForAk(const X509& certificate) {
  const Usages usages(static_cast<EXTENDED_KEY_USAGE*>(
      X509_get_ext_d2i(&certificate, NID_ext_key_usage, nullptr, nullptr)));
  ossl::TakeError();
  if (usages == nullptr) return std::nullopt;
  const ObjectPtr wanted(OBJ_txt2obj("2.23.133.8.3", 1));
  bool for_any = false;
  for (int i = 0; i < sk_ASN1_OBJECT_num(usages.get()); ++i) {
    const ASN1_OBJECT* usage = sk_ASN1_OBJECT_value(usages.get(), i);
    if (OBJ_cmp(usage, wanted.get()) == 0) return true;
    for_any |= OBJ_obj2nid(usage) == NID_anyExtendedKeyUsage;
  }
  return for_any ? std::nullopt : std::optional(false);
}

std::string WhyNotIssuedBy(const std::vector<Bytes>& chain, const std::vector<Bytes>& trusted) {
  const StorePtr store(X509_STORE_new());
  for (const Bytes& der : trusted)
    if (const X509Ptr ca = ParseX509(der)) X509_STORE_add_cert(store.get(), ca.get());
  // An issuer that is trusted need not be a root.
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  const Stack others(sk_X509_new_null());
  for (size_t i = 1; i < chain.size(); ++i)
    if (X509Ptr one = ParseX509(chain[i])) sk_X509_push(others.get(), one.release());
  const X509Ptr leaf = ParseX509(chain.front());
  if (leaf == nullptr) return "it does not decode";
  const StoreCtx context(X509_STORE_CTX_new_ex(ossl::Context(), nullptr));
  X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), others.get());
  // That a certificate is for an AK is no purpose that OpenSSL knows.
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_ANY);
  // 112 bits, as of the keys themselves: no RSA below 2048 bits, no SHA-1.
  X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(context.get()), 2);
  const bool good = X509_verify_cert(context.get()) == 1;
  ossl::TakeError();
  return good ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

}  // namespace keyscope::cli
