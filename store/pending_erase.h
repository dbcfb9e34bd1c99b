// Pending erases, inside the caller's transaction.
#pragma once

#include "store/database.h"
#include "store/object_store.h"

namespace keyscope::store {

int64_t NoteErase(Database& database, const PendingErase& erase);  // its id

}  // namespace keyscope::store
