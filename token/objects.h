// Objects: the token's objects (in the store) and the session objects (in memory), under one kind
// of handle.
//
// A token object's handle is made from its row, which is never used twice, so it stays right across
// sessions, and memory does not grow with the store. A private one's ends with the login (section
// 5.6.10): it tells how many logouts came before it. Thread-safe.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "token/erasure.h"
#include "token/login.h"
#include "token/object.h"

namespace keyscope::token {

// Where a search has got to.
struct Search {
  std::optional<AttributeSet> wanted;  // nullopt: nothing can match
  std::vector<int64_t> rows = {};      // found: one batch at most
  size_t looked_at = 0;                // of them
  int64_t after_row = 0;               // the last one that was found
  bool rows_done = false;              // there are none behind it
  CK_OBJECT_HANDLE after_session_object = 0;
};

// Sorts of objects that the device brings. A search finds them only when it names them: by
// CKA_KEYSCOPE_ENDORSEMENT or their label, or by the class CKO_PROFILE.
enum class DeviceObjects : uint8_t { Endorsements, Profiles };
// Which of them a search names.
std::optional<DeviceObjects> Named(const AttributeSet& wanted);

class Objects {
 public:
  Objects(KeyScope scope, CK_SLOT_ID slot, tpm::Backend& backend, store::ObjectStore& store,
          Login& login, Erasure& erasure)
      : scope_(scope),
        slot_(slot),
        backend_(backend),
        store_(store),
        login_(login),
        erasure_(erasure) {}

  // CKR_OBJECT_HANDLE_INVALID also for a private object that may not be seen, and for another
  // slot's.
  std::shared_ptr<const Object> Get(CK_OBJECT_HANDLE handle);
  // Token objects (CKA_TOKEN) go to the store in one transaction, session objects live as long as
  // session `owner`. All of `objects` are of the same sort.
  std::vector<CK_OBJECT_HANDLE> Add(std::vector<Object> objects, CK_SESSION_HANDLE owner);
  void Change(CK_OBJECT_HANDLE handle, const std::function<void(Object&)>& change);
  // The object is gone when it returns, and when it throws CKR_KEYSCOPE_PARTIAL_DELETE: then the
  // TPM still holds the key. Works for objects that cannot be read, as long as private ones may be
  // seen.
  void Destroy(CK_OBJECT_HANDLE handle);
  // Writes handles and returns how many; fewer than asked for means that the search is at its end.
  size_t Next(Search& search, std::span<CK_OBJECT_HANDLE> found);

  // The device's own objects, kept as session objects of nobody; the first ones given stay.
  bool Has(DeviceObjects which);
  void Add(DeviceObjects which, std::vector<Object> objects);
  // Whether there is an AK with this CKA_UNIQUE_ID, whether or not it may be seen now.
  bool HasAk(const std::string& unique_id);

  // Gives a new private key its TPM half: sealed for the store, or ready in memory.
  void AttachKey(Object& object, tpm::KeyBlob blob, SecretBytes auth);
  // A private key ready for use.
  std::shared_ptr<const tpm::KeyRef> KeyOf(const Object& object);

  void DropSessionObjects(CK_SESSION_HANDLE owner) noexcept;
  // Logout: private session objects go, and what was read with the login's secrets.
  void ForgetPrivate() noexcept;

 private:
  // What was read of the store, as long as nothing is written to it and nobody logs out.
  struct Cached {
    std::shared_ptr<const Object> object;
    std::shared_ptr<const tpm::KeyRef> key;  // once it was needed
  };
  struct SessionObject {
    CK_SESSION_HANDLE owner;
    std::shared_ptr<const Object> object;
  };

  bool IsSessionHandle(CK_OBJECT_HANDLE handle) const { return (handle & 1) != 0; }
  CK_OBJECT_HANDLE HandleOf(int64_t number, bool session_object) const;
  CK_OBJECT_HANDLE HandleOfRow(int64_t row, bool is_private) const;
  // Whether a row may be seen now, by a handle of this login.
  bool MayBeSeen(CK_OBJECT_HANDLE handle, bool is_private) const;
  bool MayBeSeen(const Object& object) const;  // a session object
  // CKR_USER_NOT_LOGGED_IN for new objects that are private or sealed, when the login that they
  // were begun with has ended.
  void RequireLogin(const std::vector<Object>& objects) const;
  int64_t NumberOf(CK_OBJECT_HANDLE handle) const;
  std::shared_ptr<const Object> GetRow(CK_OBJECT_HANDLE handle);
  store::ObjectRow VisibleRow(CK_OBJECT_HANDLE handle);
  // As what the TPM may hold the object's key; empty: it has none, or the row cannot be read.
  Bytes LoadedAs(CK_OBJECT_HANDLE handle);
  Object Open(const store::ObjectRow& row);
  // The entry for a row in a cache that is as new as the store; needs cache_mutex_.
  Cached& CacheFor(int64_t row, const store::Version& version);
  bool MoreRows(Search& search);  // false: there are none
  bool Fits(const store::LoadedRow& loaded, int64_t id, const AttributeSet& wanted);
  size_t NextRows(Search& search, std::span<CK_OBJECT_HANDLE> found);
  size_t NextSessionObjects(Search& search, std::span<CK_OBJECT_HANDLE> found);
  store::Query QueryFor(const AttributeSet& wanted);
  CK_OBJECT_HANDLE AddToSession(Object object, CK_SESSION_HANDLE owner);  // needs mutex_
  template <typename Predicate>
  void DropIf(Predicate predicate) noexcept;

  const KeyScope scope_;
  const CK_SLOT_ID slot_;
  tpm::Backend& backend_;
  store::ObjectStore& store_;
  Login& login_;
  Erasure& erasure_;
  std::mutex mutex_;
  std::map<CK_OBJECT_HANDLE, SessionObject> session_objects_;
  int64_t last_session_object_ = 0;
  std::array<bool, 2> has_device_objects_{};  // by DeviceObjects

  std::mutex cache_mutex_;
  store::Version cache_version_;
  uint64_t cache_login_ = 0;
  std::map<int64_t, Cached> cache_;
};

}  // namespace keyscope::token
