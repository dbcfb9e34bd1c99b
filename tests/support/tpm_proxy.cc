#include "tests/support/tpm_proxy.h"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <stdexcept>

namespace keyscope::test {
namespace {

constexpr std::chrono::seconds kPatience{20};

uint32_t Word(ByteView bytes, size_t at) {
  return static_cast<uint32_t>(bytes[at]) << 24 | static_cast<uint32_t>(bytes[at + 1]) << 16 |
         static_cast<uint32_t>(bytes[at + 2]) << 8 | bytes[at + 3];
}

// Without sessions: tag, size, code.
Bytes Frame(uint32_t code, ByteView body = {}) {
  return Concat({Bytes{0x80, 0x01}, BigEndian32(static_cast<uint32_t>(kHeaderSize + body.size())),
                 BigEndian32(code), body});
}

}  // namespace

TpmProxy::TpmProxy(const Swtpm& swtpm)
    : tpm_port_(swtpm.port()),
      port_(FreePortPair()),
      commands_(Listen(port_)),
      control_(Listen(static_cast<uint16_t>(port_ + 1))) {
  if (!commands_ || !control_) throw std::runtime_error("the proxy's ports were taken");
  acceptors_.emplace_back([this] { Accept(commands_, &TpmProxy::ServeCommands); });
  acceptors_.emplace_back([this] { Accept(control_, &TpmProxy::ServeControl); });
}

TpmProxy::~TpmProxy() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    held_changed_.notify_all();
    for (const Client& client : clients_) client.socket.Shutdown();
  }
  commands_.Shutdown();
  control_.Shutdown();
  acceptors_.clear();
  clients_.clear();
}

std::string TpmProxy::tcti() const { return "swtpm:host=127.0.0.1,port=" + std::to_string(port_); }

std::map<uint32_t, int> TpmProxy::Counts() {
  std::lock_guard lock(mutex_);
  return counts_;
}

int TpmProxy::Total() {
  int total = 0;
  for (const auto& [code, count] : Counts()) total += count;
  return total;
}

void TpmProxy::Reset() {
  std::lock_guard lock(mutex_);
  counts_.clear();
}

void TpmProxy::Inject(int skip, Harm harm, int times) {
  std::lock_guard lock(mutex_);
  skip_ = skip;
  times_ = times;
  harm_ = harm;
}

bool TpmProxy::Injected() {
  std::lock_guard lock(mutex_);
  return times_ == 0;
}

bool TpmProxy::AwaitHeld() {
  std::unique_lock lock(mutex_);
  return held_changed_.wait_for(lock, kPatience, [this] { return held_; });
}

bool TpmProxy::LetGo() {
  std::lock_guard lock(mutex_);
  held_changed_.notify_all();
  return std::exchange(held_, false);
}

void TpmProxy::Record(const std::string& path) {
  std::lock_guard lock(mutex_);
  record_.close();
  if (!path.empty()) record_.open(path, std::ios::binary | std::ios::app);
}

void TpmProxy::Keep(ByteView frame) {
  std::lock_guard lock(mutex_);
  if (record_.is_open()) record_ << AsString(frame);
}

Bytes TpmProxy::Ask(ByteView command) {
  // The connection may be from before a restart of the TPM.
  auto answer = Forward(command);
  if (!answer) answer = Forward(command);
  return answer.value_or(Bytes());
}

void TpmProxy::Disconnect() {
  std::lock_guard lock(upstream_mutex_);
  upstream_ = Socket();
}

std::vector<uint32_t> TpmProxy::LoadedHandles() {
  constexpr uint32_t kGetCapability = 0x17a, kHandles = 1;
  std::vector<uint32_t> handles;
  for (uint32_t first : {0x80000000U, 0x02000000U, 0x03000000U}) {
    const Bytes answer = Ask(Frame(
        kGetCapability, Concat({BigEndian32(kHandles), BigEndian32(first), BigEndian32(64)})));
    // Header, moreData, capability, count, handles.
    constexpr size_t kCount = kHeaderSize + 1 + 4;
    if (answer.size() < kCount + 4) throw std::runtime_error("the TPM tells no handles");
    for (size_t at = kCount + 4; at + 4 <= answer.size(); at += 4)
      handles.push_back(Word(answer, at));
  }
  return handles;
}

void TpmProxy::Accept(const Socket& listening, void (TpmProxy::*serve)(const Socket&)) {
  for (;;) {
    Socket accepted(::accept4(listening.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!accepted) return;
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    std::erase_if(clients_, [](const Client& client) { return client.done.load(); });
    Client& client = clients_.emplace_back();
    client.socket = std::move(accepted);
    client.thread = std::jthread([this, serve, &client] {
      (this->*serve)(client.socket);
      client.socket.Shutdown();
      client.done = true;
    });
  }
}

void TpmProxy::ServeCommands(const Socket& client) {
  while (const auto command = ReadFrame(client)) {
    if (const auto harm = Count(*command)) {
      Suffer(client, *harm, *command);
      if (harm->kind == Harm::Kind::Answer || harm->kind == Harm::Kind::Garbage ||
          harm->kind == Harm::Kind::Flip || harm->kind == Harm::Kind::Hold)
        continue;
      return;
    }
    const auto answer = Forward(*command);
    Keep(*command);
    if (answer) Keep(*answer);
    if (!answer || !WriteAll(client, *answer)) return;
  }
}

void TpmProxy::ServeControl(const Socket& client) {
  const Socket upstream = Connect(static_cast<uint16_t>(tpm_port_ + 1));
  pollfd both[] = {{client.fd(), POLLIN, 0}, {upstream.fd(), POLLIN, 0}};
  const Socket* ends[] = {&client, &upstream};
  while (upstream && ::poll(both, 2, -1) > 0) {
    for (size_t from = 0; from < 2; ++from) {
      if (both[from].revents == 0) continue;
      Bytes bytes(4096);
      const ssize_t got = ::recv(both[from].fd, bytes.data(), bytes.size(), 0);
      if (got <= 0 || !WriteAll(*ends[1 - from], ByteView(bytes).first(static_cast<size_t>(got))))
        return;
    }
  }
}

std::optional<Harm> TpmProxy::Count(ByteView command) {
  std::lock_guard lock(mutex_);
  ++counts_[Word(command, 6)];
  if (times_ == 0) return std::nullopt;
  if (skip_ > 0) {
    --skip_;
    return std::nullopt;
  }
  --times_;
  return harm_;
}

std::optional<Bytes> TpmProxy::Forward(ByteView command) {
  std::lock_guard lock(upstream_mutex_);
  if (!upstream_) upstream_ = Connect(tpm_port_);
  if (upstream_ && WriteAll(upstream_, command))
    if (auto answer = ReadFrame(upstream_)) return answer;
  upstream_ = Socket();
  return std::nullopt;
}

void TpmProxy::Suffer(const Socket& client, const Harm& harm, ByteView command) {
  if (harm.kind == Harm::Kind::Answer) {
    WriteAll(client, Frame(harm.code));
    return;
  }
  if (harm.kind == Harm::Kind::CutBefore) return;
  Bytes answer = Forward(command).value_or(Frame(0));
  if (harm.kind == Harm::Kind::Hold) {
    HoldUntilLetGo();
    WriteAll(client, answer);
  }
  if (harm.kind == Harm::Kind::Truncate)
    WriteAll(client, ByteView(answer).first(answer.size() / 2));
  if (harm.kind == Harm::Kind::Flip && answer.size() > kHeaderSize) answer.back() ^= 1;
  if (harm.kind == Harm::Kind::Garbage)
    for (size_t i = kHeaderSize; i < answer.size(); ++i)
      answer[i] = static_cast<uint8_t>(i * 151 + 7);
  if (harm.kind == Harm::Kind::Flip || harm.kind == Harm::Kind::Garbage) WriteAll(client, answer);
}

void TpmProxy::HoldUntilLetGo() {
  std::unique_lock lock(mutex_);
  held_ = true;
  held_changed_.notify_all();
  held_changed_.wait_for(lock, kPatience, [this] { return !held_ || stopping_; });
  held_ = false;
}

}  // namespace keyscope::test
