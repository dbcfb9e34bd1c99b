#include "tests/bench/population.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>

namespace keyscope::bench {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

template <typename Thing>
Bytes Der(const Thing* thing, int (*encode)(const Thing*, unsigned char**)) {
  unsigned char* der = nullptr;
  const int size = encode(thing, &der);
  if (size <= 0) throw std::runtime_error("OpenSSL does not encode");
  Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

// A template whose values are those of the call's arguments.
class Template {
 public:
  template <typename Value>
  void Add(CK_ATTRIBUTE_TYPE type, Value value) {
    const auto* first = reinterpret_cast<const uint8_t*>(&value);
    Add(type, Bytes(first, first + sizeof value));
  }
  void Add(CK_ATTRIBUTE_TYPE type, Bytes value) {
    values_.push_back(std::move(value));
    list_.push_back({type, values_.back().data(), values_.back().size()});
  }
  CK_ATTRIBUTE* data() { return list_.data(); }
  CK_ULONG size() const { return list_.size(); }

 private:
  std::vector<Bytes> values_;  // moving them leaves their contents in place
  std::vector<CK_ATTRIBUTE> list_;
};

constexpr CK_BBOOL kYes = CK_TRUE, kNo = CK_FALSE;
constexpr CK_OBJECT_CLASS kClasses[] = {CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_SECRET_KEY};

}  // namespace

Bytes IdOf(uint32_t number) {
  return {static_cast<uint8_t>(number >> 24), static_cast<uint8_t>(number >> 16),
          static_cast<uint8_t>(number >> 8), static_cast<uint8_t>(number)};
}

std::string LabelOf(uint32_t number) { return "object " + std::to_string(number); }

Population::Population() {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_EC_gen("P-256"));
  const std::unique_ptr<X509, Free> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 365L * 24 * 3600);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("bench"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_set_pubkey(certificate.get(), key.get());
  if (X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0)
    throw std::runtime_error("OpenSSL makes no certificate");
  certificate_ = Der<X509>(certificate.get(), i2d_X509);
  subject_ = Der<X509_NAME>(name, i2d_X509_NAME);
  unsigned char* point = nullptr;
  const size_t size = EVP_PKEY_get1_encoded_public_key(key.get(), &point);
  point_ = {0x04, static_cast<uint8_t>(size)};
  point_.insert(point_.end(), point, point + size);
  OPENSSL_free(point);
}

void Population::Make(const Client& client, CK_SESSION_HANDLE session, uint32_t number) const {
  const CK_OBJECT_CLASS object_class = kClasses[number % 4];
  const Bytes id = IdOf(number);
  Template wanted;
  wanted.Add(CKA_CLASS, object_class);
  wanted.Add(CKA_TOKEN, kYes);
  wanted.Add(CKA_PRIVATE, number % kSorts < 4 ? kNo : kYes);
  wanted.Add(CKA_LABEL, Copy(AsBytes(LabelOf(number))));
  if (object_class != CKO_DATA) wanted.Add(CKA_ID, id);
  switch (object_class) {
    case CKO_DATA:
      wanted.Add(CKA_VALUE, Bytes(64, 0x5a));
      break;
    case CKO_CERTIFICATE:
      wanted.Add(CKA_CERTIFICATE_TYPE, CK_CERTIFICATE_TYPE{CKC_X_509});
      wanted.Add(CKA_SUBJECT, subject_);
      wanted.Add(CKA_VALUE, certificate_);
      break;
    case CKO_PUBLIC_KEY:
      wanted.Add(CKA_KEY_TYPE, CK_KEY_TYPE{CKK_EC});
      wanted.Add(CKA_EC_PARAMS, Bytes{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07});
      wanted.Add(CKA_EC_POINT, point_);
      break;
    default:  // used in host memory, wherever the module has a choice
      wanted.Add(CKA_KEY_TYPE, CK_KEY_TYPE{CKK_GENERIC_SECRET});
      wanted.Add(CKA_SENSITIVE, kNo);
      wanted.Add(CKA_EXTRACTABLE, kYes);
      wanted.Add(CKA_VALUE, Bytes(32, 0x5a));
  }
  CK_OBJECT_HANDLE object = 0;
  Must(client->C_CreateObject(session, wanted.data(), wanted.size(), &object), "C_CreateObject");
}

}  // namespace keyscope::bench
