#include "p11/module.h"

#include "base/path.h"

namespace keyscope::p11 {
namespace {

// An empty folder stays empty: the token then has no store.
std::string StorePath(const std::string& folder, const char* file) {
  return folder.empty() ? "" : Utf8Of(PathOf(folder) / file);
}

bool HasCallbacks(const InitializeArgs& args) { return args.CreateMutex != nullptr; }

}  // namespace

Module::Module(const InitializeArgs& args, Config config)
    : finalized_(finalize_.get_future().share()) {
  if (HasCallbacks(args) && (args.flags & CKF_OS_LOCKING_OK) == 0) app_mutex_.emplace(args);
  backend_ = tpm::MakeBackend({.tcti = config.tcti,
                               .owner_auth = std::move(config.owner_auth),
                               .endorsement_auth = std::move(config.endorsement_auth),
                               .threads = (args.flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS) == 0});
  tokens_[0] = std::make_unique<token::Token>(KeyScope::Machine, kSlots[0], backend_,
                                              StorePath(config.machine_dir, "machine.db"));
  tokens_[1] = std::make_unique<token::Token>(KeyScope::User, kSlots[1], backend_,
                                              StorePath(config.user_dir, "user.db"));
  tokens_[0]->SetSibling(*tokens_[1]);
  tokens_[1]->SetSibling(*tokens_[0]);
}

token::Token& Module::token(CK_SLOT_ID slot) {
  if (slot >= tokens_.size())
    throw Error(Rv{CKR_SLOT_ID_INVALID}, "there is no slot " + std::to_string(slot) +
                                             "; slot 0 is the machine's, slot 1 the user's");
  return *tokens_[slot];
}

void Module::Shutdown() noexcept {
  finalize_.set_value();
  for (CK_SLOT_ID slot : kSlots)
    for (const auto& session : sessions_.TakeSlot(slot)) session->Close();
  for (const auto& token : tokens_) token->Shutdown();
  backend_->Release({});
}

void Module::LockForFork() {
  for (const auto& token : tokens_) token->LockForFork();
}

void Module::UnlockAfterFork() {
  for (const auto& token : tokens_) token->UnlockAfterFork();
}

}  // namespace keyscope::p11
