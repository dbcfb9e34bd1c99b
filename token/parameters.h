// Mechanism parameters, parsed from a caller's CK_MECHANISM. All throw CKR_MECHANISM_PARAM_INVALID.
#pragma once

#include "token/io.h"
#include "tpm/types.h"

namespace keyscope::token {

void NoParameters(const CK_MECHANISM& mechanism);

// CK_RSA_PKCS_PSS_PARAMS (section 2.1.9 of the mechanisms document).
struct PssParameters {
  tpm::Hash hash, mgf;
  size_t salt;  // bytes
};
// `hash`: the mechanism's own, which the parameters must name; None: any. `modulus_bits`: for the
// largest salt.
PssParameters PssOf(const CK_MECHANISM& mechanism, tpm::Hash hash, size_t modulus_bits);

// CK_RSA_PKCS_OAEP_PARAMS (section 2.1.7).
struct OaepParameters {
  tpm::Hash hash, mgf;
  Bytes label;
};
OaepParameters OaepOf(const CK_MECHANISM& mechanism);

// AES (sections 2.8 to 2.12): an IV of `size` bytes; CK_AES_CTR_PARAMS; CK_GCM_PARAMS of
// version 3.0.
struct CipherParameters {
  Bytes iv;
  unsigned counter_bits = 128;
  Bytes aad;
  size_t tag_size = 16;  // bytes
};
CipherParameters IvOf(const CK_MECHANISM& mechanism, size_t size);
CipherParameters CtrOf(const CK_MECHANISM& mechanism);
CipherParameters GcmOf(const CK_MECHANISM& mechanism);
// Key wrap (section 2.14): an IV, or none for the one of the RFC.
Bytes OptionalIvOf(const CK_MECHANISM& mechanism, size_t size);

// CK_MAC_GENERAL_PARAMS: 1 to `largest` bytes.
size_t MacSizeOf(const CK_MECHANISM& mechanism, size_t largest);

// CK_ECDH1_DERIVE_PARAMS (section 2.3.19).
struct EcdhParameters {
  tpm::Hash kdf;  // of ANSI X9.63; None for CKD_NULL
  Bytes shared_info, peer;
};
EcdhParameters EcdhOf(const CK_MECHANISM& mechanism);

// CK_HKDF_PARAMS (section 2.63); a salt that is a key is not taken.
struct HkdfParameters {
  bool extract, expand;
  tpm::Hash hash;
  Bytes salt, info;
  std::optional<CK_OBJECT_HANDLE> salt_key;  // whose value is the salt
};
HkdfParameters HkdfOf(const CK_MECHANISM& mechanism);

// CK_SP800_108_KDF_PARAMS in counter mode (SP 800-108, section 4.1), for `size` bytes of key.
// Additional derived keys are not taken.
struct CounterKdfParameters {
  tpm::Hash hash;       // of HMAC; None: AES-CMAC
  Bytes before, after;  // the counter
  unsigned counter_bytes = 0;
  bool little_endian = false;
};
CounterKdfParameters CounterKdfOf(const CK_MECHANISM& mechanism, size_t size);

// Keyscope's own (p11/keyscope.h).
CK_OBJECT_HANDLE CertifiedKeyOf(const CK_MECHANISM& mechanism);  // of CK_KEYSCOPE_CERTIFY_PARAMS
struct QuoteParameters {
  tpm::Hash bank;
  uint32_t pcrs;  // bit i: PCR i; at least one
};
QuoteParameters QuoteOf(const CK_MECHANISM& mechanism);
tpm::EkType EndorsementKeyOf(const CK_MECHANISM& mechanism);  // of CK_KEYSCOPE_ACTIVATE_PARAMS

}  // namespace keyscope::token
