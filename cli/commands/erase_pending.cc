// keyscope erase-pending
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/direct.h"

namespace keyscope::cli {
namespace {

struct ErasePending {
  std::string orphans;

  void AddTo(Arguments args) {
    args.Add("--orphans", orphans,
             "Also the keys of this scope (machine or user) that the Platform Crypto Provider has, "
             "and its store neither a record nor a note of")
        .OneOf({"machine", "user"});
  }
  void Run(Context& context) const {
    Direct direct;
    Json scopes = Json::array();
    for (KeyScope scope : kScopes) {
      Json one = {{"scope", Name(scope)}};
      const auto tell = [&](const char* done, const char* failed, const Direct::Erased& erased) {
        one[done] = erased.done;
        if (erased.failures.empty()) return;
        one[failed] = erased.failures;
        context.exit = Exit::Failed;
      };
      try {
        tell("erased", "still_pending", direct.ErasePending(scope));
        if (orphans == Name(scope))
          tell("orphans_erased", "orphans_left", direct.EraseOrphans(scope));
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
