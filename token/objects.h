// Objects: the token's objects (in the store) and the session objects (in memory), under one kind
// of handle.
//
// A token object's handle is made from its row, which is never used twice, so it stays right across
// sessions and processes, and memory does not grow with the store. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "token/login.h"
#include "token/object.h"

namespace keyscope::token {

// Where a search has got to.
struct Search {
  std::optional<AttributeSet> wanted;  // nullopt: nothing can match
  int64_t after_row = 0;
  bool rows_done = false;
  CK_OBJECT_HANDLE after_session_object = 0;
};

class Objects {
 public:
  Objects(KeyScope scope, CK_SLOT_ID slot, tpm::Backend& backend, store::ObjectStore& store,
          Login& login)
      : scope_(scope), slot_(slot), backend_(backend), store_(store), login_(login) {}

  // CKR_OBJECT_HANDLE_INVALID also for a private object that may not be seen, and for another
  // slot's.
  std::shared_ptr<const Object> Get(CK_OBJECT_HANDLE handle);
  // Token objects (CKA_TOKEN) go to the store in one transaction, session objects live as long as
  // session `owner`. All of `objects` are of the same sort.
  std::vector<CK_OBJECT_HANDLE> Add(std::vector<Object> objects, CK_SESSION_HANDLE owner);
  void Change(CK_OBJECT_HANDLE handle, const std::function<void(Object&)>& change);
  void Destroy(CK_OBJECT_HANDLE handle);
  // Writes handles and returns how many; fewer than asked for means that the search is at its end.
  size_t Next(Search& search, std::span<CK_OBJECT_HANDLE> found);

  // Gives a new private key its TPM half: sealed for the store, or ready in memory.
  void AttachKey(Object& object, tpm::KeyBlob blob, SecretBytes auth);
  // A private key ready for use.
  std::shared_ptr<const tpm::KeyRef> KeyOf(const Object& object);

  void DropSessionObjects(CK_SESSION_HANDLE owner) noexcept;
  void DropPrivateSessionObjects() noexcept;  // logout

 private:
  struct SessionObject {
    CK_SESSION_HANDLE owner;
    std::shared_ptr<const Object> object;
  };

  bool IsSessionHandle(CK_OBJECT_HANDLE handle) const { return (handle & 1) != 0; }
  CK_OBJECT_HANDLE HandleOf(int64_t number, bool session_object) const;
  int64_t NumberOf(CK_OBJECT_HANDLE handle) const;
  store::ObjectRow VisibleRow(CK_OBJECT_HANDLE handle);
  Object Open(const store::ObjectRow& row);
  bool Matches(const Object& object, const AttributeSet& wanted);
  size_t NextRows(Search& search, std::span<CK_OBJECT_HANDLE> found);
  size_t NextSessionObjects(Search& search, std::span<CK_OBJECT_HANDLE> found);
  store::Query QueryFor(const AttributeSet& wanted);
  template <typename Predicate>
  void DropIf(Predicate predicate) noexcept;

  const KeyScope scope_;
  const CK_SLOT_ID slot_;
  tpm::Backend& backend_;
  store::ObjectStore& store_;
  Login& login_;
  std::mutex mutex_;
  std::map<CK_OBJECT_HANDLE, SessionObject> session_objects_;
  int64_t last_session_object_ = 0;
};

}  // namespace keyscope::token
