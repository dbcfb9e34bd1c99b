// Reads and writes of the store that fail: the code says so, what was acknowledged is there, and
// the same call works once the disk does.
#include <cerrno>
#include <set>

#include "tests/torture/torture_fixture.h"

namespace keyscope::test {
namespace {

struct Fault {
  const char* name;
  Plan plan;  // without its step
  std::set<CK_RV> codes;
};

const Fault kFaults[] = {
    {"an I/O error of a write",
     {.way = Way::Fail, .calls = kFileWrites, .error = EIO},
     {CKR_DEVICE_ERROR}},
    {"I/O errors of all writes",
     {.way = Way::Fail, .calls = kFileWrites, .error = EIO, .lasting = true},
     {CKR_DEVICE_ERROR}},
    {"a full disk",
     {.way = Way::Fail, .calls = kFileWrites, .error = ENOSPC, .lasting = true},
     {CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR}},
    {"a short write", {.way = Way::Short, .calls = kFileWrites}, {}},
    {"an I/O error of a read",
     {.way = Way::Fail, .calls = kFileReads, .error = EIO},
     {CKR_DEVICE_ERROR}},
    {"I/O errors of all reads",
     {.way = Way::Fail, .calls = kFileReads, .error = EIO, .lasting = true},
     {CKR_DEVICE_ERROR}},
};

// And what the next call adds.
Picture With(Picture picture) {
  picture.insert("data next");
  return picture;
}

class IoFaults : public Harmed {
 protected:
  void Harm(const Fault& fault, int step) {
    SCOPED_TRACE(std::string(fault.name) + ", step " + std::to_string(step));
    Prepare(GetParam());
    Plan plan = fault.plan;
    plan.step = step;
    const Told told = Run(GetParam(), plan);
    ASSERT_TRUE(told.acknowledged);
    EXPECT_TRUE(told.rv == CKR_OK || fault.codes.contains(told.rv))
        << testing::PrintToString(Code{told.rv}) << "\n"
        << TakeLog();
    EXPECT_OK(told.next);
    const Picture now = Look();
    EXPECT_TRUE(now == With(after_) || (told.rv != CKR_OK && now == With(before_)))
        << testing::PrintToString(now) << " after " << testing::PrintToString(Code{told.rv});
  }
};

TEST_P(IoFaults, AreToldAndGotOver) {
  for (const Fault& fault : kFaults) {
    Prepare(GetParam());
    Plan count = fault.plan;
    count.way = Way::Count;
    const int steps = Run(GetParam(), count).steps;
    // Evenly, from the last one on.
    const int stride = std::max(1, 4 * steps / HarmsPerJob());
    for (int step = steps; step >= 1 && !HasFailure(); step -= stride) Harm(fault, step);
  }
}

INSTANTIATE_TEST_SUITE_P(, IoFaults, testing::ValuesIn(Jobs()), NameOf);

}  // namespace
}  // namespace keyscope::test
