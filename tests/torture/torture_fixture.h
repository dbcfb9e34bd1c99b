// Writers that are harmed at a step of their work, and a look at what they left.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/attestation/attestation_fixture.h"
#include "tests/torture/harm.h"

namespace keyscope::test {

inline const Attributes kPersistent{{CKA_KEYSCOPE_PERSISTENT, true}};

// What a slot holds, a line an object, as far as it must survive. A key that does not sign, or that
// has lost its other half, has another line.
using Picture = std::multiset<std::string>;

// One change to a slot, made by a process of its own.
struct Job {
  enum class As { Nobody, User, So };
  const char* name;
  As as;
  std::function<void(CK_SESSION_HANDLE)> prepare;  // in the parent; with the user logged in
  std::function<CK_RV(CK_SESSION_HANDLE)> act;     // `as` somebody, else without a session
  std::function<void(Picture&)> change;            // what acting does to the picture
};
const std::vector<Job>& Jobs();
const std::vector<Job>& FirstJobs();  // initialisation of a new store, migration of an old one
// KEYSCOPE_HARMS in the environment: how much harm each test does to each job.
int HarmsPerJob();
void PrintTo(const Job& job, std::ostream* out);
std::string NameOf(const testing::TestParamInfo<Job>& job);

class Torture : public Attestation {
 public:
  static constexpr CK_SLOT_ID kSlot = kUserSlot;

  // What a writer told before it ended; nothing, when it was killed on the way.
  struct Told {
    bool acknowledged = false;
    CK_RV rv = CKR_FUNCTION_CANCELED;
    CK_RV next = CKR_OK;  // of the next call: unharmed, it creates the data object "next"
    int steps = 0;
  };

 protected:
  void SetUp() override;  // ends without an initialised module

  // Restarts the TPM: without a resource manager, what killed writers left stays until then, or
  // until somebody needs the room.
  void TearDown() override;

  // Brings the slot to what `job` begins with, whatever the last writer left.
  void Prepare(const Job& job);
  // A new process that initialises, logs in, arms `plan` and does the job. It is killed `lifetime`
  // microseconds after it began the job at the latest, if that is not 0.
  Told Run(const Job& job, const Plan& plan, useconds_t lifetime = 0);
  // What is there now, seen by a new life of the module. Checks what must hold always: nothing is
  // pending, the TPM's handles are those of the objects, no try was spent.
  Picture Look();
};

// What main() does when its first argument is kWriterFlag: one writer, as Torture::Run starts it.
inline constexpr char kWriterFlag[] = "--writer";
int WriterMain(int count, char** arguments);

// A job that works without harm.
class Harmed : public Torture, public testing::WithParamInterface<Job> {
 protected:
  void SetUp() override;

  Picture before_, after_;
  int steps_ = 0;  // calls that change something
};

}  // namespace keyscope::test
