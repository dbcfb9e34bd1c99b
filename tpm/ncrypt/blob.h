// What a KeyBlob of this backend holds.
//
// Its public half is a marshalled TPM2B_PUBLIC. Its private half says in its first byte what
// follows: the name of a key that the provider keeps, or the provider's own blob of a key that it
// does not keep (OpaqueKeyBlob: a PCP_KEY_BLOB, wrapped by the TPM).
#pragma once

#include <string>

#include "tpm/types.h"

namespace keyscope::tpm::ncrypt {

inline constexpr wchar_t kOpaqueBlob[] = L"OpaqueKeyBlob";  // BCRYPT_OPAQUE_KEY_BLOB

// The provider's name of a key: that of its uid, never a label.
std::wstring NameFromUid(ByteView uid);
bool IsOurs(const std::wstring& name);
// The same as bytes, and back. Fault::Corrupt for what is no name of ours.
Bytes NameToBytes(const std::wstring& name);
std::wstring NameFromBytes(ByteView bytes);

KeyBlob NamedBlob(Bytes public_area, const std::wstring& name);
KeyBlob OpaqueBlob(Bytes public_area, ByteView opaque);

struct PrivateHalf {
  std::wstring name;  // empty: `opaque` is the key
  ByteView opaque;    // in the KeyBlob
};
PrivateHalf ParsePrivate(const KeyBlob& blob);

// The TPM2B_PUBLIC in a PCP_KEY_BLOB of a TPM 2.0 key.
Bytes PublicInOpaque(ByteView opaque);

// BCRYPT_RSAKEY_BLOB and BCRYPT_ECCKEY_BLOB (bcrypt.h): from a provider, and for one.
PublicKey FromRsaBlob(ByteView blob);
PublicKey FromEcBlob(ByteView blob);
Bytes EcdhBlob(const EcPublic& point);

}  // namespace keyscope::tpm::ncrypt
