#include "tpm/tss/marshal.h"

#include <tss2/tss2_mu.h>

#include "tpm/tss/algorithms.h"
#include "tpm/tss/crypto.h"

namespace keyscope::tpm::tss {
namespace {

template <typename T>
Bytes MarshalWith(TSS2_RC (*marshal)(const T*, uint8_t*, size_t, size_t*), const T& value) {
  Bytes bytes(sizeof(T));  // a structure in memory is never shorter than on the wire
  size_t size = 0;
  const TSS2_RC rc = marshal(&value, bytes.data(), bytes.size(), &size);
  if (rc != TSS2_RC_SUCCESS) throw Error(Fault::BadInput, "a TPM structure does not marshal", rc);
  bytes.resize(size);
  return bytes;
}

template <typename T>
T UnmarshalWith(TSS2_RC (*unmarshal)(const uint8_t*, size_t, size_t*, T*), ByteView bytes,
                Fault fault) {
  T value{};
  size_t used = 0;
  const TSS2_RC rc = unmarshal(bytes.data(), bytes.size(), &used, &value);
  if (bytes.empty() || rc != TSS2_RC_SUCCESS || used != bytes.size())
    throw Error(fault, "a TPM structure does not decode", rc);
  return value;
}

RsaPublic RsaOf(const TPMT_PUBLIC& area) {
  const uint32_t exponent = area.parameters.rsaDetail.exponent;
  return {StripLeadingZeros(View(area.unique.rsa)),
          StripLeadingZeros(BigEndian32(exponent == 0 ? 65537 : exponent))};
}

EcPublic EcOf(const TPMT_PUBLIC& area) {
  const auto curve = CurveOf(area.parameters.eccDetail.curveID);
  if (!curve) throw Error(Fault::Corrupt, "a stored key is on a curve that is not supported");
  const size_t size = FieldSize(*curve);
  const ByteView x = View(area.unique.ecc.x);
  const ByteView y = View(area.unique.ecc.y);
  if (x.size() > size || y.size() > size)
    throw Error(Fault::Corrupt, "a stored key's point does not fit its curve");
  return {*curve, PadLeft(x, size), PadLeft(y, size)};
}

}  // namespace

Bytes Marshal(const TPMT_PUBLIC& value) { return MarshalWith(Tss2_MU_TPMT_PUBLIC_Marshal, value); }
Bytes Marshal(const TPM2B_PUBLIC& value) {
  return MarshalWith(Tss2_MU_TPM2B_PUBLIC_Marshal, value);
}
Bytes Marshal(const TPM2B_PRIVATE& value) {
  return MarshalWith(Tss2_MU_TPM2B_PRIVATE_Marshal, value);
}
Bytes Marshal(const TPM2B_SENSITIVE& value) {
  return MarshalWith(Tss2_MU_TPM2B_SENSITIVE_Marshal, value);
}
Bytes Marshal(const TPM2B_DIGEST& value) {
  return MarshalWith(Tss2_MU_TPM2B_DIGEST_Marshal, value);
}
Bytes Marshal(const TPML_PCR_SELECTION& value) {
  return MarshalWith(Tss2_MU_TPML_PCR_SELECTION_Marshal, value);
}
Bytes Marshal(const TPMS_ECC_POINT& value) {
  return MarshalWith(Tss2_MU_TPMS_ECC_POINT_Marshal, value);
}

Bytes Marshal(const TPMS_CREATION_DATA& value) {
  return MarshalWith(Tss2_MU_TPMS_CREATION_DATA_Marshal, value);
}
Bytes Marshal(const TPMT_SIGNATURE& value) {
  return MarshalWith(Tss2_MU_TPMT_SIGNATURE_Marshal, value);
}

TPM2B_PUBLIC UnmarshalPublic(ByteView bytes) {
  return UnmarshalWith(Tss2_MU_TPM2B_PUBLIC_Unmarshal, bytes, Fault::Corrupt);
}
TPM2B_PRIVATE UnmarshalPrivate(ByteView bytes) {
  return UnmarshalWith(Tss2_MU_TPM2B_PRIVATE_Unmarshal, bytes, Fault::Corrupt);
}
TPM2B_ID_OBJECT UnmarshalIdObject(ByteView bytes) {
  return UnmarshalWith(Tss2_MU_TPM2B_ID_OBJECT_Unmarshal, bytes, Fault::BadInput);
}
TPM2B_ENCRYPTED_SECRET UnmarshalSecret(ByteView bytes) {
  return UnmarshalWith(Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal, bytes, Fault::BadInput);
}
TPMS_ATTEST UnmarshalAttest(ByteView bytes) {
  return UnmarshalWith(Tss2_MU_TPMS_ATTEST_Unmarshal, bytes, Fault::DeviceGone);
}
TPMT_PUBLIC UnmarshalPadded(ByteView bytes) {
  TPMT_PUBLIC area{};
  size_t used = 0;
  const TSS2_RC rc = Tss2_MU_TPMT_PUBLIC_Unmarshal(bytes.data(), bytes.size(), &used, &area);
  if (rc != TSS2_RC_SUCCESS)
    throw Error(Fault::Unsupported, "a template in NV memory does not decode", rc);
  return area;
}

Bytes NameOf(const TPMT_PUBLIC& area) {
  const Bytes name_alg = {static_cast<uint8_t>(area.nameAlg >> 8),
                          static_cast<uint8_t>(area.nameAlg)};
  const auto hash = HashOf(area.nameAlg);
  if (!hash) throw Error(Fault::Corrupt, "a stored key has an unknown name algorithm");
  return Concat({name_alg, Digest(*hash, {Marshal(area)})});
}

bool IsNamed(const std::optional<TPMT_PUBLIC>& area, ByteView name) {
  return area && HashOf(area->nameAlg) && Equal(NameOf(*area), name);
}

KeyUses UsesOf(const TPMT_PUBLIC& area) {
  return {(area.objectAttributes & TPMA_OBJECT_SIGN_ENCRYPT) != 0,
          (area.objectAttributes & TPMA_OBJECT_DECRYPT) != 0};
}

PublicKey PublicKeyOf(const TPMT_PUBLIC& area) {
  switch (area.type) {
    case TPM2_ALG_RSA:
      return RsaOf(area);
    case TPM2_ALG_ECC:
      return EcOf(area);
    default:
      throw Error(Fault::Corrupt, "a stored key is neither RSA nor EC");
  }
}

}  // namespace keyscope::tpm::tss
