#include "store/integrity.h"

#include "base/error.h"
#include "store/database.h"
#include "store/files.h"

namespace keyscope::store {

void CheckIntegrity(const std::string& path, KeyScope scope) {
  if (!CheckStoreFile(path, scope)) return;
  Database database(path);
  Statement check = database.Prepare("PRAGMA integrity_check(1)");
  if (check.Step() && check.Text(0) == "ok") return;
  throw Error(Fault::Corrupt, "store " + path + ": " + check.Text(0) +
                                  "; restore it from a copy, or move it away and initialize the "
                                  "token anew");
}

}  // namespace keyscope::store
