// The store's file and folder as the operating system sees them: what is refused, and how files
// come to be. Paths are UTF-8. Never opens a file that SQLite may have open in this process:
// closing it would drop SQLite's locks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/scope.h"

namespace keyscope::store {

// True: a store that may be opened. False: there is none (no file, or an empty one). Denied, with
// the owner and group in its text: unreadable, a symbolic link, hard-linked, no plain file, or a
// file or folder that accounts outside the scope could write (user: anyone else; machine: others
// than owner and group).
bool CheckStoreFile(const std::string& path, KeyScope scope);

// Makes a new store: the folder (0700 for user, 0750 for machine) with its parents if need be, then
// the file (0600, 0640), which `fill` writes under another name first. False: a store is there
// already.
bool CreateStoreFile(const std::string& path, KeyScope scope,
                     const std::function<void(const std::string&)>& fill);

// Makes `copy` beside `original` with its mode, owner and group, written by `fill` under another
// name first. Where that name is taken: `copy`.1, .2, ... Its name.
std::string CreateCopy(const std::string& original, const std::string& copy,
                       const std::function<void(const std::string&)>& fill);

// Tells all processes that use the store at `path` that this one is making a key which the hardware
// keeps, until it goes or the process ends (with the children that it forked meanwhile). An empty
// file beside the store, `path`.making-key, is what they meet at.
class Making {
 public:
  Making(const std::string& path, KeyScope scope);
  ~Making();
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;
  // Whether there is one, in this process or another.
  static bool Anybody(const std::string& path);

 private:
  std::intptr_t file_;
};

// The path under which SQLite opens the store. The folder may be reached through symbolic links, as
// home folders are; the file itself may not be one.
std::string SqlitePath(const std::string& path);

}  // namespace keyscope::store
