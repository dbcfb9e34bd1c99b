// What is measured: rows of work, and who does it.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>

namespace keyscope::bench {

enum class Work : unsigned char {
  InitializeFinalize,
  ColdSign,
  Login,
  SignEc,
  SignEc8Threads,
  SignRsa,
  VerifyEc,
  Digest,
  FindById,
  Random,
  DecryptRsa,
  TokenAes,
  SessionAes,
  GenerateEc,
};

// In the order of Work, in which they run. The first ones run with the module finalized, the others
// with a user logged in. Generation is the last: it leaves transient objects behind in other
// modules.
struct Row {
  Work work;
  const char* name;
  bool cold;
  int rounds;       // how often each subject does it, in turn
  int repetitions;  // of the work in one go
};
inline constexpr int kThreads = 8, kSignsPerThread = 4;
inline constexpr std::array<Row, 14> kRows = {{
    {Work::InitializeFinalize, "C_Initialize + C_Finalize", true, 40, 1},
    {Work::ColdSign, "initialize, login, find, sign P-256, finalize", true, 40, 1},
    {Work::Login, "C_Logout + C_Login", false, 40, 1},
    {Work::SignEc, "sign P-256", false, 400, 1},
    {Work::SignEc8Threads, "sign P-256, each of 8 threads' signatures", false, 20,
     kThreads* kSignsPerThread},
    {Work::SignRsa, "sign RSA-2048", false, 200, 1},
    {Work::VerifyEc, "verify P-256", false, 400, 1},
    {Work::Digest, "SHA-256 of 1 KiB", false, 400, 1},
    {Work::FindById, "find by CKA_ID", false, 400, 1},
    {Work::Random, "32 random bytes", false, 400, 1},
    {Work::DecryptRsa, "decrypt RSA-2048", false, 200, 1},
    {Work::TokenAes, "AES-256-CBC of 16 KiB, key of the token", false, 100, 1},
    {Work::SessionAes, "AES-256-CBC of 16 KiB, key of the session", false, 100, 1},
    {Work::GenerateEc, "generate and destroy P-256", false, 20, 1},
}};

constexpr const Row& RowOf(Work work) { return kRows.at(static_cast<size_t>(work)); }

class Subject {
 public:
  virtual ~Subject() = default;
  virtual const std::string& name() const = 0;
  // Before the first row that is not cold.
  virtual void Warm() = 0;
  // Does the work once (or as often as the row says), and throws std::runtime_error when it fails.
  // Empty: it does not do that.
  virtual std::function<void()> Doing(Work work) = 0;
};

}  // namespace keyscope::bench
