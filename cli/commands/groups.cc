// keyscope key ..., keyscope ak ...
#include "cli/commands/commands.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

CLI::App& Group(CLI::App& program, Context& context, const char* name, const char* what,
                KeyKind kind) {
  CLI::App& group = *program.add_subcommand(name, what);
  group.require_subcommand(1);
  for (auto add : {AddCreate, AddList, AddShow, AddDelete, AddChain}) add(group, context, kind);
  return group;
}

}  // namespace

void AddKey(CLI::App& program, Context& context) {
  CLI::App& group = Group(program, context, "key", "Keys", KeyKind::Key);
  AddImport(group, context);
  AddCertify(group, context);
}

void AddAk(CLI::App& program, Context& context) {
  CLI::App& group =
      Group(program, context, "ak", "Attestation keys, which vouch for other keys", KeyKind::Ak);
  AddActivate(group, context);
}

}  // namespace keyscope::cli
