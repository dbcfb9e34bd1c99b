#include "tests/contract/contract.h"
#include "tests/contract/double_subject.h"

namespace keyscope::test {
namespace {

template <KeyScope scope>
class OnDouble final : public Subject {
 public:
  OnDouble() { SetScopeOfKeys(scope); }
  ~OnDouble() override { SetScopeOfKeys(std::nullopt); }
  tpm::Backend& backend() override { return double_.backend(); }
  std::vector<tpm::Endorsement> EndorsementsOfAnother() override {
    const DoubleSubject another;
    auto endorsements = another.NewBackend()->Endorsements();
    SetVariable("KEYSCOPE_DOUBLE_DIR", double_.folder().string());
    return endorsements;
  }

 private:
  DoubleSubject double_;
};

template <KeyScope scope>
std::unique_ptr<Subject> Make() {
  return std::make_unique<OnDouble<scope>>();
}

}  // namespace

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {{"NcryptMachine", Make<KeyScope::Machine>, true},
                                          {"NcryptUser", Make<KeyScope::User>, true}};
  return kinds;
}

}  // namespace keyscope::test
