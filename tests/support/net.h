// Loopback sockets for the test machinery.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace keyscope::test {

// A file descriptor that is closed when it goes.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();
  int fd() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void Shutdown() const;  // wakes whoever reads from it
  void SetReadTimeout(int seconds) const;

 private:
  int fd_ = -1;
};

Socket Listen(uint16_t port);   // invalid when the port is taken
Socket Connect(uint16_t port);  // invalid when nobody listens
// A port p such that p and p + 1 are free.
uint16_t FreePortPair();

bool WriteAll(const Socket& to, ByteView bytes);
bool ReadAll(const Socket& from, std::span<uint8_t> bytes);
inline constexpr size_t kHeaderSize = 10;  // of a TPM command or response
// Whether these bytes are a whole TPM command or response.
bool IsWholeFrame(ByteView bytes);
// A whole TPM command or response: its size is in bytes 2 to 5. Nullopt at the end of the stream.
std::optional<Bytes> ReadFrame(const Socket& from);

}  // namespace keyscope::test
