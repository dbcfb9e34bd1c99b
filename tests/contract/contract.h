// The parameterised fixture: one test body, every Backend.
#pragma once

#include <variant>

#include "tests/contract/subject.h"
#include "tests/fakes/fake_backend.h"

namespace keyscope::test {

enum class Kind { Tss, Fake };

class Contract : public testing::TestWithParam<Kind> {
 protected:
  Contract() {
    if (GetParam() == Kind::Tss)
      tss_.emplace();
    else
      fake_.emplace();
    root = backend().EnsureRoot();
  }

  tpm::Backend& backend() {
    if (tss_) return tss_->backend();
    return *fake_;
  }

  std::optional<TssSubject> tss_;
  std::optional<FakeBackend> fake_;
  tpm::Root root;
};

inline std::string KindName(const testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::Tss ? "Tss" : "Fake";
}

}  // namespace keyscope::test
