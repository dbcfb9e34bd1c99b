// keyscope erase-pending
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/direct.h"

namespace keyscope::cli {
namespace {

struct ErasePending {
  void AddTo(Arguments) {}
  void Run(Context& context) const {
    Direct direct;
    Json scopes = Json::array();
    for (KeyScope scope : kScopes) {
      Json one = {{"scope", Name(scope)}};
      try {
        const Direct::Erased erased = direct.ErasePending(scope);
        one["erased"] = erased.done;
        if (!erased.failures.empty()) one["still_pending"] = erased.failures;
        if (!erased.failures.empty()) context.exit = Exit::Failed;
      } catch (const Error& error) {
        one["failed"] = error.what();
        context.exit = Exit::Failed;
      }
      scopes.push_back(std::move(one));
    }
    context.Answer(scopes);
  }
};

}  // namespace

void AddErasePending(Arguments program, Context& context) {
  AddCommand<ErasePending>(program, context, "erase-pending",
                           "Erase from the TPM the keys whose records are gone already");
}

}  // namespace keyscope::cli
