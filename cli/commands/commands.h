// The commands, one function each that adds it to the program.
#pragma once

#include <memory>
#include <utility>

#include "cli/arguments.h"
#include "cli/context.h"

namespace keyscope::cli {

void AddStatus(Arguments program, Context& context);
void AddDoctor(Arguments program, Context& context);
void AddInit(Arguments program, Context& context);
void AddKey(Arguments program, Context& context);
void AddAk(Arguments program, Context& context);
void AddEk(Arguments program, Context& context);
void AddQuote(Arguments program, Context& context);
void AddVerify(Arguments program, Context& context);
void AddErasePending(Arguments program, Context& context);
void AddCertificates(Arguments program, Context& context);
void AddCleanup(Arguments program, Context& context);

// Those that keys and attestation keys share.
enum class KeyKind;
void AddCreate(Arguments group, Context& context, KeyKind kind);
void AddList(Arguments group, Context& context, KeyKind kind);
void AddShow(Arguments group, Context& context, KeyKind kind);
void AddDelete(Arguments group, Context& context, KeyKind kind);
void AddChain(Arguments group, Context& context, KeyKind kind);
// And those that only one of the two has.
void AddImport(Arguments group, Context& context);
void AddCertify(Arguments group, Context& context);
void AddActivate(Arguments group, Context& context);

// Adds the command `name` with its options in an `Options` of its own. `Options` has
// AddTo(args) and Run(context).
template <typename Options>
void AddCommand(Arguments group, Context& context, const char* name, const char* what,
                Options options = {}) {
  Arguments command = group.AddCommand(name, what);
  auto own = std::make_shared<Options>(std::move(options));
  own->AddTo(command);
  command.Call([own, &context] { own->Run(context); });
}

}  // namespace keyscope::cli
