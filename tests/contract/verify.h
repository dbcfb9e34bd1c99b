// What OpenSSL says about a backend's results, and keys of OpenSSL's making.
#pragma once

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::test {

// Whether `signature` (RSA PKCS#1 v1.5, or r || s) is right.
bool Verifies(const tpm::PublicKey& key, tpm::Hash hash, ByteView digest, ByteView signature);
bool VerifiesPss(const tpm::PublicKey& key, tpm::Hash hash, ByteView digest, ByteView signature);
Bytes EncryptPadded(const tpm::PublicKey& key, tpm::RsaPadding padding, tpm::Hash hash,
                    ByteView message);
// m^e mod n, k bytes.
Bytes RawPublic(const tpm::RsaPublic& key, ByteView input);

struct MadeKey {
  ossl::Pkey pkey;
  tpm::PrivateKey parts;
};
MadeKey MakeRsa(unsigned bits);
MadeKey MakeEc(tpm::Curve curve);

}  // namespace keyscope::test
