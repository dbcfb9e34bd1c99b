#include "store/integrity.h"

#include "base/error.h"
#include "store/database.h"
#include "store/files.h"

namespace keyscope::store {

void CheckIntegrity(const std::string& path, KeyScope scope) {
  if (!CheckStoreFile(path, scope)) return;
  Database database(path);
  Statement check = database.Prepare("PRAGMA integrity_check(1)");
  std::string words = check.Step() ? check.Text(0) : "no answer";
  if (words == "ok") return;
  words.erase(0, words.rfind('\n') + 1);  // the name of the database
  throw Error(Fault::Corrupt, "store " + path + ": " + words +
                                  "; restore it from a copy, or move it away and initialize the "
                                  "token anew");
}

}  // namespace keyscope::store
