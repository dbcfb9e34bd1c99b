#include "cli/diagnosis.h"

#include "base/error.h"
#include "cli/advice.h"
#include "cli/module.h"
#include "store/integrity.h"

namespace keyscope::cli {
namespace {

class Doctor {
 public:
  explicit Doctor(Direct& direct) : direct_(direct) {}

  std::vector<Symptom> Look() {
    Configuration();
    has_tpm_ = CanReach() && Tpm();
    if (has_tpm_) {
      Lockout();
      StorageRoot();
    }
    for (KeyScope scope : kScopes)
      if (Store(scope) && has_tpm_) Orphans(scope);
    return std::move(symptoms_);
  }

 private:
  void Good(const std::string& check, const std::string& found) {
    symptoms_.push_back({check, true, found, {}});
  }
  void Bad(const std::string& check, const std::string& found, Mend mend) {
    symptoms_.push_back({check, false, found, std::move(mend)});
  }

  void Configuration() {
    for (const std::string& problem : direct_.config().problems)
      Bad("configuration", problem, EditConfiguration());
    if (direct_.config().problems.empty()) Good("configuration", WayToTpm(direct_.config().tcti));
  }

  bool CanReach() {
    std::optional<Symptom> wrong = WrongWithDevice(direct_.config().tcti);
    if (wrong) symptoms_.push_back(std::move(*wrong));
    return !wrong.has_value();
  }

  bool Tpm() {
    try {
      direct_.Reach();
      const tpm::Facts facts = direct_.backend().LearnFacts();
      Good("TPM", facts.manufacturer + " " + facts.model + " answers");
      return true;
    } catch (const Error& error) {
      Bad("TPM", error.what(), ReachTpm());
      return false;
    }
  }

  void Lockout() {
    try {
      const tpm::Lockout lockout = direct_.backend().ReadLockout();
      const std::string tries = std::to_string(lockout.tries_used) + " of " +
                                std::to_string(lockout.max_tries) + " wrong tries are used";
      if (!lockout.in_lockout) {
        Good("lockout", tries);
        return;
      }
      Bad("lockout",
          "the TPM is locked out after wrong PINs: " + tries + "; it gives one back every " +
              std::to_string(lockout.seconds_per_try) + " seconds",
          ClearLockout());
    } catch (const Error& error) {
      Bad("lockout", error.what(), ReadLockout());
    }
  }

  void StorageRoot() {
    try {
      root_ = direct_.StorageRootName();
      Good("storage root", root_ ? "0x81000001 holds " + Hex(*root_)
                                 : "0x81000001 is free; `keyscope init` makes it");
    } catch (const Error& error) {
      Bad("storage root", error.what(), ReadStorageRoot());
      has_tpm_ = false;
    }
  }

  // Whether it can be read.
  bool Store(KeyScope scope) {
    const std::string name(Name(scope)), check = name + " token";
    try {
      if (direct_.folder(scope).empty()) {
        Bad(check, "this process has no home folder, so there is no place for the store",
            NameUserFolder());
        return false;
      }
      store::CheckIntegrity(direct_.store_path(scope), scope);
      const auto token = direct_.store(scope).LoadToken();
      if (!token)
        Bad(check, "not initialised", {"keyscope init --scope " + name});
      else if (!token->user_pin)
        Bad(check, "the user PIN is not set", {"keyscope init --pin-only --scope " + name});
      else
        TokenOnTpm(scope, *token);
      return true;
    } catch (const Error& error) {
      Bad(check, error.what(), MendStore(scope, error));
      return false;
    }
  }

  void Orphans(KeyScope scope) {
    const std::string name(Name(scope)), check = name + " keys";
    try {
      const std::vector<Bytes> orphans = direct_.Orphans(scope);
      if (orphans.empty()) return;
      std::string found = direct_.store_path(scope) + " knows nothing of " +
                          std::to_string(orphans.size()) + " that the provider has:";
      for (const Bytes& orphan : orphans) found += ' ' + AsString(orphan);
      Bad(check, found,
          {"restore the store from a backup, if there is a newer one than this",
           "keyscope erase-pending --orphans " + name +
               "   if no store in another place has them"});
    } catch (const Error& error) {
      Bad(check, error.what(), ReachTpm());
    }
  }

  Mend MendStore(KeyScope scope, const Error& error) {
    const std::string path = direct_.store_path(scope);
    if (error.Is(Fault::TooNew))
      return {"install a newer Keyscope: one has written " + path + " already"};
    return error.Is(Fault::Denied) ? AllowStore({scope, direct_.folder(scope), path,
                                                 direct_.store_path(OtherThan(scope))})
                                   : MoveAside(path);
  }

  // The token's keys hang on the storage root under which they were made.
  void TokenOnTpm(KeyScope scope, const store::TokenRow& token) {
    const std::string name(Name(scope)), check = name + " token";
    const Mend start_again = {"keyscope key list --offline --scope " + name + "   # what is lost",
                              "keyscope key delete --offline --all --scope " + name,
                              "keyscope init --force --scope " + name};
    const std::string cleared =
        "its keys are of another storage root: the TPM was cleared or exchanged, and they are lost";
    const bool known = !has_tpm_ || (root_ && *root_ == token.root_name);
    const bool lost = !known && ((root_ && token.root_handle != 0) || !direct_.StillMakes(token));
    if (lost) {
      Bad(check, cleared, start_again);
    } else if (!known && token.root_handle != 0) {
      Bad(check,
          "the storage root of its keys is missing at 0x81000001; this TPM can make it again",
          {"keyscope init --storage-root"});
    } else {
      Good(check, "'" + Trimmed(token.label) + "' is initialised");
    }
  }

  Direct& direct_;
  std::vector<Symptom> symptoms_;
  bool has_tpm_ = false;
  std::optional<Bytes> root_;
};

}  // namespace

std::vector<Symptom> Diagnose(Direct& direct) { return Doctor(direct).Look(); }

}  // namespace keyscope::cli
