// keyscope key ..., keyscope ak ...
#include "cli/commands/commands.h"
#include "cli/keys.h"

namespace keyscope::cli {
namespace {

Arguments Group(Arguments program, Context& context, const char* name, const char* what,
                KeyKind kind) {
  Arguments group = program.AddGroup(name, what);
  for (auto add : {AddCreate, AddList, AddShow, AddDelete, AddChain}) add(group, context, kind);
  return group;
}

}  // namespace

void AddKey(Arguments program, Context& context) {
  Arguments group = Group(program, context, "key", "Keys", KeyKind::Key);
  AddImport(group, context);
  AddCertify(group, context);
}

void AddAk(Arguments program, Context& context) {
  Arguments group =
      Group(program, context, "ak", "Attestation keys, which vouch for other keys", KeyKind::Ak);
  AddActivate(group, context);
}

}  // namespace keyscope::cli
