// Which objects of ours are loaded in the TPM, the most recently used first. Handles only: the
// device flushes what leaves.
#pragma once

#include <list>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "tpm/tss/commands.h"

namespace keyscope::tpm::tss {

class KeyCache {
 public:
  // Where a new object goes in the order: Last is for what is hardly used twice.
  enum class Place : uint8_t { First, Last };

  const Object* Find(ByteView id);  // makes it the most recently used; nullptr when absent
  const Object& Add(ByteView id, Object object, Place place);

  bool Full() const { return entries_.size() >= capacity_; }
  // The TPM had no room for one more than there are now: that is the capacity from now on.
  void LearnCapacity();

  std::optional<TPM2_HANDLE> Remove(ByteView id);
  std::optional<TPM2_HANDLE> RemoveOldest();
  std::vector<TPM2_HANDLE> RemoveAll();

 private:
  struct Entry {
    Bytes id;
    Object object;
  };
  std::list<Entry>::iterator Position(ByteView id);

  // Behind a resource manager any number will do; the TPM's own slots are learnt.
  static constexpr size_t kMostObjects = 8;
  // A parent and its child.
  static constexpr size_t kLeastObjects = 2;

  std::list<Entry> entries_;
  size_t capacity_ = kMostObjects;
};

}  // namespace keyscope::tpm::tss
