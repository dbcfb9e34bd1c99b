// The measure of the others: the TPM's commands with a password, straight over tss2-sys, and
// OpenSSL called directly for what needs no TPM. Where many signatures are made the measure is how
// many the TPM can make, authorized as it takes to keep keys' authorizations off the bus.
#pragma once

#include <tss2/tss2_sys.h>

#include <memory>
#include <optional>

#include "tests/bench/hmac_session.h"
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
  struct Key {
    TPM2_HANDLE handle = 0;
    TPM2B_NAME name{};
  };
  Key NewPrimary(const TPM2B_PUBLIC& area);
  void Sign(const Key& key, TPMI_ALG_SIG_SCHEME scheme, bool in_session);
  std::function<void()> Signing(const Row& row, const Key& key, TPMI_ALG_SIG_SCHEME scheme);
  void Decrypt();
  void Derive();
  void Create(TPMI_ALG_PUBLIC type);
  void Random();

  const std::string name_ = "floor";
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  std::unique_ptr<std::byte[]> memory_;
  TSS2_SYS_CONTEXT* sys_ = nullptr;
  Key parent_, ec_, rsa_;
  std::optional<HmacSession> session_;
  OpenSsl openssl_;
};

}  // namespace keyscope::bench
