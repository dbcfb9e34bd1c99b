#include "tests/support/net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <stdexcept>

namespace keyscope::test {
namespace {

constexpr size_t kLargestFrame = 65536;

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Socket NewSocket() {
  Socket made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(made.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(made.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

size_t SizeOfFrame(ByteView header) {
  return static_cast<size_t>(header[2]) << 24 | static_cast<size_t>(header[3]) << 16 |
         static_cast<size_t>(header[4]) << 8 | header[5];
}

}  // namespace

// A fork's child may have a copy of it: closing alone would leave the other end waiting.
Socket::~Socket() {
  if (fd_ < 0) return;
  Shutdown();
  ::close(fd_);
}

void Socket::Shutdown() const { ::shutdown(fd_, SHUT_RDWR); }

void Socket::SetReadTimeout(int seconds) const {
  const timeval timeout{seconds, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

Socket Listen(uint16_t port) {
  Socket listening = NewSocket();
  const sockaddr_in address = Loopback(port);
  if (::bind(listening.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listening.fd(), 16) != 0)
    return {};
  return listening;
}

Socket Connect(uint16_t port) {
  Socket connected = NewSocket();
  const sockaddr_in address = Loopback(port);
  if (::connect(connected.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return {};
  return connected;
}

uint16_t FreePortPair() {
  std::random_device random;
  // Below the range from which the system takes ports for outgoing connections.
  std::uniform_int_distribution<int> ports(10000, 30000);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const auto port = static_cast<uint16_t>(ports(random));
    if (Listen(port) && Listen(static_cast<uint16_t>(port + 1))) return port;
  }
  throw std::runtime_error("no two free ports in a row");
}

bool WriteAll(const Socket& to, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(to.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
  return true;
}

bool ReadAll(const Socket& from, std::span<uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t got = ::recv(from.fd(), bytes.data(), bytes.size(), 0);
    if (got <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
  return true;
}

bool IsWholeFrame(ByteView bytes) {
  return bytes.size() >= kHeaderSize && bytes.size() >= SizeOfFrame(bytes);
}

std::optional<Bytes> ReadFrame(const Socket& from) {
  Bytes frame(kHeaderSize);
  if (!ReadAll(from, frame)) return std::nullopt;
  const size_t size = SizeOfFrame(frame);
  if (size < kHeaderSize || size > kLargestFrame) return std::nullopt;
  frame.resize(size);
  if (!ReadAll(from, std::span(frame).subspan(kHeaderSize))) return std::nullopt;
  return frame;
}

}  // namespace keyscope::test
