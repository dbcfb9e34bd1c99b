// SECURITY_STATUS, TBS_RESULT and TPM_RC become Faults, by one table.
#pragma once

#include <cstdint>
#include <functional>

#include "base/error.h"

namespace keyscope::tpm::ncrypt {

// What a call was about: NTE_PERM means a wrong usage auth when a key is used, and missing rights
// else.
enum class Doing : uint8_t { Administer, Use };

// A response code of the TPM as the HRESULT that Windows makes of it: without the bits that tell
// which handle, parameter or session it is about (TPM 2.0 Part 2, section 6.6).
uint32_t StatusOfRc(uint32_t rc);

Fault FaultOf(uint32_t status, Doing doing);
// `what`: the function that failed.
[[noreturn]] void Throw(uint32_t status, const char* what, Doing doing);

// Runs `call`, again a few times while the TPM or its service is busy. Throws what it failed with.
void Try(const char* what, Doing doing, const std::function<uint32_t()>& call);

}  // namespace keyscope::tpm::ncrypt
