// The tables of a store, their versions and the way from each version to the next.
#pragma once

#include "base/scope.h"
#include "store/database.h"

namespace keyscope::store {

// The version of the open store. Corrupt: it is no Keyscope store, or one of a newer Keyscope.
int StoreVersion(Database& database);

// Whose keys the store of that version holds. A store that does not say is the user's.
KeyScope StoreScope(Database& database, int version);

// Makes the tables of the current version in an empty file.
void CreateTables(Database& database);

// Brings a store of `version` up to date: first a copy of it as <path>.v<version>, then each step
// in a transaction of its own. ReadOnly: the store is old and may not be written.
void Upgrade(Database& database, int version);

}  // namespace keyscope::store
