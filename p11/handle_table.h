// HandleTable: random handles to shared objects, each belonging to a slot. Thread-safe: what Get
// hands out lives as long as the caller holds it, whatever happens to the handle meanwhile.
#pragma once

#include <memory>
#include <mutex>
#include <random>
#include <unordered_map>
#include <vector>

#include "p11/cryptoki.h"

namespace keyscope::p11 {

template <typename T>
class HandleTable {
 public:
  struct Entry {
    CK_SLOT_ID slot = 0;
    std::shared_ptr<T> value;  // null: no such handle
  };

  // Adds what `make` returns for the new handle. `make` runs unlocked; if it throws, nothing is
  // added.
  template <typename Make>
  CK_ULONG Add(CK_SLOT_ID slot, Make make) {
    CK_ULONG handle = Reserve(slot);
    try {
      std::shared_ptr<T> value = make(handle);
      std::lock_guard lock(mutex_);
      entries_[handle].value = std::move(value);
    } catch (...) {
      std::lock_guard lock(mutex_);
      entries_.erase(handle);
      throw;
    }
    return handle;
  }

  Entry Get(CK_ULONG handle) const {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(handle);
    return found == entries_.end() ? Entry{} : found->second;
  }

  // Removes the handle and hands out what it stood for.
  Entry Take(CK_ULONG handle) {
    std::lock_guard lock(mutex_);
    auto found = entries_.find(handle);
    if (found == entries_.end() || found->second.value == nullptr) return {};
    Entry entry = std::move(found->second);
    entries_.erase(found);
    return entry;
  }

  // Removes all handles of a slot.
  std::vector<std::shared_ptr<T>> TakeSlot(CK_SLOT_ID slot) {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<T>> taken;
    for (auto item = entries_.begin(); item != entries_.end();) {
      Entry& entry = item->second;
      if (entry.slot != slot || entry.value == nullptr) {
        ++item;
        continue;
      }
      taken.push_back(std::move(entry.value));
      item = entries_.erase(item);
    }
    return taken;
  }

  bool HasSlot(CK_SLOT_ID slot) const {
    std::lock_guard lock(mutex_);
    for (const auto& [handle, entry] : entries_)
      if (entry.slot == slot) return true;
    return false;
  }

 private:
  // 32 bits: clients in Java and JavaScript keep handles in numbers that cannot hold 64.
  CK_ULONG Reserve(CK_SLOT_ID slot) {
    std::lock_guard lock(mutex_);
    for (;;) {
      CK_ULONG handle = random_();
      if (handle != CK_INVALID_HANDLE && entries_.try_emplace(handle, Entry{slot, nullptr}).second)
        return handle;
    }
  }

  mutable std::mutex mutex_;
  std::random_device random_;
  std::unordered_map<CK_ULONG, Entry> entries_;  // a null value: reserved, not yet there
};

}  // namespace keyscope::p11
