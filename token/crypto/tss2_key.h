// Key files of TPMs, `TSS2 PRIVATE KEY` in PEM ("ASN.1 Specification for TPM 2.0 Key Files"):
//
//   TPMKey ::= SEQUENCE {
//     type        OBJECT IDENTIFIER,              -- loadable 2.23.133.10.1.3, importable .4
//     emptyAuth   [0] EXPLICIT BOOLEAN OPTIONAL,
//     policy      [1] EXPLICIT SEQUENCE OF TPMPolicy OPTIONAL,
//     secret      [2] EXPLICIT OCTET STRING OPTIONAL,     -- TPM2B_ENCRYPTED_SECRET
//     authPolicy  [3] EXPLICIT SEQUENCE OF TPMAuthPolicy OPTIONAL,
//     description [4] EXPLICIT UTF8String OPTIONAL,
//     rsaParent   [5] EXPLICIT BOOLEAN OPTIONAL,
//     parent      INTEGER,
//     pubkey      OCTET STRING,                   -- TPM2B_PUBLIC
//     privkey     OCTET STRING }                  -- TPM2B_PRIVATE
#pragma once

#include <optional>

#include "base/bytes.h"

namespace keyscope::crypto {

struct Tss2Key {
  bool empty_auth = false;
  bool has_policy = false;
  bool rsa_parent = false;
  ByteView secret;  // empty: loadable
  uint32_t parent = 0;
  ByteView public_area, private_area;
};

// Views into `der`. Nullopt: not a key of either type.
std::optional<Tss2Key> DecodeTss2Key(ByteView der);

}  // namespace keyscope::crypto
