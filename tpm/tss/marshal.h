// Between bytes and the TPM's structures. What comes from the store is hostile: Fault::Corrupt.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

// Puts bytes into a TPM2B with a `buffer`: secrets, too, for which there is Wiped. Fault::BadInput
// when they do not fit.
template <typename T>
void Fill(T& tpm2b, ByteView bytes) {
  if (bytes.size() > sizeof tpm2b.buffer)
    throw Error(Fault::BadInput, "a value is longer than a TPM takes");
  tpm2b.size = static_cast<UINT16>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), tpm2b.buffer);
}
// The TPM2B itself, of bytes that are no secret.
template <typename T>
T Tpm2b(ByteView bytes) {
  T tpm2b{};
  Fill(tpm2b, bytes);
  return tpm2b;
}

template <typename T>
ByteView View(const T& tpm2b) {
  return {tpm2b.buffer, std::min<size_t>(tpm2b.size, sizeof tpm2b.buffer)};
}

// A structure that may hold a secret: wiped when it goes.
template <typename T>
struct Wiped {
  T value{};
  ~Wiped() { Wipe(&value, sizeof value); }
};

Bytes Marshal(const TPMT_PUBLIC& value);
Bytes Marshal(const TPM2B_PUBLIC& value);
Bytes Marshal(const TPM2B_PRIVATE& value);
Bytes Marshal(const TPM2B_SENSITIVE& value);
Bytes Marshal(const TPM2B_DIGEST& value);
Bytes Marshal(const TPML_PCR_SELECTION& value);
Bytes Marshal(const TPMS_ECC_POINT& value);
Bytes Marshal(const TPMS_CREATION_DATA& value);
Bytes Marshal(const TPMT_SIGNATURE& value);

TPM2B_PUBLIC UnmarshalPublic(ByteView bytes);
TPM2B_PRIVATE UnmarshalPrivate(ByteView bytes);
// These come from the caller: Fault::BadInput.
TPM2B_ID_OBJECT UnmarshalIdObject(ByteView bytes);
TPM2B_ENCRYPTED_SECRET UnmarshalSecret(ByteView bytes);
// These come from the TPM: Fault::DeviceGone; and Unsupported for what its maker has left there,
// with or without bytes behind it.
TPMS_ATTEST UnmarshalAttest(ByteView bytes);
TPMT_PUBLIC UnmarshalPadded(ByteView bytes);

// The Name of an object: nameAlg || digest of the public area (Part 1, section 16).
Bytes NameOf(const TPMT_PUBLIC& area);
// Whether that is the Name of what `area` describes; of a foreign area, perhaps.
bool IsNamed(const std::optional<TPMT_PUBLIC>& area, ByteView name);
KeyUses UsesOf(const TPMT_PUBLIC& area);
// The public key in a public area. Fault::Corrupt when it holds none that we know.
PublicKey PublicKeyOf(const TPMT_PUBLIC& area);

}  // namespace keyscope::tpm::tss
