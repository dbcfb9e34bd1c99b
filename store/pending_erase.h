// Pending erases, inside the caller's transaction.
#pragma once

#include "store/database.h"
#include "store/object_store.h"

namespace keyscope::store {

int64_t NoteErase(Database& database, const PendingErase& erase);  // its id
// Notes the keys that the hardware keeps, at handles or under names: that of one object, or of all.
// A row whose uid is damaged gets a new one.
std::vector<PendingErase> NoteErasesOfObjects(Database& database, KeyScope scope,
                                              std::string_view reason,
                                              std::optional<int64_t> object = std::nullopt);

}  // namespace keyscope::store
