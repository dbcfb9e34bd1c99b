// TSS2_RC, read in one place: layer, handle, parameter and session bits (TPM 2.0 Part 2,
// section 6.6).
#pragma once

#include <tss2/tss2_tpm2_types.h>

#include "base/error.h"

namespace keyscope::tpm::tss {

// What a failed command means for what we hold, and whether the operation may be done again.
enum class Recovery : uint8_t {
  None,       // the TPM's last word
  Stale,      // it no longer knows a handle or session of ours; nothing was done
  NoRoom,     // no slot for a loaded object; nothing was done
  NoSession,  // none for a session, also after a while; nothing was done
  NoAnswer,   // the connection broke before any answer
  BadAnswer,  // an answer came that cannot be believed; the command may have been done
};

class CommandError : public Error {
 public:
  CommandError(Fault fault, std::string text, TSS2_RC rc, Recovery recovery,
               Where where = Where::Here())
      : Error(fault, std::move(text), rc, where), recovery_(recovery) {}
  Recovery recovery() const { return recovery_; }

 private:
  Recovery recovery_;
};

// Whether the TPM itself (or a resource manager in its name) answered with `rc`.
bool FromTpm(TSS2_RC rc);
// The code without layer, and without the number of the handle, parameter or session.
TPM2_RC BaseOf(TSS2_RC rc);
// The TPM asks to send the command again.
bool AsksToRepeat(TSS2_RC rc);
// The error for `rc`, answered to the command `name`.
CommandError MakeError(const char* name, TSS2_RC rc, Where where = Where::Here());

// The same error, known by its circumstances to mean `fault`.
CommandError WithFault(const CommandError& error, Fault fault, const char* advice);

inline constexpr const char* kAdviceCleared =
    "; the TPM was cleared or exchanged, or the key belongs to another TPM: initialise the token "
    "again";

}  // namespace keyscope::tpm::tss
