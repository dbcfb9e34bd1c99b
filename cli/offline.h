// The rows of a store without login and without a TPM: what can still be told of them, and their
// deletion. Needs only the right to read or write the store.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/direct.h"

namespace keyscope::cli {

struct OfflineObject {
  int64_t row = 0;
  std::string unique_id;  // empty: the row does not decode
  std::string kind;       // the class in words: "private key", "certificate", ...
  CK_OBJECT_CLASS object_class = 0;
  bool is_ak = false;
  Bytes key_info;  // CKA_PUBLIC_KEY_INFO of what has it, and of private keys
  // Of public objects, and of private keys whose public half lies beside them: their names are
  // encrypted.
  std::string name;
  std::string attested_by;  // unique id of the AK
  std::string unreadable;   // why the row does not decode
};

std::vector<OfflineObject> ListOffline(const Context& context, Direct& direct, KeyScope scope);

// Deletes the rows. True when that leaves a key in the TPM: its erasing is pending.
bool DeleteOffline(const Context& context, Direct& direct, KeyScope scope,
                   const std::vector<OfflineObject>& objects);

}  // namespace keyscope::cli
