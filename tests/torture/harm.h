// Harm to this process's own system calls. A program that has harm.cc defines write(), fsync() and
// the like before the C library does, so that SQLite's and the TCTI's calls come through here.
// Nothing is done to them before Arm.
#pragma once

namespace keyscope::test {

enum class Way {
  Count,  // no harm
  Kill,   // SIGKILL before the call
  Fail,   // the call does nothing and fails with Plan::error
  Short,  // a write of half the bytes, which the caller has to notice; other calls are unharmed
};
// Which calls are counted.
inline constexpr unsigned kFileWrites = 1;  // all that changes files and folders
inline constexpr unsigned kFileReads = 2;
inline constexpr unsigned kSends = 4;  // to the TPM
inline constexpr unsigned kChanges = kFileWrites | kSends;

struct Plan {
  Way way = Way::Count;
  unsigned calls = kChanges;
  int step = 0;  // the call that suffers, counted from 1
  int error = 0;
  bool lasting = false;  // and all that follow
};

void Arm(const Plan& plan);
// How many calls were counted since Arm. No harm from now on.
int Disarm();

}  // namespace keyscope::test
