// Lifecycle: the way in and out of the module (section 5.4): at most one Module a process, safe
// against threads, forks and the order of things at exit.
#pragma once

#include <memory>

#include "p11/module.h"

namespace keyscope::p11 {

// C_Initialize. Throws CKR_CRYPTOKI_ALREADY_INITIALIZED. In a child after fork the parent's Module
// is left as it is: neither its descriptors nor its memory are touched.
void Initialize(const InitializeArgs& args);

// C_Finalize. All is given back when it returns, but for what calls of other threads still hold.
void Finalize();

// Throws CKR_CRYPTOKI_NOT_INITIALIZED, also in a child after fork.
std::shared_ptr<Module> CurrentModule();

}  // namespace keyscope::p11
