// Module: what exists between C_Initialize and C_Finalize.
#pragma once

#include <array>
#include <future>
#include <memory>
#include <optional>

#include "p11/app_mutex.h"
#include "p11/config.h"
#include "p11/fork.h"
#include "p11/handle_table.h"
#include "token/session.h"
#include "token/token.h"
#include "tpm/backend.h"

namespace keyscope::p11 {

inline constexpr std::array<CK_SLOT_ID, 2> kSlots = {0, 1};  // machine, user

class Module {
 public:
  Module(const InitializeArgs& args, Config config);

  token::Token& token(CK_SLOT_ID slot);  // CKR_SLOT_ID_INVALID
  HandleTable<token::Session>& sessions() { return sessions_; }
  AppMutex* app_mutex() { return app_mutex_ ? &*app_mutex_ : nullptr; }
  // Ready when C_Finalize has been called.
  std::shared_future<void> finalized() const { return finalized_; }
  bool OfThisProcess() const { return birthplace_.IsHere(); }

  // Closes every session and gives back all that the tokens and the TPM hold. May run inside
  // OPENSSL_cleanup (see base/ossl.h).
  void Shutdown() noexcept;

  // Around fork(): no other thread is inside SQLite or holds a lock of ours while the child is
  // made.
  void LockForFork();
  void UnlockAfterFork();

 private:
  const Birthplace birthplace_;
  std::optional<AppMutex> app_mutex_;
  std::shared_ptr<tpm::Backend> backend_;
  std::array<std::unique_ptr<token::Token>, kSlots.size()> tokens_;
  HandleTable<token::Session> sessions_;
  std::promise<void> finalize_;
  std::shared_future<void> finalized_;
};

}  // namespace keyscope::p11
