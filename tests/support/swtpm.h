// A software TPM of a test's own: swtpm in a process that ends with the test.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace keyscope::test {

class Swtpm {
 public:
  // A new TPM with its state in a new temporary folder, on free ports. Throws std::runtime_error.
  Swtpm();
  ~Swtpm();
  Swtpm(const Swtpm&) = delete;
  Swtpm& operator=(const Swtpm&) = delete;

  std::string tcti() const;
  uint16_t port() const { return port_; }  // commands; the control channel is at the next one

  void Start();  // after Stop or Kill: the same state
  // Orderly (TPM2_Shutdown): the lockout counter stays. swtpm serves one client at a time, so
  // nobody else may be connected.
  void Stop();
  void Kill();
  // As a new TPM with other seeds, at the same ports.
  void Replace();

 private:
  void Launch();

  std::string folder_;
  uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace keyscope::test
