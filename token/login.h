// Login: who is logged in to a token, and the PINs (sections 5.5 to 5.6 of the specification).
//
// Thread-safe. No lock is held across a TPM command or a store write: of two logins that race, one
// is told CKR_USER_ALREADY_LOGGED_IN.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "store/object_store.h"
#include "token/io.h"
#include "token/vault.h"
#include "tpm/backend.h"

namespace keyscope::token {

inline constexpr CK_ULONG kMinPinLength = 4;
inline constexpr CK_ULONG kMaxPinLength = 255;

class Login {
 public:
  enum class State : uint8_t { Public, User, So };

  Login(KeyScope scope, tpm::Backend& backend, store::ObjectStore& store)
      : scope_(scope), backend_(backend), store_(store) {}

  // The token row as of now. CKR_TOKEN_NOT_RECOGNIZED when the token is not initialised. A login to
  // a token that another process has initialised again since is dropped, and so is what was open
  // without one when the token has got a PIN.
  store::TokenRow Row();

  // Learns of the token what sessions go by. A token that is not initialised is none the worse for
  // it.
  void Refresh();
  // The root of the token's keys, as pinned by C_InitToken; nullptr: the token is not initialised.
  std::shared_ptr<const tpm::Root> root();

  State state();
  bool IsSo() { return state() == State::So; }
  // Whether private objects may be seen: the user is logged in, or the token needs no login.
  bool SeesPrivate();
  // What private objects and token keys need; CKR_USER_NOT_LOGGED_IN. On a PIN-less token it is
  // unsealed on first need.
  std::shared_ptr<const Vault> vault();
  // Changes with every logout: what was started before it must not be used after it.
  uint64_t generation() const { return generation_; }
  // How many logins have ended, the last session's close included.
  CK_ULONG logouts() const { return logouts_; }

  void Enter(CK_USER_TYPE user, Input pin);
  void Leave();                // CKR_USER_NOT_LOGGED_IN
  void Forget() noexcept;      // the last session closed, or C_Finalize
  void CheckAgain(Input pin);  // CKU_CONTEXT_SPECIFIC
  void InitToken(Input so_pin, ByteView label);
  void InitPin(Input pin);  // the SO sets the user PIN; empty: a PIN-less token
  void SetPin(Input old_pin, Input new_pin);

  // The sessions open with the token, for the rules about read-only sessions and the SO.
  void SessionOpened(bool read_write);  // CKR_SESSION_READ_WRITE_SO_EXISTS
  // True for the last one: nobody is logged in any more.
  bool SessionClosed(bool read_write) noexcept;
  void CountSessions(CK_TOKEN_INFO& info);

 private:
  enum class Who : uint8_t { User, So };

  void Follow(const store::TokenRow& row);  // as Row() tells
  SecretBytes Unseal(const store::TokenRow& row, Who who, ByteView pin);
  void NoteLockout(const store::TokenRow& row, Who who, const char* what);
  void NoteRightPin(const store::TokenRow& row, Who who);
  store::SealedRow Seal(const tpm::Root& root, ByteView epoch, ByteView pin,
                        const SecretBytes& secret);
  // False: somebody else changed it meanwhile, and nothing was done.
  bool TryInitToken(ByteView so_pin, ByteView label);
  bool TrySetPin(Who who, ByteView old_pin, ByteView new_pin);
  void CheckOldSoPin(const store::TokenRow& row, ByteView so_pin);
  void CheckMayEnter(State wanted);  // needs mutex_
  void Drop();                       // needs mutex_

  const KeyScope scope_;
  tpm::Backend& backend_;
  store::ObjectStore& store_;

  std::mutex mutex_;
  State state_ = State::Public;
  std::shared_ptr<const Vault> vault_;
  Bytes epoch_;  // of the token that vault_ opens
  std::shared_ptr<const tpm::Root> root_;
  bool login_required_ = true;
  size_t sessions_ = 0, read_only_sessions_ = 0;
  std::atomic<uint64_t> generation_{0};
  std::atomic<CK_ULONG> logouts_{0};
};

}  // namespace keyscope::token
