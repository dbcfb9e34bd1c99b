// The measure of the others: the TPM's commands with a password, straight over tss2-sys, and
// OpenSSL called directly for what needs no TPM.
#pragma once

#include <tss2/tss2_sys.h>

#include <memory>

#include "tests/bench/openssl.h"
#include "tests/bench/subject.h"

namespace keyscope::bench {

class Floor final : public Subject {
 public:
  explicit Floor(const std::string& tcti);  // throws std::runtime_error
  ~Floor() override;
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  const std::string& name() const override { return name_; }
  void Warm() override {}
  std::function<void()> Doing(const Row& row) override;

 private:
  TPM2_HANDLE NewPrimary(const TPM2B_PUBLIC& area);
  void Sign(TPM2_HANDLE key, TPMI_ALG_SIG_SCHEME scheme);
  void Decrypt();
  void Derive();
  void Create(TPMI_ALG_PUBLIC type);
  void Random();

  const std::string name_ = "floor";
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  std::unique_ptr<std::byte[]> memory_;
  TSS2_SYS_CONTEXT* sys_ = nullptr;
  TPM2_HANDLE parent_ = 0, ec_ = 0, rsa_ = 0;
  OpenSsl openssl_;
};

}  // namespace keyscope::bench
