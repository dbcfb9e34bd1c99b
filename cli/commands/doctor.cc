// keyscope doctor
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/diagnosis.h"

namespace keyscope::cli {
namespace {

// The module is loaded and put away again before the TPM is looked at: some TPMs serve one client.
Symptom LookAtModule(const std::string& given) {
  const std::string path = ModulePath(given);
  try {
    const Module module(path);
    return {"module", true, path, {}};
  } catch (const std::exception& error) {
    return {
        "module", false, error.what(), {"keyscope --module <path of keyscope-pkcs11.so> doctor"}};
  }
}

struct DoctorCommand {
  void AddTo(Arguments) {}
  void Run(Context& context) const {
    std::vector<Symptom> symptoms = {LookAtModule(context.module_path)};
    Direct direct;
    for (Symptom& symptom : Diagnose(direct)) symptoms.push_back(std::move(symptom));
    Json checks = Json::array();
    size_t problems = 0;
    for (const Symptom& symptom : symptoms) {
      Json check = {{"check", symptom.check},
                    {"state", symptom.good ? "ok" : "PROBLEM"},
                    {"found", symptom.found}};
      if (!symptom.mend.empty()) check["mend"] = symptom.mend;
      checks.push_back(std::move(check));
      problems += symptom.good ? 0 : 1;
    }
    context.Answer({{"checks", std::move(checks)}, {"problems", problems}});
    if (problems != 0) context.exit = Exit::Failed;
  }
};

}  // namespace

void AddDoctor(Arguments program, Context& context) {
  AddCommand<DoctorCommand>(program, context, "doctor",
                            "Find what is wrong, and say what mends it");
}

}  // namespace keyscope::cli
