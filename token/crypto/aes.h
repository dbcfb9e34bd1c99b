// AES under one key, wherever that is: in host memory, or in the TPM. All modes are built on it.
#pragma once

#include <memory>

#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::crypto {

using tpm::AesMode;
using tpm::Direction;
using tpm::kAesBlock;

class Aes {
 public:
  virtual ~Aes() = default;
  // Whole blocks in one of the modes of NIST SP 800-38A. `iv`: a block, empty for ECB; it becomes
  // the one to go on with.
  virtual SecretBytes Run(AesMode mode, Direction direction, Bytes& iv, ByteView data) = 0;
  // One block.
  SecretBytes Encrypt(ByteView block);
};

bool IsAesKeySize(size_t size);  // 16, 24 or 32 bytes
// A key in host memory; nullptr: no AES key.
std::shared_ptr<Aes> HostAes(ByteView key);

}  // namespace keyscope::crypto
