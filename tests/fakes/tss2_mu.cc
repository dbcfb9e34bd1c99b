// For Windows, which has no tpm2-tss: those functions of its marshalling library that the fake TPM
// uses, on its header's structures (TPM 2.0 Part 2). One description of each structure serves both
// directions.
#include <tss2/tss2_mu.h>

#include <concepts>
#include <cstdint>
#include <cstring>

namespace {

constexpr TSS2_RC kBadSize = TSS2_MU_RC_INSUFFICIENT_BUFFER, kBadValue = TSS2_MU_RC_BAD_VALUE;

class Writer {
 public:
  Writer(uint8_t* to, size_t room) : to_(to), room_(room) {}
  TSS2_RC rc() const { return rc_; }
  size_t size() const { return size_; }
  void Refuse(TSS2_RC rc) {
    if (rc_ == TSS2_RC_SUCCESS) rc_ = rc;
  }
  template <std::unsigned_integral T>
  void Number(const T& value) {
    for (size_t shift = 8 * sizeof value; shift > 0;) {
      shift -= 8;
      const auto byte = static_cast<uint8_t>(static_cast<uint64_t>(value) >> shift);
      Raw(&byte, 1);
    }
  }
  void Raw(const uint8_t* bytes, size_t size) {
    if (size > room_ - size_) return Refuse(kBadSize);
    if (size > 0) std::memcpy(to_ + size_, bytes, size);
    size_ += size;
  }
  // `content` with its size in front. `size`: what the structure itself says of it.
  template <typename Content>
  void Sized(UINT16&, Content content) {
    const size_t at = size_;
    Number(UINT16{0});
    content();
    Writer head(to_ + at, 2);
    if (rc_ == TSS2_RC_SUCCESS) head.Number(static_cast<UINT16>(size_ - at - 2));
  }

 private:
  uint8_t* to_;
  size_t room_, size_ = 0;
  TSS2_RC rc_ = TSS2_RC_SUCCESS;
};

class Reader {
 public:
  Reader(const uint8_t* from, size_t room) : from_(from), room_(room) {}
  TSS2_RC rc() const { return rc_; }
  size_t size() const { return size_; }
  void Refuse(TSS2_RC rc) {
    if (rc_ == TSS2_RC_SUCCESS) rc_ = rc;
  }
  template <std::unsigned_integral T>
  void Number(T& value) {
    uint8_t bytes[sizeof value] = {};
    Raw(bytes, sizeof value);
    uint64_t number = 0;
    for (const uint8_t byte : bytes) number = number << 8 | byte;
    value = static_cast<T>(number);
  }
  void Raw(uint8_t* bytes, size_t size) {
    if (size > room_ - size_) return Refuse(kBadSize);
    if (size > 0) std::memcpy(bytes, from_ + size_, size);
    size_ += size;
  }
  template <typename Content>
  void Sized(UINT16& size, Content content) {
    Number(size);
    const size_t at = size_;
    content();
    if (size_ - at != size) Refuse(TSS2_MU_RC_BAD_SIZE);
  }

 private:
  const uint8_t* from_;
  size_t room_, size_ = 0;
  TSS2_RC rc_ = TSS2_RC_SUCCESS;
};

// A TPM2B: its size and bytes.
template <typename A, typename T>
void Walk2b(A& a, T& value, BYTE* buffer, size_t most) {
  a.Number(value.size);
  if (value.size > most) return a.Refuse(TSS2_MU_RC_BAD_SIZE);
  a.Raw(buffer, value.size);
}
template <typename A, typename T>
requires requires(T value) { value.buffer[0]; }
void Walk(A& a, T& value) { Walk2b(a, value, value.buffer, sizeof value.buffer); }
template <typename A>
void Walk(A& a, TPM2B_NAME& value) {
  Walk2b(a, value, value.name, sizeof value.name);
}
template <typename A>
void Walk(A& a, TPM2B_ENCRYPTED_SECRET& value) {
  Walk2b(a, value, value.secret, sizeof value.secret);
}
template <typename A>
void Walk(A& a, TPM2B_ID_OBJECT& value) {
  Walk2b(a, value, value.credential, sizeof value.credential);
}

template <typename A>
void Walk(A& a, TPMT_SYM_DEF_OBJECT& value) {
  a.Number(value.algorithm);
  if (value.algorithm == TPM2_ALG_NULL) return;
  a.Number(value.keyBits.sym);
  a.Number(value.mode.sym);
}
// RSAES alone has no hash; ECDAA, which has a count, is in no key of ours.
template <typename A, typename T>
requires requires(T value) { value.details.anySig; }
void Walk(A& a, T& value) {
  a.Number(value.scheme);
  if (value.scheme == TPM2_ALG_ECDAA) return a.Refuse(kBadValue);
  if (value.scheme != TPM2_ALG_NULL && value.scheme != TPM2_ALG_RSAES)
    a.Number(value.details.anySig.hashAlg);
}
template <typename A>
void Walk(A& a, TPMT_KDF_SCHEME& value) {
  a.Number(value.scheme);
  if (value.scheme != TPM2_ALG_NULL) a.Number(value.details.mgf1.hashAlg);
}
template <typename A>
void Walk(A& a, TPMT_KEYEDHASH_SCHEME& value) {
  a.Number(value.scheme);
  if (value.scheme == TPM2_ALG_HMAC) return a.Number(value.details.hmac.hashAlg);
  if (value.scheme != TPM2_ALG_NULL) a.Refuse(kBadValue);
}
template <typename A>
void Walk(A& a, TPMS_ECC_POINT& value) {
  Walk(a, value.x);
  Walk(a, value.y);
}

template <typename A>
void WalkParameters(A& a, TPMT_PUBLIC& area) {
  TPMU_PUBLIC_PARMS& parameters = area.parameters;
  switch (area.type) {
    case TPM2_ALG_RSA:
      Walk(a, parameters.rsaDetail.symmetric);
      Walk(a, parameters.rsaDetail.scheme);
      a.Number(parameters.rsaDetail.keyBits);
      return a.Number(parameters.rsaDetail.exponent);
    case TPM2_ALG_ECC:
      Walk(a, parameters.eccDetail.symmetric);
      Walk(a, parameters.eccDetail.scheme);
      a.Number(parameters.eccDetail.curveID);
      return Walk(a, parameters.eccDetail.kdf);
    case TPM2_ALG_KEYEDHASH:
      return Walk(a, parameters.keyedHashDetail.scheme);
    case TPM2_ALG_SYMCIPHER:
      return Walk(a, parameters.symDetail.sym);
    default:
      a.Refuse(kBadValue);
  }
}
template <typename A>
void Walk(A& a, TPMT_PUBLIC& area) {
  a.Number(area.type);
  a.Number(area.nameAlg);
  a.Number(area.objectAttributes);
  Walk(a, area.authPolicy);
  WalkParameters(a, area);
  if (area.type == TPM2_ALG_RSA) return Walk(a, area.unique.rsa);
  if (area.type == TPM2_ALG_ECC) return Walk(a, area.unique.ecc);
  Walk(a, area.unique.sym);
}
template <typename A>
void Walk(A& a, TPM2B_PUBLIC& value) {
  a.Sized(value.size, [&] { Walk(a, value.publicArea); });
}
template <typename A>
void Walk(A& a, TPM2B_SENSITIVE& value) {
  a.Sized(value.size, [&] {
    TPMT_SENSITIVE& area = value.sensitiveArea;
    a.Number(area.sensitiveType);
    Walk(a, area.authValue);
    Walk(a, area.seedValue);
    // Whatever the type, a TPM2B.
    Walk(a, area.sensitive.any);
  });
}

template <typename A>
void Walk(A& a, TPML_PCR_SELECTION& value) {
  a.Number(value.count);
  if (value.count > TPM2_NUM_PCR_BANKS) return a.Refuse(kBadValue);
  for (UINT32 i = 0; i < value.count; ++i) {
    TPMS_PCR_SELECTION& bank = value.pcrSelections[i];
    a.Number(bank.hash);
    a.Number(bank.sizeofSelect);
    if (bank.sizeofSelect > sizeof bank.pcrSelect) return a.Refuse(kBadValue);
    a.Raw(bank.pcrSelect, bank.sizeofSelect);
  }
}
template <typename A>
void Walk(A& a, TPMS_CREATION_DATA& value) {
  Walk(a, value.pcrSelect);
  Walk(a, value.pcrDigest);
  a.Number(value.locality);
  a.Number(value.parentNameAlg);
  Walk(a, value.parentName);
  Walk(a, value.parentQualifiedName);
  Walk(a, value.outsideInfo);
}
template <typename A>
void Walk(A& a, TPMS_ATTEST& value) {
  a.Number(value.magic);
  a.Number(value.type);
  Walk(a, value.qualifiedSigner);
  Walk(a, value.extraData);
  a.Number(value.clockInfo.clock);
  a.Number(value.clockInfo.resetCount);
  a.Number(value.clockInfo.restartCount);
  a.Number(value.clockInfo.safe);
  a.Number(value.firmwareVersion);
  switch (value.type) {
    case TPM2_ST_ATTEST_CERTIFY:
      Walk(a, value.attested.certify.name);
      return Walk(a, value.attested.certify.qualifiedName);
    case TPM2_ST_ATTEST_CREATION:
      Walk(a, value.attested.creation.objectName);
      return Walk(a, value.attested.creation.creationHash);
    case TPM2_ST_ATTEST_QUOTE:
      Walk(a, value.attested.quote.pcrSelect);
      return Walk(a, value.attested.quote.pcrDigest);
    default:
      a.Refuse(kBadValue);
  }
}
template <typename A>
void Walk(A& a, TPMT_SIGNATURE& value) {
  a.Number(value.sigAlg);
  switch (value.sigAlg) {
    case TPM2_ALG_RSASSA:
    case TPM2_ALG_RSAPSS:
      a.Number(value.signature.rsassa.hash);
      return Walk(a, value.signature.rsassa.sig);
    case TPM2_ALG_ECDSA:
      a.Number(value.signature.ecdsa.hash);
      Walk(a, value.signature.ecdsa.signatureR);
      return Walk(a, value.signature.ecdsa.signatureS);
    default:
      a.Refuse(kBadValue);
  }
}

template <typename T>
TSS2_RC Write(const T* from, uint8_t* to, size_t room, size_t* offset) {
  const size_t at = offset == nullptr ? 0 : *offset;
  T value = *from;
  Writer writer(to + at, room - at);
  Walk(writer, value);
  if (writer.rc() == TSS2_RC_SUCCESS && offset != nullptr) *offset = at + writer.size();
  return writer.rc();
}
template <typename T>
TSS2_RC Read(const uint8_t* from, size_t room, size_t* offset, T* to) {
  const size_t at = offset == nullptr ? 0 : *offset;
  Reader reader(from + at, room - at);
  Walk(reader, *to);
  if (reader.rc() == TSS2_RC_SUCCESS && offset != nullptr) *offset = at + reader.size();
  return reader.rc();
}

}  // namespace

#define MARSHAL(type)                                                                             \
  TSS2_RC Tss2_MU_##type##_Marshal(const type* from, uint8_t to[], size_t room, size_t* offset) { \
    return Write(from, to, room, offset);                                                         \
  }
#define UNMARSHAL(type)                                                                 \
  TSS2_RC Tss2_MU_##type##_Unmarshal(const uint8_t from[], size_t room, size_t* offset, \
                                     type* to) {                                        \
    return Read(from, room, offset, to);                                                \
  }

MARSHAL(TPMT_PUBLIC)
MARSHAL(TPM2B_PUBLIC)
MARSHAL(TPM2B_PRIVATE)
MARSHAL(TPM2B_SENSITIVE)
MARSHAL(TPM2B_DIGEST)
MARSHAL(TPML_PCR_SELECTION)
MARSHAL(TPMS_ECC_POINT)
MARSHAL(TPMS_CREATION_DATA)
MARSHAL(TPMS_ATTEST)
MARSHAL(TPMT_SIGNATURE)
UNMARSHAL(TPMT_PUBLIC)
UNMARSHAL(TPM2B_PUBLIC)
UNMARSHAL(TPM2B_PRIVATE)
UNMARSHAL(TPM2B_ID_OBJECT)
UNMARSHAL(TPM2B_ENCRYPTED_SECRET)
UNMARSHAL(TPMS_ATTEST)
UNMARSHAL(TPMS_ECC_POINT)
