// The TPM commands of secret keys (TPM 2.0 Part 3), one function each. All throw what Execute
// throws. What goes in and comes out travels encrypted.
#pragma once

#include "tpm/tss/commands.h"

namespace keyscope::tpm::tss {

inline constexpr size_t kMaxBuffer = 1024;  // MAX_DIGEST_BUFFER: what one command takes

// Section 15. `iv` becomes the one to go on with.
SecretBytes EncryptDecrypt(const Channel& channel, const Object& key, Auth auth, TPM2_ALG_ID mode,
                           Direction direction, Bytes& iv, ByteView data);
SecretBytes Hmac(const Channel& channel, const Object& key, Auth auth, ByteView message);

// Section 17. The sequence has the auth value of `auth`, and an empty Name.
Object HmacStart(const Channel& channel, const Object& key, Auth auth);
void SequenceUpdate(const Channel& channel, const Object& sequence, Auth auth, ByteView part);
// The sequence is gone afterwards.
SecretBytes SequenceComplete(const Channel& channel, const Object& sequence, Auth auth,
                             ByteView part);

}  // namespace keyscope::tpm::tss
