#include "tpm/tss/key_cache.h"

#include <algorithm>

namespace keyscope::tpm::tss {

std::list<KeyCache::Entry>::iterator KeyCache::Position(ByteView id) {
  return std::find_if(entries_.begin(), entries_.end(),
                      [&](const Entry& entry) { return Equal(entry.id, id); });
}

const Object* KeyCache::Find(ByteView id) {
  const auto found = Position(id);
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return &found->object;
}

const Object& KeyCache::Add(ByteView id, Object object, Place place) {
  const auto where = place == Place::First ? entries_.begin() : entries_.end();
  return entries_.insert(where, Entry{Copy(id), std::move(object)})->object;
}

void KeyCache::LearnCapacity() { capacity_ = std::max(entries_.size(), kLeastObjects); }

std::optional<TPM2_HANDLE> KeyCache::Remove(ByteView id) {
  const auto found = Position(id);
  if (found == entries_.end()) return std::nullopt;
  const TPM2_HANDLE handle = found->object.handle;
  entries_.erase(found);
  return handle;
}

std::optional<TPM2_HANDLE> KeyCache::RemoveOldest() {
  if (entries_.empty()) return std::nullopt;
  const TPM2_HANDLE handle = entries_.back().object.handle;
  entries_.pop_back();
  return handle;
}

std::vector<TPM2_HANDLE> KeyCache::RemoveAll() {
  std::vector<TPM2_HANDLE> handles;
  for (const Entry& entry : entries_) handles.push_back(entry.object.handle);
  entries_.clear();
  capacity_ = kMostObjects;
  return handles;
}

}  // namespace keyscope::tpm::tss
