// Who may do what with the store's folder and file on Windows: access control lists.
//
// The user store is its account's alone. The machine store is written by administrators and by
// SYSTEM, and read by every account, as services need; an administrator may let further accounts
// write it, but not everyone.
#pragma once

#include <windows.h>

#include <memory>
#include <string>

#include "base/scope.h"

namespace keyscope::store {

struct LocalFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};
// A self-relative security descriptor.
using Descriptor = std::unique_ptr<void, LocalFreed>;

// What a new folder or file of the scope gets: owner and a protected list, inherited by what is
// made in it.
Descriptor NewDescriptor(KeyScope scope);
// The owner and list that `at` (opened with READ_CONTROL) has.
Descriptor DescriptorOf(HANDLE at);

// Why `of` does not fit a store of the scope; empty: it does.
std::string Objection(void* of, KeyScope scope);
// "owner BUILTIN\Administrators, access D:(A;;FA;;;BA)", for those who look for the right account.
std::string Describe(void* of);

}  // namespace keyscope::store
