// Keys of the provider: how they are made, and what they do.
#pragma once

#include "tpm/ncrypt/provider.h"

namespace keyscope::tpm::ncrypt {

// A new key, open and authorized.
struct MadeKey {
  KeyBlob blob;
  Handle handle;
};
// `id_nonce`: of an AK; goes into the statement of its creation.
MadeKey Make(const Provider& provider, const KeySpec& spec, const SecretBytes& auth,
             ByteView id_nonce = {});
// An RSA key that decrypts and that the provider does not keep: its usage auth is a PIN.
MadeKey MakeSealing(const Provider& provider, const SecretBytes& pin_auth);

// The provider's names of the algorithms of a curve.
struct CurveRow {
  Curve curve;
  const wchar_t *ecdsa, *ecdh;
};
inline constexpr CurveRow kCurves[] = {
    {Curve::P256, BCRYPT_ECDSA_P256_ALGORITHM, BCRYPT_ECDH_P256_ALGORITHM},
    {Curve::P384, BCRYPT_ECDSA_P384_ALGORITHM, BCRYPT_ECDH_P384_ALGORITHM},
    {Curve::P521, BCRYPT_ECDSA_P521_ALGORITHM, BCRYPT_ECDH_P521_ALGORITHM}};
// nullptr: not one that the provider has.
const wchar_t* HashId(Hash hash);

// See Backend for the shapes.
Bytes SignDigest(NCRYPT_KEY_HANDLE key, const PublicKey& public_key, SignScheme scheme, Hash hash,
                 ByteView digest);
Bytes EncryptOaep(NCRYPT_KEY_HANDLE key, const SecretBytes& secret);
SecretBytes DecryptPadded(NCRYPT_KEY_HANDLE key, RsaPadding padding, Hash hash,
                          ByteView ciphertext);
SecretBytes Agree(const Provider& provider, NCRYPT_KEY_HANDLE key, const EcPublic& peer);

}  // namespace keyscope::tpm::ncrypt
