// What is measured: rows of work, and who does it.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <utility>

namespace keyscope::bench {

enum class Work : unsigned char {
  InitializeFinalize,
  ColdSign,
  Login,
  SignEc,
  SignRsa,
  VerifyEc,
  Digest,
  FindById,
  Random,
  DecryptRsa,
  DeriveEc,
  TokenAes,
  SessionAes,
  CreateData,
  GenerateEc,
  GenerateRsa,
};

struct Row {
  const char* name;
  Work work;
  int rounds;           // how often each subject does it, in turn
  int repetitions = 1;  // of the work in one go
  int threads = 1;      // that share them
  size_t size = 0;      // of the data, in bytes
};

// With the module finalized.
inline constexpr Row kColdRows[] = {
    {"C_Initialize + C_Finalize", Work::InitializeFinalize, 40},
    {"initialize, login, find, sign P-256, finalize", Work::ColdSign, 40},
};
// With a user logged in. First what every module does: after a failure some do nothing any more.
// Generation is the last: it leaves transient objects behind in other modules.
// So many signatures at a time that the first and the last ones do not count.
inline constexpr int kSignatures = 256;
inline constexpr Row kWarmRows[] = {
    {"C_Logout + C_Login", Work::Login, 40},
    {"sign P-256", Work::SignEc, 400},
    {"sign P-256, 1 thread", Work::SignEc, 7, kSignatures, 1},
    {"sign P-256, 2 threads", Work::SignEc, 7, kSignatures, 2},
    {"sign P-256, 4 threads", Work::SignEc, 7, kSignatures, 4},
    {"sign P-256, 8 threads", Work::SignEc, 7, kSignatures, 8},
    {"sign P-256, 16 threads", Work::SignEc, 7, kSignatures, 16},
    {"sign P-256, 32 threads", Work::SignEc, 7, kSignatures, 32},
    {"sign RSA-2048", Work::SignRsa, 200},
    {"sign RSA-2048, 8 threads", Work::SignRsa, 7, 64, 8},
    {"verify P-256", Work::VerifyEc, 400},
    {"SHA-256 of 1 KiB", Work::Digest, 200, 64, 1, 1 << 10},
    {"SHA-256 of 64 KiB", Work::Digest, 200, 1, 1, 1 << 16},
    {"32 random bytes", Work::Random, 400},
    {"find by CKA_ID", Work::FindById, 400},
    {"decrypt RSA-2048", Work::DecryptRsa, 200},
    {"ECDH P-256", Work::DeriveEc, 200},
    {"AES-256-CBC of 16 KiB, key of the token", Work::TokenAes, 50},
    {"AES-256-CBC of 16 KiB, key of the session", Work::SessionAes, 100},
    {"create and destroy a data object", Work::CreateData, 100},
    {"generate and destroy P-256", Work::GenerateEc, 20},
    {"generate and destroy RSA-2048", Work::GenerateRsa, 5},
};
inline constexpr int kMostThreads = 32;

// `once`, as often as the row says.
template <typename Work>
std::function<void()> Repeating(const Row& row, Work once) {
  return [times = row.repetitions, once = std::move(once)]() mutable {
    for (int i = 0; i < times; ++i) once();
  };
}

class Subject {
 public:
  virtual ~Subject() = default;
  virtual const std::string& name() const = 0;
  // Before the warm rows.
  virtual void Warm() = 0;
  // Does what the row says with all its repetitions, and throws std::runtime_error when it fails.
  // Empty: it does not do that.
  virtual std::function<void()> Doing(const Row& row) = 0;
};

}  // namespace keyscope::bench
