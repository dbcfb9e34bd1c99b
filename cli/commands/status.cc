// keyscope status
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/direct.h"

namespace keyscope::cli {
namespace {

Json TpmStatus(Direct& direct) {
  Json status = Json::object();
  if (Direct::kHasTcti) status["tcti"] = direct.config().tcti;
  try {
    direct.Reach();
    const tpm::Facts facts = direct.backend().LearnFacts();
    const tpm::Lockout lockout = direct.backend().ReadLockout();
    status["manufacturer"] = facts.manufacturer;
    status["model"] = facts.model;
    status["firmware"] =
        std::to_string(facts.firmware_major) + "." + std::to_string(facts.firmware_minor);
    status["locked_out"] = lockout.in_lockout;
    status["tries_used"] = lockout.tries_used;
    status["max_tries"] = lockout.max_tries;
    const auto root = direct.StorageRootName();
    status["storage_root"] = root ? Json(Hex(*root)) : Json("missing");
  } catch (const Error& error) {
    status["unreachable"] = error.what();
  }
  return status;
}

Json TokenStatus(Direct& direct, KeyScope scope) {
  Json status = {{"scope", Name(scope)}, {"store", direct.store_path(scope)}};
  try {
    const auto token = direct.store(scope).LoadToken();
    status["initialised"] = token.has_value();
    if (!token) return status;
    status["label"] = Trimmed(token->label);
    status["serial"] = token->serial;
    status["login_required"] = token->login_required;
    status["user_pin_set"] = token->user_pin.has_value();
    status["objects"] = direct.store(scope).Count();
    status["pending_erases"] = direct.store(scope).PendingErases().size();
  } catch (const Error& error) {
    status["unreadable"] = error.what();
  }
  return status;
}

struct Status {
  void AddTo(Arguments) {}
  void Run(Context& context) const {
    Direct direct;
    Json tokens = Json::array();
    for (KeyScope scope : kScopes) tokens.push_back(TokenStatus(direct, scope));
    context.Answer({{"tpm", TpmStatus(direct)}, {"tokens", std::move(tokens)}});
  }
};

}  // namespace

void AddStatus(Arguments program, Context& context) {
  AddCommand<Status>(program, context, "status", "The TPM, both tokens and their stores");
}

}  // namespace keyscope::cli
