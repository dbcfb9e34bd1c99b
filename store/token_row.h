// The token row and the TPM facts beside it, inside the caller's transaction.
#pragma once

#include <optional>

#include "store/database.h"
#include "store/object_store.h"

namespace keyscope::store {

std::optional<TokenRow> ReadToken(Database& database);
void WriteToken(Database& database, const TokenRow& row, KeyScope scope);  // replaces it
// KeyGone when there is no token or when it is not of that epoch any more.
void RequireEpoch(Database& database, ByteView epoch);

}  // namespace keyscope::store
