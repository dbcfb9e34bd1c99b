#include "token/objects.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "p11/keyscope.h"
#include "token/endorsement.h"
#include "token/pcr_binding.h"
#include "token/public_of.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

constexpr size_t kSearchBatch = 64;
constexpr size_t kMostCached = 64;
constexpr int kHandleBits = std::numeric_limits<CK_OBJECT_HANDLE>::digits,
              kLogoutsBits = kHandleBits == 64 ? 16 : 4, kLogoutsShift = kHandleBits - kLogoutsBits;
constexpr CK_OBJECT_HANDLE kAllNumbers = (CK_OBJECT_HANDLE{1} << (kLogoutsShift - 3)) - 1;

[[noreturn]] void NoSuchObject(Where where = Where::Here()) {
  Refuse(CKR_OBJECT_HANDLE_INVALID, "no such object in this slot, or not to be seen now", where);
}

// Nullopt: not the device's own.
std::optional<DeviceObjects> SortOf(const Object& object) {
  if (object.attributes.Bool(CKA_KEYSCOPE_ENDORSEMENT)) return DeviceObjects::Endorsements;
  if (object.kind == kProfile) return DeviceObjects::Profiles;
  return std::nullopt;
}

}  // namespace

std::optional<DeviceObjects> Named(const AttributeSet& wanted) {
  if (AsksForEndorsements(wanted)) return DeviceObjects::Endorsements;
  if (wanted.Ulong(CKA_CLASS) == CKO_PROFILE) return DeviceObjects::Profiles;
  return std::nullopt;
}

// Bit 0: a session object. Bit 1: the slot. Then the row, or a number never used twice. On top, for
// the row of a private object, the number of logouts, as far as there is room.
CK_OBJECT_HANDLE Objects::HandleOf(int64_t number, bool session_object) const {
  if (number > static_cast<int64_t>(kAllNumbers))
    throw Error(Fault::NoSpace, "no handle is left for object " + std::to_string(number));
  return static_cast<CK_OBJECT_HANDLE>(number) << 2 | (slot_ & 1) << 1 | (session_object ? 1 : 0);
}

CK_OBJECT_HANDLE Objects::HandleOfRow(int64_t row, bool is_private) const {
  const CK_OBJECT_HANDLE handle = HandleOf(row, false);
  return is_private ? handle | login_.logouts() << kLogoutsShift : handle;
}

bool Objects::MayBeSeen(CK_OBJECT_HANDLE handle, bool is_private) const {
  return (!is_private || login_.SeesPrivate()) &&
         handle == HandleOfRow(NumberOf(handle), is_private);
}

bool Objects::MayBeSeen(const Object& object) const {
  return !object.is_private() || (login_.SeesPrivate() && object.login == login_.generation());
}

int64_t Objects::NumberOf(CK_OBJECT_HANDLE handle) const {
  if ((handle >> 1 & 1) != (slot_ & 1)) NoSuchObject();
  return static_cast<int64_t>(handle >> 2 & kAllNumbers);
}

store::ObjectRow Objects::VisibleRow(CK_OBJECT_HANDLE handle) {
  const int64_t id = NumberOf(handle);
  auto row = id > 0 ? store_.Load(id) : std::nullopt;
  if (!row || !MayBeSeen(handle, row->is_private)) NoSuchObject();
  return std::move(*row);
}

Object Objects::Open(const store::ObjectRow& row) {
  const auto vault = row.is_private ? login_.vault() : nullptr;
  return FromRow(row, vault.get());
}

Objects::Cached& Objects::CacheFor(int64_t row, const store::Version& version) {
  const uint64_t login = login_.generation();
  if (version != cache_version_ || login != cache_login_ || cache_.size() >= kMostCached) {
    cache_.clear();
    cache_version_ = version;
    cache_login_ = login;
  }
  return cache_[row];
}

std::shared_ptr<const Object> Objects::GetRow(CK_OBJECT_HANDLE handle) {
  const store::Version version = store_.CurrentVersion();
  const int64_t row = NumberOf(handle);
  {
    std::lock_guard lock(cache_mutex_);
    const auto& cached = CacheFor(row, version).object;
    if (cached != nullptr) {
      if (!MayBeSeen(handle, cached->is_private())) NoSuchObject();
      return cached;
    }
  }
  Object opened = Open(VisibleRow(handle));
  if ((opened.kind & kPublic) != 0) opened.software_key = SoftwareKeyOf(opened);
  auto object = std::make_shared<const Object>(std::move(opened));
  std::lock_guard lock(cache_mutex_);
  CacheFor(row, version).object = object;
  return object;
}

std::shared_ptr<const Object> Objects::Get(CK_OBJECT_HANDLE handle) {
  if (!IsSessionHandle(handle)) return GetRow(handle);
  NumberOf(handle);
  std::shared_ptr<const Object> object;
  {
    std::lock_guard lock(mutex_);
    auto found = session_objects_.find(handle);
    if (found != session_objects_.end()) object = found->second.object;
  }
  if (object == nullptr || !MayBeSeen(*object)) NoSuchObject();
  return object;
}

CK_OBJECT_HANDLE Objects::AddToSession(Object object, CK_SESSION_HANDLE owner) {
  const CK_OBJECT_HANDLE handle = HandleOf(++last_session_object_, true);
  session_objects_.emplace(handle,
                           SessionObject{owner, std::make_shared<const Object>(std::move(object))});
  return handle;
}

void Objects::RequireLogin(const std::vector<Object>& objects) const {
  for (const Object& object : objects)
    if ((object.is_private() || object.material) && object.login != login_.generation())
      Refuse(CKR_USER_NOT_LOGGED_IN, "the login ended while the object was made");
}

std::vector<CK_OBJECT_HANDLE> Objects::Add(std::vector<Object> objects, CK_SESSION_HANDLE owner) {
  std::vector<CK_OBJECT_HANDLE> handles;
  if (!objects.front().attributes.Bool(CKA_TOKEN)) {
    std::lock_guard lock(mutex_);
    RequireLogin(objects);
    for (Object& object : objects) handles.push_back(AddToSession(std::move(object), owner));
    return handles;
  }
  const store::TokenRow token = login_.Row();
  RequireLogin(objects);  // what was sealed under an older token's secret would open no more
  std::vector<store::ObjectRow> rows;
  rows.reserve(objects.size());
  for (const Object& object : objects)
    rows.push_back(ToRow(object, scope_, object.is_private() ? login_.vault().get() : nullptr));
  std::vector<store::ObjectRow*> pointers;
  pointers.reserve(rows.size());
  for (store::ObjectRow& row : rows) pointers.push_back(&row);
  store_.Insert(token.epoch, pointers);
  for (const store::ObjectRow& row : rows) handles.push_back(HandleOfRow(row.id, row.is_private));
  return handles;
}

void Objects::Change(CK_OBJECT_HANDLE handle, const std::function<void(Object&)>& change) {
  if (IsSessionHandle(handle)) {
    // Again when another thread has changed it meanwhile.
    for (;;) {
      const auto before = Get(handle);
      Object changed = *before;
      change(changed);
      std::lock_guard lock(mutex_);
      auto found = session_objects_.find(handle);
      if (found == session_objects_.end()) NoSuchObject();
      if (found->second.object != before) continue;
      found->second.object = std::make_shared<const Object>(std::move(changed));
      return;
    }
  }
  const bool is_private = VisibleRow(handle).is_private;
  const auto vault = is_private ? login_.vault() : nullptr;
  const bool there = store_.Change(NumberOf(handle), [&](store::ObjectRow& row) {
    if (row.is_private != is_private) NoSuchObject();
    Object object = FromRow(row, vault.get());
    change(object);
    store::ObjectRow changed = ToRow(object, scope_, vault.get());
    row.body = std::move(changed.body);
    row.index = std::move(changed.index);
  });
  if (!there) NoSuchObject();
}

Bytes Objects::LoadedAs(CK_OBJECT_HANDLE handle) try {
  const store::ObjectRow row = VisibleRow(handle);
  return row.material ? row.uid : Bytes();
} catch (const Error& error) {
  if (!error.Is(Fault::Corrupt) || !login_.SeesPrivate()) throw;
  return {};
}

void Objects::Destroy(CK_OBJECT_HANDLE handle) {
  if (IsSessionHandle(handle)) {
    const auto object = Get(handle);
    {
      std::lock_guard lock(mutex_);
      if (session_objects_.erase(handle) == 0) NoSuchObject();
    }
    if (object->session_key != nullptr) backend_.Release(object->uid);
    return;
  }
  // Only a key is given back: that waits for what the TPM is at.
  const Bytes uid = LoadedAs(handle);
  std::optional<store::PendingErase> kept;
  if (!store_.Delete(NumberOf(handle), &kept)) NoSuchObject();
  if (!uid.empty()) backend_.Release(uid);
  if (kept && !erasure_.Erase(*kept))
    throw Error(
        Rv{CKR_KEYSCOPE_PARTIAL_DELETE},
        "the object is gone, but the TPM still holds its key; the erasing is tried again at "
        "the next login");
}

bool Objects::Has(DeviceObjects which) {
  std::lock_guard lock(mutex_);
  return has_device_objects_[static_cast<size_t>(which)];
}

void Objects::Add(DeviceObjects which, std::vector<Object> objects) {
  std::lock_guard lock(mutex_);
  bool& has = has_device_objects_[static_cast<size_t>(which)];
  if (has) return;
  for (Object& object : objects) AddToSession(std::move(object), CK_INVALID_HANDLE);
  has = true;
}

bool Objects::HasAk(const std::string& unique_id) {
  const auto uid = FromHex(unique_id);
  if (!uid) return false;
  if (store_.AkIdOf(*uid) == unique_id) return true;
  std::lock_guard lock(mutex_);
  return std::ranges::any_of(session_objects_, [&](const auto& entry) {
    const Object& object = *entry.second.object;
    return object.uid == *uid && object.attributes.Bool(CKA_KEYSCOPE_ATTESTATION_KEY);
  });
}

store::Query Objects::QueryFor(const AttributeSet& wanted) {
  store::Query query;
  query.with_private = login_.SeesPrivate();
  const auto vault = query.with_private ? login_.vault() : nullptr;
  if (auto object_class = wanted.Ulong(CKA_CLASS))
    query.object_class = static_cast<int64_t>(*object_class);
  for (const auto& [type, value] : wanted) {
    const AttributeRule* rule = FindRule(type);
    if (rule != nullptr && IsIndexed(*rule, value))
      query.all_of.push_back(SearchTags(type, value, vault.get()));
  }
  return query;
}

size_t Objects::Next(Search& search, std::span<CK_OBJECT_HANDLE> found) {
  if (!search.wanted) return 0;
  const size_t count = NextRows(search, found);
  return count + NextSessionObjects(search, found.subspan(count));
}

bool Objects::MoreRows(Search& search) {
  if (search.rows_done) return false;
  auto ids = store_.Find(QueryFor(*search.wanted), search.after_row, kSearchBatch);
  search.rows_done = ids.size() < kSearchBatch;
  if (ids.empty()) return false;
  search.after_row = ids.back();
  search.rows = std::move(ids);
  search.looked_at = 0;
  return true;
}

size_t Objects::NextRows(Search& search, std::span<CK_OBJECT_HANDLE> found) {
  size_t count = 0;
  while (count < found.size() && (search.looked_at < search.rows.size() || MoreRows(search))) {
    const auto rest = std::span(search.rows).subspan(search.looked_at);
    const auto loaded = store_.LoadSome(rest.first(std::min(rest.size(), found.size() - count)));
    for (size_t i = 0; i < loaded.size(); ++i)
      if (Fits(loaded[i], rest[i], *search.wanted))
        found[count++] = HandleOfRow(rest[i], loaded[i].row->is_private);
    search.looked_at += loaded.size();
  }
  return count;
}

bool Objects::Fits(const store::LoadedRow& loaded, int64_t id, const AttributeSet& wanted) try {
  if (loaded.corrupt) throw *loaded.corrupt;
  if (id > static_cast<int64_t>(kAllNumbers))
    throw Error(Fault::Corrupt, "no row has such a number unless by hand; delete it");
  // It may have gone since, or the user have logged out.
  if (!loaded.row || (loaded.row->is_private && !login_.SeesPrivate())) return false;
  return Matches(Open(*loaded.row), wanted);
} catch (const Error& error) {
  // One unreadable object must not hide the others.
  if (!error.Is(Fault::Corrupt)) throw;
  log::Error("object ", id, " of the ", Name(scope_), " token is skipped: ", error.what());
  return false;
}

size_t Objects::NextSessionObjects(Search& search, std::span<CK_OBJECT_HANDLE> found) {
  const auto named = Named(*search.wanted);
  size_t count = 0;
  std::lock_guard lock(mutex_);
  auto next = session_objects_.upper_bound(search.after_session_object);
  for (; next != session_objects_.end() && count < found.size(); ++next) {
    search.after_session_object = next->first;
    const Object& object = *next->second.object;
    const auto sort = SortOf(object);
    if (sort && sort != named) continue;
    if (MayBeSeen(object) && Matches(object, *search.wanted)) found[count++] = next->first;
  }
  return count;
}

void Objects::AttachKey(Object& object, tpm::KeyBlob blob, SecretBytes auth) {
  if (object.attributes.Bool(CKA_TOKEN)) {
    object.material = {.public_area = std::move(blob.public_area),
                       .private_area = std::move(blob.private_area),
                       .auth = login_.vault()->SealAuth(object.uid, scope_, auth)};
  } else {
    object.session_key = std::make_shared<const tpm::KeyRef>(
        tpm::KeyRef{object.uid, scope_, std::move(blob), std::move(auth), 0, BindingOf(object)});
  }
}

std::shared_ptr<const tpm::KeyRef> Objects::KeyOf(const Object& object) {
  if (object.session_key != nullptr) return object.session_key;
  if (!object.material)
    throw Error(Fault::Corrupt, "key " + Hex(object.uid) + " has lost its TPM half; delete it");
  const auto vault = login_.vault();
  std::lock_guard lock(cache_mutex_);
  auto cached = cache_.find(object.row);
  const bool same = cached != cache_.end() && cached->second.object.get() == &object &&
                    cache_login_ == login_.generation();
  if (same && cached->second.key != nullptr) return cached->second.key;
  auto key = std::make_shared<const tpm::KeyRef>(
      tpm::KeyRef{object.uid,
                  scope_,
                  {object.material->public_area, object.material->private_area},
                  vault->OpenAuth(object.uid, scope_, object.material->auth),
                  static_cast<uint32_t>(object.material->handle),
                  BindingOf(object)});
  if (same) cached->second.key = key;
  return key;
}

template <typename Predicate>
void Objects::DropIf(Predicate predicate) noexcept {
  std::lock_guard lock(mutex_);
  std::erase_if(session_objects_, [&](const auto& entry) { return predicate(entry.second); });
}

void Objects::DropSessionObjects(CK_SESSION_HANDLE owner) noexcept {
  DropIf([&](const SessionObject& entry) { return entry.owner == owner; });
}

void Objects::ForgetPrivate() noexcept {
  {
    std::lock_guard lock(cache_mutex_);
    cache_.clear();
  }
  DropIf([](const SessionObject& entry) { return entry.object->is_private(); });
}

}  // namespace keyscope::token
