// kill -9 at each call by which a writer changes the store or the TPM, and at any other time: what
// was acknowledged is there exactly once, what was not is whole or absent.
#include <iostream>
#include <random>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

class Killed : public Harmed {
 protected:
  // Returns whether the writer was killed before its acknowledgement.
  bool KillOnce(const Plan& plan, useconds_t lifetime = 0) {
    SCOPED_TRACE("step " + std::to_string(plan.step) + ", lifetime " + std::to_string(lifetime));
    Prepare(GetParam());
    const Told told = Run(GetParam(), plan, lifetime);
    EXPECT_TRUE(!told.acknowledged || told.rv == CKR_OK) << told.rv;
    const Picture now = Look();
    EXPECT_TRUE(now == after_ || (!told.acknowledged && now == before_))
        << testing::PrintToString(now) << (told.acknowledged ? " though acknowledged" : "");
    return !told.acknowledged;
  }
};

TEST_P(Killed, LosesNothing) {
  const int kills = HarmsPerJob();
  std::mt19937 random(1);
  int killed = 0;
  for (int n = 0; n < kills && !HasFailure(); ++n) {
    // Each step once, or as many of them as there are kills, evenly; then at any time.
    const int step = kills < steps_ ? 1 + n * steps_ / kills : 1 + n;
    if (step <= steps_)
      killed += KillOnce({.way = Way::Kill, .step = step});
    else
      killed += KillOnce({.way = Way::Count}, static_cast<useconds_t>(1 + random() % 20000));
  }
  std::cout << killed << " killed before their acknowledgement, " << steps_ << " steps\n";
  EXPECT_GT(killed, 0);
  // What the killed ones left in the TPM makes room for what comes.
  ASSERT_OK(C_Initialize(nullptr));
  const CK_SESSION_HANDLE session = OpenLoggedIn(kMachineSlot);
  for (const KeyPair& pair : {GenerateEc(session), GenerateEc(session), GenerateEc(session)})
    Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
}

INSTANTIATE_TEST_SUITE_P(, Killed, testing::ValuesIn(Jobs()), NameOf);
INSTANTIATE_TEST_SUITE_P(First, Killed, testing::ValuesIn(FirstJobs()), NameOf);

}  // namespace
}  // namespace keyscope::test
