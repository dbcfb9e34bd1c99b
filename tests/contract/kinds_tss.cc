#include "tests/contract/contract.h"
#include "tests/contract/tss_subject.h"
#include "tests/fakes/fake_backend.h"
#include "tests/support/pcr.h"

namespace keyscope::test {
namespace {

class OnTss final : public Subject {
 public:
  tpm::Backend& backend() override { return tss_.backend(); }
  void Restart() override {
    tss_.StopTpm();
    tss_.swtpm().Start();
  }
  void ExtendPcr(unsigned pcr) override { test::ExtendPcr(tss_.proxy(), pcr); }
  void ExpectNothingLoaded() override { EXPECT_TRUE(tss_.proxy().LoadedHandles().empty()); }
  std::vector<tpm::Endorsement> EndorsementsOfAnother() override {
    return FakeBackend().Endorsements();
  }

 private:
  TssSubject tss_;
};

class OnFake final : public Subject {
 public:
  tpm::Backend& backend() override { return fake_; }
  void Restart() override { fake_.ResetPcrs(); }
  void ExtendPcr(unsigned pcr) override { fake_.ExtendPcr(tpm::Hash::Sha256, pcr, Bytes(32, 1)); }
  std::vector<tpm::Endorsement> EndorsementsOfAnother() override {
    return FakeBackend().Endorsements();
  }

 private:
  FakeBackend fake_;
};

template <typename T>
std::unique_ptr<Subject> Make() {
  return std::make_unique<T>();
}

}  // namespace

const std::vector<Kind>& Kinds() {
  static const std::vector<Kind> kinds = {{"Tss", Make<OnTss>}, {"Fake", Make<OnFake>}};
  return kinds;
}

}  // namespace keyscope::test
