#include "tpm/tss/rc.h"

#include <gtest/gtest.h>

namespace keyscope::tpm::tss {
namespace {

struct Row {
  TSS2_RC rc;
  Fault fault;
  Recovery recovery;
};

TEST(Rc, FaultAndRecovery) {
  const Row rows[] = {
      {0x98e, Fault::AuthFailed, Recovery::None},    // TPM_RC_AUTH_FAIL, session 1
      {0x9a2, Fault::AuthFailed, Recovery::Stale},   // TPM_RC_BAD_AUTH, session 1
      {0x921, Fault::LockedOut, Recovery::None},     // TPM_RC_LOCKOUT
      {0x1df, Fault::KeyGone, Recovery::None},       // TPM_RC_INTEGRITY, parameter 1
      {0x18b, Fault::KeyGone, Recovery::Stale},      // TPM_RC_HANDLE, handle 1
      {0x910, Fault::KeyGone, Recovery::Stale},      // TPM_RC_REFERENCE_H0
      {0x918, Fault::KeyGone, Recovery::Stale},      // TPM_RC_REFERENCE_S0
      {0x984, Fault::BadInput, Recovery::Stale},     // TPM_RC_VALUE, session 1
      {0x1c4, Fault::BadInput, Recovery::None},      // TPM_RC_VALUE, parameter 1
      {0x2c4, Fault::BadInput, Recovery::None},      // TPM_RC_VALUE, parameter 2
      {0x902, Fault::NoSpace, Recovery::NoRoom},     // TPM_RC_OBJECT_MEMORY
      {0x903, Fault::NoSpace, Recovery::NoSession},  // TPM_RC_SESSION_MEMORY
      {0x922, Fault::Busy, Recovery::None},          // TPM_RC_RETRY
      {0x143, Fault::Unsupported, Recovery::None},   // TPM_RC_COMMAND_CODE
      {0x101, Fault::DeviceGone, Recovery::None},    // TPM_RC_FAILURE
      {0x17f, Fault::Io, Recovery::None},
      {0xb0902, Fault::NoSpace, Recovery::NoRoom},  // the resource manager's
      {0xc018b, Fault::KeyGone, Recovery::Stale},   // by the resource manager in the TPM's name
      {0xa000a, Fault::DeviceGone, Recovery::NoAnswer},  // TCTI: IO error
      {0xa000f, Fault::DeviceGone, Recovery::NoAnswer},  // TCTI: another
      {TSS2_TCTI_RC_MALFORMED_RESPONSE, Fault::DeviceGone, Recovery::BadAnswer},
      {TSS2_SYS_RC_MALFORMED_RESPONSE, Fault::DeviceGone, Recovery::BadAnswer},
      {TSS2_MU_RC_BAD_SIZE, Fault::DeviceGone, Recovery::BadAnswer},
  };
  for (const Row& row : rows) {
    const CommandError error = MakeError("TPM2_Test", row.rc);
    EXPECT_TRUE(error.Is(row.fault)) << std::hex << row.rc << ": " << error.what();
    EXPECT_EQ(error.recovery(), row.recovery) << std::hex << row.rc;
    EXPECT_EQ(error.native(), row.rc);
    EXPECT_TRUE(std::string_view(error.what()).starts_with("TPM2_Test: ")) << error.what();
  }
}

TEST(Rc, OnlySomeAskToRepeat) {
  for (TSS2_RC rc : {0x922U, 0x908U, 0x90aU, 0xb0922U, 0x903U}) EXPECT_TRUE(AsksToRepeat(rc)) << rc;
  for (TSS2_RC rc : {0x902U, 0x921U, 0x101U, 0xa0022U}) EXPECT_FALSE(AsksToRepeat(rc)) << rc;
}

}  // namespace
}  // namespace keyscope::tpm::tss
