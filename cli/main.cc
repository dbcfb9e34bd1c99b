// keyscope: the command. keyscope(1) describes it.
#include <iostream>

#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/output.h"

namespace keyscope::cli {
namespace {

constexpr char kFooter[] =
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 evidence not verified. See keyscope(1).";

int Fail(const Context& context, Exit exit, const std::string& what) {
  if (context.json)
    std::cout << AsJsonText({{"error", what}, {"exit", static_cast<int>(exit)}});
  else
    std::cerr << "keyscope: " << OneLine(what) << "\n";
  return static_cast<int>(exit);
}

int Run(int argc, char** argv) {
  Context context;
  Program program("keyscope",
                  "Keys in the machine's TPM: Keyscope's PKCS#11 module from the command line.",
                  KEYSCOPE_VERSION, kFooter);
  Arguments args = program.arguments();
  args.AddFlag("--json", context.json, "Answer in JSON");
  args.AddFlag("--progress,!--no-progress", context.progress,
               "Tell on standard error how far long work is; a terminal is told anyway");
  args.Add("--module", context.module_path, "The PKCS#11 module (KEYSCOPE_MODULE)");
  args.Add("--pin", context.pin.value,
           "The user PIN; others can see it in the process "
           "list: better --pin-file or KEYSCOPE_PIN");
  args.Add("--pin-file", context.pin.file, "A file with the user PIN");
  for (auto add : {AddStatus, AddDoctor, AddInit, AddKey, AddAk, AddEk, AddCertificates, AddQuote,
                   AddVerify, AddErasePending, AddCleanup})
    add(args, context);
  try {
    program.Run(argc, argv);
    return static_cast<int>(context.exit);
  } catch (const UsageError& error) {
    return Fail(context, Exit::Usage, error.what());
  } catch (const std::exception& error) {
    return Fail(context, Exit::Failed, error.what());
  }
}

}  // namespace
}  // namespace keyscope::cli

int main(int argc, char** argv) {
  try {
    return keyscope::cli::Run(argc, argv);
  } catch (...) {  // not even the error could be told
    return static_cast<int>(keyscope::cli::Exit::Failed);
  }
}
