// Token: what one slot holds. One per KeyScope and process. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "token/login.h"
#include "token/mechanism_rules.h"
#include "token/objects.h"

namespace keyscope::token {

class Token {
 public:
  // `store_path`: the token's database file. Nothing is opened and no TPM command sent.
  Token(KeyScope scope, CK_SLOT_ID slot, std::shared_ptr<tpm::Backend> backend,
        std::string store_path);
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;

  // No TPM command in any of these but where a mechanism list is asked of a token never
  // initialised.
  // False without a TPM, and where the store may not be read: then there is no token for this
  // account.
  bool Present() noexcept;
  void NeedTpm(Where where = Where::Here());  // CKR_TOKEN_NOT_PRESENT
  CK_SLOT_INFO SlotInfo();
  CK_TOKEN_INFO Info();  // CKR_TOKEN_NOT_PRESENT
  std::vector<CK_MECHANISM_TYPE> Mechanisms();
  CK_MECHANISM_INFO MechanismInfo(CK_MECHANISM_TYPE type);  // CKR_MECHANISM_INVALID

  // Destroys all objects. The caller sees to it that no session is open. `label`: 32 bytes, blank
  // padded.
  void InitToken(Input so_pin, ByteView label);
  void Logout();

  // C_Finalize: forgets the login and everything held.
  void Shutdown() noexcept;
  // pthread_atfork: no thread is inside the store while the process forks.
  void LockForFork() { store_.LockForFork(); }
  void UnlockAfterFork() { store_.UnlockAfterFork(); }

  KeyScope scope() const { return scope_; }
  CK_SLOT_ID slot() const { return slot_; }
  tpm::Backend& backend() { return *backend_; }
  Login& login() { return login_; }
  Objects& objects() { return objects_; }
  Erasure& erasure() { return erasure_; }
  // The token of the other scope in this process; nullptr: none.
  Token* sibling() const { return sibling_; }
  void SetSibling(Token& other) { sibling_ = &other; }
  // Sees to it that a search finds the objects that it names: the TPM's endorsement keys, which
  // belong to the machine, and the profiles.
  void NeedDeviceObjects(const AttributeSet& wanted);
  // What new keys are made under. CKR_TOKEN_NOT_RECOGNIZED: the token is not initialised.
  tpm::Root RootOfKeys();
  // What the TPM can do: from the store, or asked of the TPM while there is no token and where its
  // store was made before stores knew that.
  std::shared_ptr<const tpm::Facts> facts();
  const MechanismRule& Mechanism(CK_MECHANISM_TYPE type);  // CKR_MECHANISM_INVALID

 private:
  const KeyScope scope_;
  const CK_SLOT_ID slot_;
  std::shared_ptr<tpm::Backend> backend_;
  store::ObjectStore store_;
  Login login_;
  Erasure erasure_;
  Objects objects_;
  Token* sibling_ = nullptr;
  std::atomic<bool> denial_told_{false};
  std::mutex facts_mutex_;
  std::shared_ptr<const tpm::Facts> facts_;
};

// Fills a fixed field of a CK_ structure with `text`, cut to whole UTF-8 characters and padded with
// blanks.
void FillBlank(std::span<CK_UTF8CHAR> field, std::string_view text);

}  // namespace keyscope::token
