// The commands, one function each that adds it to the program.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/context.h"

namespace keyscope::cli {

void AddStatus(CLI::App& program, Context& context);
void AddDoctor(CLI::App& program, Context& context);
void AddInit(CLI::App& program, Context& context);
void AddKey(CLI::App& program, Context& context);
void AddAk(CLI::App& program, Context& context);
void AddEk(CLI::App& program, Context& context);
void AddQuote(CLI::App& program, Context& context);
void AddVerify(CLI::App& program, Context& context);
void AddErasePending(CLI::App& program, Context& context);
void AddCertificates(CLI::App& program, Context& context);
void AddCleanup(CLI::App& program, Context& context);

// Those that keys and attestation keys share.
enum class KeyKind;
void AddCreate(CLI::App& group, Context& context, KeyKind kind);
void AddList(CLI::App& group, Context& context, KeyKind kind);
void AddShow(CLI::App& group, Context& context, KeyKind kind);
void AddDelete(CLI::App& group, Context& context, KeyKind kind);
void AddChain(CLI::App& group, Context& context, KeyKind kind);
// And those that only one of the two has.
void AddImport(CLI::App& group, Context& context);
void AddCertify(CLI::App& group, Context& context);
void AddActivate(CLI::App& group, Context& context);

// Adds the command `name` with its options in an `Options` of its own. `Options` has AddTo(app)
// and Run(context).
template <typename Options>
void AddCommand(CLI::App& group, Context& context, const char* name, const char* what,
                Options options = {}) {
  CLI::App* command = group.add_subcommand(name, what);
  auto own = std::make_shared<Options>(std::move(options));
  own->AddTo(*command);
  command->callback([own, &context] { own->Run(context); });
}

}  // namespace keyscope::cli
