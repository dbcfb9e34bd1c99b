// The measure: TPM commands with a password, straight over tss2-sys.
#pragma once

#include <tss2/tss2_sys.h>

#include <memory>

#include "tests/bench/subject.h"

namespace keyscope::bench {

class RawTpm final : public Subject {
 public:
  explicit RawTpm(const std::string& tcti);  // throws std::runtime_error
  ~RawTpm() override;
  RawTpm(const RawTpm&) = delete;
  RawTpm& operator=(const RawTpm&) = delete;

  const std::string& name() const override { return name_; }
  void Warm() override {}
  std::function<void()> Doing(Work work) override;

 private:
  TPM2_HANDLE NewKey(TPMI_ALG_PUBLIC type);
  void Sign(TPM2_HANDLE key, TPMI_ALG_SIG_SCHEME scheme);
  void Random();

  const std::string name_ = "raw TPM";
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  std::unique_ptr<std::byte[]> memory_;
  TSS2_SYS_CONTEXT* sys_ = nullptr;
  TPM2_HANDLE ec_ = 0, rsa_ = 0;
};

}  // namespace keyscope::bench
