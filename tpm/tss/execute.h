// The one function that each TPM command goes through.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tpm/tss/connection.h"
#include "tpm/tss/session.h"

namespace keyscope::tpm::tss {

struct Command {
  TPM2_CC code;
  const char* name;  // for log and errors
  std::vector<ByteView> names =
      {};  // the Names of its handles, in order, when a session authorizes it
  bool waits_for_session = true;  // for a slot that others hold
  std::function<TSS2_RC(TSS2_SYS_CONTEXT*)> prepare;
  std::function<TSS2_RC(TSS2_SYS_CONTEXT*)> complete;
};

// Sends `command`, again for a while when the TPM asks for it. `auths`: of those of its handles
// that need one, in order. Throws CommandError, and Fault::BadInput for values that no command can
// carry.
void Execute(const Channel& channel, const Command& command, std::span<const Auth> auths = {});

}  // namespace keyscope::tpm::tss
