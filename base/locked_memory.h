// Memory for secrets: one small arena that is kept out of swap, where the system allows it, and out
// of core dumps. Lock-free, so that a fork at any time leaves it usable.
#pragma once

#include <cstddef>

namespace keyscope {

// `size` bytes of the arena; of the heap when they are more than 4096 or the arena is full. Throws
// std::bad_alloc.
void* AllocateLocked(size_t size);
void FreeLocked(void* memory, size_t size) noexcept;
// To be called in the child of a fork, which inherits neither the lock nor its parent's secrets:
// where the kernel can do that, its arena is empty.
void LockArenaAgain() noexcept;

// For containers of secrets, which wipe what they give back.
template <typename T>
struct LockedAllocator {
  using value_type = T;
  T* allocate(size_t count) { return static_cast<T*>(AllocateLocked(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) noexcept { FreeLocked(memory, count * sizeof(T)); }
  bool operator==(const LockedAllocator&) const = default;
};

}  // namespace keyscope
