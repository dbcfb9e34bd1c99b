#include "token/erasure.h"

#include "base/error.h"
#include "base/log.h"

namespace keyscope::token {
namespace {

constexpr int kPlacementTries = 3;  // another process may take the free handle first

}  // namespace

Erasure::Placement::Placement(Erasure& erasure, store::PendingErase note)
    : erasure_(&erasure), note_(std::move(note)), making_(erasure.store_.BeginMaking()) {
  note_.id = erasure_->store_.NotePendingErase(note_);
}

Erasure::Placement::~Placement() {
  if (erasure_ == nullptr) return;
  // Where the store failed at the end of the insertion, the row may be there and have the note.
  if (erasure_->Claim(note_)) erasure_->Erase(note_);
  Keep();
}

void Erasure::Placement::Keep() noexcept {
  erasure_ = nullptr;
  making_.reset();
}

void Erasure::Placement::Withdraw() noexcept {
  erasure_->ClearNote(note_);
  Keep();
}

Erasure::Placement Erasure::Announce(const Bytes& uid, Bytes name) {
  return Placement(
      *this, {.uid = uid, .scope = scope_, .name = std::move(name), .reason = store::kUnfinished});
}

Erasure::Placement Erasure::Place(const tpm::Root& root, const tpm::KeyRef& key) {
  for (int tries = 1;; ++tries) {
    try {
      Placement placement(*this, {.uid = key.uid,
                                  .scope = scope_,
                                  .handle = backend_.FreePersistentHandle(),
                                  .name = backend_.NameOf(key.blob),
                                  .reason = store::kUnfinished});
      backend_.Persist(root, key, static_cast<uint32_t>(placement.note().handle));
      return placement;
    } catch (const Error& error) {
      if (!error.Is(Fault::Busy) || tries == kPlacementTries) throw;
    }
  }
}

void EraseKey(tpm::Backend& backend, const store::PendingErase& note) {
  if (note.handle != 0)
    backend.Erase(static_cast<uint32_t>(note.handle), note.name);
  else
    backend.EraseNamed(note.scope, note.name);
}

bool Erasure::Erase(const store::PendingErase& note) noexcept {
  try {
    EraseKey(backend_, note);
  } catch (const std::exception& error) {
    log::Warn("the TPM still holds key ", Hex(note.uid), " (", note.reason,
              "); it is tried again at the next login: ", error.what());
    return false;
  }
  ClearNote(note);
  return true;
}

void Erasure::ClearNote(const store::PendingErase& note) noexcept try {
  store_.ClearPendingErase(note.id);
} catch (const std::exception& error) {
  log::Warn("the note that key ", Hex(note.uid), " is to be erased stays: ", error.what());
}

bool Erasure::Claim(const store::PendingErase& note) noexcept try {
  return store_.ClaimPendingErase(note.id);
} catch (const std::exception& error) {
  log::Warn("a key that was not finished is erased at the next login: ", error.what());
  return false;
}

void Erasure::Retry() noexcept try {
  for (const store::PendingErase& note : store_.ErasesDue())
    if (Claim(note)) Erase(note);
} catch (const std::exception& error) {
  log::Warn("pending erases are not tried again: ", error.what());
}

}  // namespace keyscope::token
