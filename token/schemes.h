// The schemes that mechanism rules name; each is defined beside its functions.
#pragma once

#include "token/mechanism_rules.h"

namespace keyscope::token {

// digest_ops.cc
extern const Scheme kDigest;
// rsa_ops.cc
extern const Scheme kRsaKeyPair, kRsaPkcs1, kRsaPkcs1Signature, kRsaPss, kRsaOaep, kRsaRaw;
// ec_ops.cc
extern const Scheme kEcKeyPair, kEcdsa;
// aes_ops.cc
extern const Scheme kAesKey, kAesEcb, kAesCbc, kAesCbcPad, kAesCtr, kAesCfb128, kAesOfb, kAesGcm,
    kAesKeyWrap, kAesKeyWrapPadded;
// mac_ops.cc
inline constexpr CK_ULONG kLargestGenericSecret = 255 * 64;  // bytes; what HKDF gives with SHA-512
extern const Scheme kGenericKey, kHmac, kHmacGeneral, kAesCmac, kAesCmacGeneral;
// derive_ops.cc
extern const Scheme kEcdhDerive, kHkdfDerive, kCounterKdf;
// attest_ops.cc
extern const Scheme kCertify, kQuote, kActivateCredential;

}  // namespace keyscope::token
