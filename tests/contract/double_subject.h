// The NCrypt backend on the double of tests/fakes/ncrypt, with a TPM and name spaces of its own.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/subject.h"

namespace keyscope::test {

// A variable of the environment that the double reads; empty: unset.
void SetVariable(const char* name, const std::string& value);

class DoubleSubject {
 public:
  DoubleSubject();
  ~DoubleSubject();
  DoubleSubject(const DoubleSubject&) = delete;
  DoubleSubject& operator=(const DoubleSubject&) = delete;

  tpm::Backend& backend() { return *backend_; }
  std::unique_ptr<tpm::Backend> NewBackend() const;
  const std::filesystem::path& folder() const { return folder_; }

  // "<function>:<n>:<what>"; see tests/fakes/ncrypt/double.h. Empty: nothing fails any more.
  // Counting starts here.
  void Fail(const std::string& faults);
  // The calls since the last time, one line each.
  std::vector<std::string> TakeCalls();
  // The files of the keys in the name space of a scope.
  std::vector<std::filesystem::path> KeyFiles(KeyScope scope) const;
  // A TPM that was cleared.
  void ClearTpm() { std::filesystem::remove(folder_ / "tpm"); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<tpm::Backend> backend_;
  size_t calls_taken_ = 0;
};

}  // namespace keyscope::test
