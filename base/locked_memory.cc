#include "base/locked_memory.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <sys/mman.h>
#endif

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

namespace keyscope {
namespace {

// 64 KiB: what the system lets every account lock.
constexpr size_t kSlotSize = 64, kWords = 16, kSlotsPerWord = 64;
constexpr size_t kArenaSize = kSlotSize * kSlotsPerWord * kWords;

void Lock(void* memory) {
#ifdef _WIN32
  VirtualLock(memory, kArenaSize);
#else
  mlock(memory, kArenaSize);
#endif
}

// nullptr: there is none.
std::byte* MapArena() {
#ifdef _WIN32
  void* memory = VirtualAlloc(nullptr, kArenaSize, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
  if (memory == nullptr) return nullptr;
#else
  void* memory =
      mmap(nullptr, kArenaSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, kArenaSize, MADV_DONTDUMP);
#ifdef MADV_WIPEONFORK
  madvise(memory, kArenaSize, MADV_WIPEONFORK);
#endif
#endif
  Lock(memory);
  return static_cast<std::byte*>(memory);
}

struct Arena {
  std::byte* const memory = MapArena();
  std::array<std::atomic<uint64_t>, kWords> used{};  // a bit for each slot
};

// Leaked on purpose: secrets may be freed while the process exits.
Arena& TheArena() {
  static auto& arena = *new Arena;
  return arena;
}

uint64_t Run(size_t slots) { return slots == kSlotsPerWord ? ~0ULL : (1ULL << slots) - 1; }
size_t SlotsFor(size_t size) { return (size + kSlotSize - 1) / kSlotSize; }

// The first of `slots` free slots in a row, which are then used; or kSlotsPerWord.
size_t TakeRun(std::atomic<uint64_t>& word, size_t slots) {
  uint64_t used = word;
  for (size_t first = 0; first + slots <= kSlotsPerWord;) {
    const uint64_t run = Run(slots) << first;
    if ((used & run) != 0)
      ++first;
    else if (word.compare_exchange_weak(used, used | run))
      return first;
    else
      first = 0;
  }
  return kSlotsPerWord;
}

}  // namespace

void LockArenaAgain() noexcept {
  if (std::byte* const memory = TheArena().memory) Lock(memory);
}

void* AllocateLocked(size_t size) {
  Arena& arena = TheArena();
  const size_t slots = SlotsFor(size);
  for (size_t word = 0; arena.memory != nullptr && slots <= kSlotsPerWord && word < kWords;
       ++word) {
    const size_t first = TakeRun(arena.used[word], slots);
    if (first != kSlotsPerWord) return arena.memory + (word * kSlotsPerWord + first) * kSlotSize;
  }
  return ::operator new(size);
}

void FreeLocked(void* memory, size_t size) noexcept {
  Arena& arena = TheArena();
  const auto* first = static_cast<std::byte*>(memory);
  if (arena.memory == nullptr || first < arena.memory || first >= arena.memory + kArenaSize)
    return ::operator delete(memory);
  const size_t slot = static_cast<size_t>(first - arena.memory) / kSlotSize;
  arena.used[slot / kSlotsPerWord] &= ~(Run(SlotsFor(size)) << slot % kSlotsPerWord);
}

}  // namespace keyscope
