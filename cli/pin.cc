#include "cli/pin.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "cli/error.h"

namespace keyscope::cli {
namespace {

constexpr size_t kLargestFile = 64 << 10;

SecretBytes WithoutLineEnd(SecretBytes text) {
  ByteView line = text.view();
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r'))
    line = line.first(line.size() - 1);
  return SecretBytes(line);
}

// The terminal of this process, without echo until it goes.
class Terminal {
 public:
  Terminal() : descriptor_(open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (descriptor_ < 0 || tcgetattr(descriptor_, &before_) != 0) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    usable_ = tcsetattr(descriptor_, TCSAFLUSH, &silent) == 0;
  }
  ~Terminal() {
    if (usable_) tcsetattr(descriptor_, TCSAFLUSH, &before_);
    if (descriptor_ >= 0) close(descriptor_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  bool usable() const { return usable_; }
  SecretBytes Ask(const std::string& prompt) const {
    Say(prompt + ": ");
    SecretBytes line(512);
    const ssize_t size = read(descriptor_, line.data(), line.size());
    Say("\n");
    return WithoutLineEnd(SecretBytes(line.view().first(size < 0 ? 0 : static_cast<size_t>(size))));
  }

 private:
  void Say(const std::string& text) const {
    [[maybe_unused]] const ssize_t written = write(descriptor_, text.data(), text.size());
  }

  int descriptor_;
  termios before_{};
  bool usable_ = false;
};

}  // namespace

SecretBytes ReadSecret(const std::string& path) {
  std::ifstream file;
  file.rdbuf()->pubsetbuf(nullptr, 0);  // a buffer would keep a copy
  file.open(path == "-" ? "/dev/stdin" : path, std::ios::binary);
  SecretBytes contents(kLargestFile + 1);
  file.read(reinterpret_cast<char*>(contents.data()), static_cast<ptrdiff_t>(contents.size()));
  if (!file.is_open() || file.bad()) throw UsageError("the file " + path + " cannot be read");
  const auto size = static_cast<size_t>(file.gcount());
  if (size > kLargestFile) throw UsageError("the file " + path + " is too long");
  return SecretBytes(contents.view().first(size));
}

std::optional<SecretBytes> FindGiven(const PinSource& source) {
  if (!source.value.empty()) return SecretBytes(AsBytes(source.value));
  if (!source.file.empty()) return WithoutLineEnd(ReadSecret(source.file));
  if (const char* value = secure_getenv(source.variable); value != nullptr)
    return SecretBytes(AsBytes(value));
  return std::nullopt;
}

std::optional<SecretBytes> FindPin(const PinSource& source) {
  if (auto given = FindGiven(source)) return given;
  const Terminal terminal;
  if (!terminal.usable()) return std::nullopt;
  return terminal.Ask(source.prompt);
}

std::optional<SecretBytes> FindNewPin(const PinSource& source) {
  if (auto given = FindGiven(source)) return given;
  const Terminal terminal;
  if (!terminal.usable()) return std::nullopt;
  SecretBytes first = terminal.Ask(source.prompt);
  const SecretBytes again = terminal.Ask(std::string(source.prompt) + " again");
  if (!ConstantTimeEqual(first.view(), again.view())) throw UsageError("the two PINs differ");
  return first;
}

}  // namespace keyscope::cli
