// What a TPM's maker or its owner does to it, from outside of the backend.
#pragma once

#include <string>

#include "base/bytes.h"
#include "tpm/tss/connection.h"
#include "tpm/types.h"

namespace keyscope::test {

class Provisioner {
 public:
  explicit Provisioner(const std::string& tcti) : connection_(tcti) { connection_.Open(); }

  // From the TCG's template.
  void PersistEndorsementKey(tpm::EkType type, uint32_t handle, ByteView endorsement_auth = {});
  // The owner's primary of any template.
  void Persist(const TPMT_PUBLIC& area, uint32_t handle);
  // A storage root that is no endorsement key.
  void PersistStorageKey(uint32_t handle);
  // Of a key of any kind, for others to take over.
  tpm::KeyBlob CreateKey(uint32_t parent, const TPMT_PUBLIC& area, ByteView auth);
  void SetEndorsementAuth(ByteView auth);
  // Defines the index, anew if need be, and writes all of it.
  enum class Reader { Anybody, Owner, Nobody };
  void WriteNv(uint32_t index, ByteView data, Reader reader = Reader::Anybody);

 private:
  tpm::tss::Connection connection_;
};

}  // namespace keyscope::test
