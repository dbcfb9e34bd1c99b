// The TPM commands that the backend uses (TPM 2.0 Part 3), one function each. All throw what
// Execute throws.
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include <optional>

#include "tpm/tss/connection.h"
#include "tpm/tss/session.h"

namespace keyscope::tpm::tss {

// An object in the TPM and its Name, as we compute it.
struct Object {
  TPM2_HANDLE handle = 0;
  Bytes name;
};

// A storage key that we know the public area of.
struct StorageKey {
  Object object;
  TPMT_PUBLIC area;
};

// What TPM2_Create tells beside the key.
struct Creation {
  KeyBlob blob;
  Bytes data;  // TPMS_CREATION_DATA, marshalled
  TPM2B_DIGEST hash{};
  TPMT_TK_CREATION ticket{};
};

// A hierarchy as an entity: its Name is its handle (Part 1, section 16).
Object Hierarchy(TPM2_HANDLE handle);

// Section 11. Salted to `salt_to` when given. A TPM that has no room for it is asked again for a
// while, or taken at its word.
enum class WithoutRoom : uint8_t { Waits, Refused };
Session StartAuthSession(const Channel& channel, TPM2_SE type, const StorageKey* salt_to,
                         WithoutRoom without_room = WithoutRoom::Waits);

// Section 12. The private half of Create and Import's results is opaque; `parent` has an empty
// password.
Object Load(const Channel& channel, TPM2_HANDLE parent, const KeyBlob& blob);
Creation Create(const Channel& channel, const Object& parent, Auth auth,
                const TPMS_SENSITIVE_CREATE& sensitive, const TPMT_PUBLIC& area,
                ByteView outside_info);
std::optional<TPMT_PUBLIC> ReadPublic(const Channel& channel, TPM2_HANDLE handle);
SecretBytes Unseal(const Channel& channel, const Object& item, Auth auth);
// The private half with the new auth value; the loaded object keeps the old one.
TPM2B_PRIVATE ObjectChangeAuth(const Channel& channel, const Object& object, const Object& parent,
                               Auth auth, const SecretBytes& new_auth);

// Section 13.
TPM2B_PRIVATE Import(const Channel& channel, TPM2_HANDLE parent, const TPM2B_PUBLIC& area,
                     const TPM2B_PRIVATE& duplicate, const TPM2B_ENCRYPTED_SECRET& seed);

// Sections 14 and 20. RsaDecrypt is the bare private operation (null scheme).
SecretBytes RsaDecrypt(const Channel& channel, const Object& key, Auth auth, ByteView input);
SecretBytes EcdhZgen(const Channel& channel, const Object& key, Auth auth, const EcPublic& peer);
TPMT_SIGNATURE Sign(const Channel& channel, const Object& key, Auth auth, TPM2_ALG_ID scheme,
                    TPM2_ALG_ID hash, ByteView digest);

// Section 16. May give less than asked for.
SecretBytes GetRandom(const Channel& channel, size_t size);
void StirRandom(const Channel& channel, ByteView seed);

// Sections 24 and 28. EvictControl is the owner's, and erases when `object` is at `persistent`.
StorageKey CreatePrimary(const Channel& channel, TPM2_HANDLE hierarchy, Auth auth,
                         const TPMT_PUBLIC& area);
void EvictControl(const Channel& channel, Auth auth, const Object& object, TPM2_HANDLE persistent);
void FlushContext(const Channel& channel, TPM2_HANDLE handle);

// Section 30. GetCapability returns true when there is more.
bool GetCapability(const Channel& channel, TPM2_CAP capability, uint32_t first, uint32_t count,
                   TPMS_CAPABILITY_DATA& data);
// Whether the TPM accepts the parameters.
bool TestParms(const Channel& channel, const TPMT_PUBLIC_PARMS& parms);

}  // namespace keyscope::tpm::tss
