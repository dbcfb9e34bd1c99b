// The parameterised fixture: one test body, every Backend that the platform has.
#pragma once

#include <memory>
#include <ostream>
#include <vector>

#include "tests/contract/subject.h"

namespace keyscope::test {

// A Backend with a device of its own.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual tpm::Backend& backend() = 0;
  // Of the device: its PCRs begin anew.
  virtual void Restart() {}
  virtual void ExtendPcr(unsigned) {}
  // To be called after Release({}).
  virtual void ExpectNothingLoaded() {}
  virtual std::vector<tpm::Endorsement> EndorsementsOfAnother() = 0;
};

struct Kind {
  const char* name;
  std::unique_ptr<Subject> (*make)();
  // Not only PINs are under dictionary-attack protection, but each key's auth value.
  bool keys_cost_tries = false;
};
inline std::ostream& operator<<(std::ostream& out, const Kind& kind) { return out << kind.name; }
const std::vector<Kind>& Kinds();
inline std::string KindName(const testing::TestParamInfo<Kind>& info) { return info.param.name; }

class Contract : public testing::TestWithParam<Kind> {
 protected:
  Contract() : subject_(GetParam().make()), facts(backend().LearnFacts()) {
    root = backend().EnsureRoot();
  }

  tpm::Backend& backend() { return subject_->backend(); }

  std::unique_ptr<Subject> subject_;
  const tpm::Facts facts;
  tpm::Root root;
};

}  // namespace keyscope::test
