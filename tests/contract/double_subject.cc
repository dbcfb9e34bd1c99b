#include "tests/contract/double_subject.h"

#include <windows.h>

#include <fstream>

namespace keyscope::test {
namespace {

std::filesystem::path NewFolder() {
  static int count = 0;
  return std::filesystem::temp_directory_path() /
         ("keyscope-double-" + std::to_string(GetCurrentProcessId()) + "-" +
          std::to_string(++count));
}

}  // namespace

void SetVariable(const char* name, const std::string& value) {
  SetEnvironmentVariableA(name, value.empty() ? nullptr : value.c_str());
}

DoubleSubject::DoubleSubject() : folder_(NewFolder()), backend_(NewBackend()) {
  std::filesystem::create_directories(folder_);
  SetVariable("KEYSCOPE_DOUBLE_DIR", folder_.string());
}

DoubleSubject::~DoubleSubject() {
  Fail({});
  SetVariable("KEYSCOPE_DOUBLE_RIGHTS", {});
  backend_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::unique_ptr<tpm::Backend> DoubleSubject::NewBackend() const { return tpm::MakeBackend({}); }

void DoubleSubject::Fail(const std::string& faults) {
  static int count = 0;  // the double sees a change, also when the same faults are asked for again
  SetVariable("KEYSCOPE_DOUBLE_FAULT",
              faults.empty() ? faults : faults + " change:" + std::to_string(++count) + ":0");
}

std::vector<std::string> DoubleSubject::TakeCalls() {
  std::ifstream file(folder_ / "calls");
  std::vector<std::string> calls;
  size_t number = 0;
  for (std::string line; std::getline(file, line);)
    if (++number > calls_taken_) calls.push_back(line);
  calls_taken_ = number;
  return calls;
}

std::vector<std::filesystem::path> DoubleSubject::KeyFiles(KeyScope scope) const {
  const auto root = folder_ / (scope == KeyScope::Machine ? "ProgramData" : "Users");
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::exists(root)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    if (entry.path().extension() == ".PCPKEY") files.push_back(entry.path());
  return files;
}

}  // namespace keyscope::test
