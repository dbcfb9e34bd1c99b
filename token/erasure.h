// Erasure: keys that the hardware keeps (at persistent handles, or under names), and how they leave
// it.
//
// What is kept has a row in the store or a pending erase: a key is noted before the hardware keeps
// it, its row takes the note, and the row's deletion notes it again. So a crash leaves a
// note, never an orphan. Thread-safe.
#pragma once

#include <memory>
#include <utility>

#include "store/object_store.h"
#include "tpm/backend.h"

namespace keyscope::token {

// Has the hardware erase the key of `note`: at its handle, or under its name.
void EraseKey(tpm::Backend& backend, const store::PendingErase& note);

class Erasure {
 public:
  Erasure(KeyScope scope, tpm::Backend& backend, store::ObjectStore& store)
      : scope_(scope), backend_(backend), store_(store) {}

  // A kept key whose row is not in the store yet. Unless Keep() is called it is erased again.
  class Placement {
   public:
    Placement(Erasure& erasure, store::PendingErase note);
    Placement(Placement&& other) noexcept
        : erasure_(std::exchange(other.erasure_, nullptr)),
          note_(std::move(other.note_)),
          making_(std::move(other.making_)) {}
    Placement& operator=(Placement&&) = delete;
    ~Placement();
    void Keep() noexcept;      // its row is in the store
    void Withdraw() noexcept;  // what is there under its name is another's: only the note goes
    const store::PendingErase& note() const { return note_; }

   private:
    Erasure* erasure_;
    store::PendingErase note_;
    std::unique_ptr<store::Making> making_;  // no process takes it for a remnant
  };
  // Notes a key that the hardware is to keep under `name`, before it is made.
  Placement Announce(const Bytes& uid, Bytes name);
  // Makes a new key persistent. Fault::NoSpace when the TPM has no room.
  Placement Place(const tpm::Root& root, const tpm::KeyRef& key);

  // Erases a key and clears its note. False when the hardware did not do it: the note stays.
  bool Erase(const store::PendingErase& note) noexcept;
  // Tries all that is pending once more. To be called where the TPM is at work anyway: without
  // pending erases it costs no command.
  void Retry() noexcept;

 private:
  // To be called before Erase: false when the note was taken by the key's row, or when that cannot
  // be known.
  bool Claim(const store::PendingErase& note) noexcept;
  void ClearNote(const store::PendingErase& note) noexcept;

  const KeyScope scope_;
  tpm::Backend& backend_;
  store::ObjectStore& store_;
};

}  // namespace keyscope::token
