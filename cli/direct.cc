#include "cli/direct.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/path.h"
#include "token/erasure.h"

namespace keyscope::cli {

tpm::BackendOptions BackendOptionsOf(const p11::Config& config) {
  return {.tcti = config.tcti,
          .owner_auth = config.owner_auth.Clone(),
          .endorsement_auth = config.endorsement_auth.Clone(),
          .threads = false};
}

Direct::Direct() : config_(p11::LoadConfig()) {
  backend_ = tpm::MakeBackend(BackendOptionsOf(config_));
  for (KeyScope scope : kScopes)
    stores_[scope] = std::make_unique<store::ObjectStore>(store_path(scope), scope);
}

std::string Direct::folder(KeyScope scope) const {
  return scope == KeyScope::Machine ? config_.machine_dir : config_.user_dir;
}

std::string Direct::store_path(KeyScope scope) const {
  const std::string in = folder(scope);
  return in.empty() ? "" : Utf8Of(PathOf(in) / (std::string(Name(scope)) + ".db"));
}

Direct::Erased Direct::ErasePending(KeyScope scope) {
  Erased erased;
  for (const store::PendingErase& note : store(scope).ErasesDue()) {
    if (!store(scope).ClaimPendingErase(note.id)) continue;
    try {
      token::EraseKey(*backend_, note);
      store(scope).ClearPendingErase(note.id);
      ++erased.done;
    } catch (const Error& error) {
      erased.failures.push_back("key " + Hex(note.uid) + ": " + error.what());
    }
  }
  return erased;
}

std::vector<Bytes> Direct::Orphans(KeyScope scope) {
  // In this order: a key is noted before it is made.
  std::vector<Bytes> names = backend_->NamesIn(scope);
  const std::set<Bytes> known = store(scope).KeptNames();
  std::erase_if(names, [&](const Bytes& name) { return known.contains(name); });
  if (names.empty()) return names;
  // And a note goes after its key.
  const std::vector<Bytes> now = backend_->NamesIn(scope);
  std::erase_if(names,
                [&](const Bytes& name) { return std::ranges::find(now, name) == now.end(); });
  return names;
}

Direct::Erased Direct::EraseOrphans(KeyScope scope) {
  Erased erased;
  for (const Bytes& name : Orphans(scope)) {
    try {
      backend_->EraseNamed(scope, name);
      ++erased.done;
    } catch (const Error& error) {
      erased.failures.push_back("key " + AsString(name) + ": " + error.what());
    }
  }
  return erased;
}

}  // namespace keyscope::cli
