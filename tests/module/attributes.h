// Templates and mechanisms for the tests: values that own what their C structures point to.
#pragma once

#include <initializer_list>
#include <memory>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "p11/cryptoki.h"

namespace keyscope::test {

// The C functions' pointers are to what they do not change.
inline CK_BYTE* Mutable(ByteView bytes) { return const_cast<CK_BYTE*>(bytes.data()); }
inline CK_BYTE* Mutable(std::string_view text) { return Mutable(AsBytes(text)); }

template <typename T>
Bytes BytesOf(const T& value) {
  const auto* first = reinterpret_cast<const uint8_t*>(&value);
  return {first, first + sizeof value};
}

class Attributes;

// One attribute: a bool becomes a CK_BBOOL, a number a CK_ULONG, attributes an array of
// CK_ATTRIBUTE, text and bytes stay what they are.
struct Attribute {
  Attribute(CK_ATTRIBUTE_TYPE t, const Attributes& v);
  template <typename T>
  Attribute(CK_ATTRIBUTE_TYPE t, const T& v) : type(t) {
    if constexpr (std::is_same_v<T, bool>) {
      value = BytesOf(static_cast<CK_BBOOL>(v ? CK_TRUE : CK_FALSE));
    } else if constexpr (std::is_integral_v<T>) {
      value = BytesOf(static_cast<CK_ULONG>(v));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      value = Copy(AsBytes(v));
    } else {
      value = Copy(ByteView(v));
    }
  }
  CK_ATTRIBUTE_TYPE type;
  Bytes value;
  std::shared_ptr<Attributes> nested;  // what the value's pointers point to
};

class Attributes {
 public:
  Attributes(std::initializer_list<Attribute> list = {}) : list_(list) {}
  // These attributes and more; the same type given again replaces the value.
  Attributes With(const Attributes& more) const {
    Attributes all = *this;
    for (const Attribute& one : more.list_) {
      all = all.Without(one.type);
      all.list_.push_back(one);
    }
    return all;
  }
  Attributes Without(CK_ATTRIBUTE_TYPE type) const {
    Attributes rest = *this;
    std::erase_if(rest.list_, [&](const Attribute& one) { return one.type == type; });
    return rest;
  }
  // As they are, also when a type is there already.
  void Add(Attribute one) { list_.push_back(std::move(one)); }

  CK_ATTRIBUTE* data() {
    raw_.clear();
    for (Attribute& one : list_) raw_.push_back({one.type, one.value.data(), one.value.size()});
    return raw_.data();
  }
  CK_ULONG size() const { return list_.size(); }

 private:
  std::vector<Attribute> list_;
  std::vector<CK_ATTRIBUTE> raw_;
};

inline Attribute::Attribute(CK_ATTRIBUTE_TYPE t, const Attributes& v)
    : type(t), nested(std::make_shared<Attributes>(v)) {
  const auto* first = reinterpret_cast<const uint8_t*>(nested->data());
  value.assign(first, first + nested->size() * sizeof(CK_ATTRIBUTE));
}

class Mechanism {
 public:
  Mechanism(CK_MECHANISM_TYPE type) : Mechanism(type, Bytes{}) {}
  // `owned`: what the parameter points to. Copies of a mechanism share it.
  using Owned = std::shared_ptr<const std::vector<Bytes>>;
  Mechanism(CK_MECHANISM_TYPE type, Bytes parameter, Owned owned = nullptr)
      : type_(type), parameter_(std::move(parameter)), owned_(std::move(owned)) {}

  CK_MECHANISM_TYPE type() const { return type_; }
  const Bytes& parameter() const { return parameter_; }
  // The same with another parameter.
  Mechanism With(Bytes parameter) const { return {type_, std::move(parameter), owned_}; }

  // Valid as long as this object, or until the next call.
  CK_MECHANISM* get() const {
    raw_ = {type_, parameter_.empty() ? nullptr : const_cast<uint8_t*>(parameter_.data()),
            parameter_.size()};
    return &raw_;
  }

 private:
  CK_MECHANISM_TYPE type_;
  Bytes parameter_;
  Owned owned_;
  mutable CK_MECHANISM raw_{};
};

// One row for each hash: its mechanism, its mask generation function, OpenSSL's name, bytes.
struct HashRow {
  CK_MECHANISM_TYPE mechanism;
  CK_RSA_PKCS_MGF_TYPE mgf;
  const char* name;
  CK_ULONG size;
};
inline constexpr HashRow kHashes[] = {
    {CKM_SHA_1, CKG_MGF1_SHA1, "SHA1", 20},
    {CKM_SHA224, CKG_MGF1_SHA224, "SHA224", 28},
    {CKM_SHA256, CKG_MGF1_SHA256, "SHA256", 32},
    {CKM_SHA384, CKG_MGF1_SHA384, "SHA384", 48},
    {CKM_SHA512, CKG_MGF1_SHA512, "SHA512", 64},
    {CKM_SHA3_224, CKG_MGF1_SHA3_224, "SHA3-224", 28},
    {CKM_SHA3_256, CKG_MGF1_SHA3_256, "SHA3-256", 32},
    {CKM_SHA3_384, CKG_MGF1_SHA3_384, "SHA3-384", 48},
    {CKM_SHA3_512, CKG_MGF1_SHA3_512, "SHA3-512", 64},
};
inline constexpr const HashRow& kSha1 = kHashes[0];
inline constexpr const HashRow& kSha256 = kHashes[2];

Mechanism Pss(CK_MECHANISM_TYPE type, const HashRow& hash, const HashRow& mgf, CK_ULONG salt);
Mechanism Oaep(const HashRow& hash, const HashRow& mgf, ByteView label = {});
Mechanism Gcm(ByteView iv, ByteView aad, CK_ULONG tag_bits);
Mechanism Ctr(ByteView block, CK_ULONG counter_bits);
Mechanism Ecdh(CK_EC_KDF_TYPE kdf, ByteView peer, ByteView shared_info = {},
               CK_MECHANISM_TYPE type = CKM_ECDH1_DERIVE);
// `counter_bits` 0: no counter at all. `length`: nullptr for none.
Mechanism CounterKdf(CK_MECHANISM_TYPE prf, ByteView before, CK_ULONG counter_bits, ByteView after,
                     const CK_SP800_108_DKM_LENGTH_FORMAT* length = nullptr);
// `salt` empty: CKF_HKDF_SALT_NULL.
Mechanism Hkdf(const HashRow& hash, bool extract, bool expand, ByteView salt, ByteView info);
// Extract and expand, salted with the value of a key.
Mechanism HkdfSaltedBy(const HashRow& hash, CK_OBJECT_HANDLE salt, ByteView info);

}  // namespace keyscope::test
