// Whether a store's file is whole, which single calls notice only as far as they read it.
#pragma once

#include <string>

#include "base/scope.h"

namespace keyscope::store {

// Reads the whole file. Corrupt, with SQLite's words, when its pages and indexes contradict each
// other; what CheckStoreFile throws. No file: all is well.
void CheckIntegrity(const std::string& path, KeyScope scope);

}  // namespace keyscope::store
