// Keys in software, with OpenSSL: the cryptography of the fake backend.
#pragma once

#include "base/ossl.h"
#include "tpm/types.h"

namespace keyscope::test {

ossl::Pkey Generate(const tpm::KeySpec& spec);
// Fault::BadInput when the private part does not belong to the public one.
ossl::Pkey FromPrivate(const tpm::PrivateKey& key);
tpm::PublicKey PublicPart(const EVP_PKEY& key);

Bytes ToDer(const EVP_PKEY& key);
ossl::Pkey FromDer(ByteView der);

// See tpm::Backend for the shapes.
Bytes SignDigest(EVP_PKEY& key, tpm::Hash hash, ByteView digest);
Bytes SignPss(EVP_PKEY& key, tpm::Hash hash, ByteView digest);
SecretBytes DecryptPadded(EVP_PKEY& key, tpm::RsaPadding padding, tpm::Hash hash,
                          ByteView ciphertext);
SecretBytes RawPrivate(EVP_PKEY& key, ByteView input);
SecretBytes Aes(tpm::AesMode mode, tpm::Direction direction, ByteView key, Bytes& iv,
                ByteView data);

}  // namespace keyscope::test
