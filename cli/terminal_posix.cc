#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.h"

namespace keyscope::cli {
namespace {

// Without echo until it goes.
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
  SecretBytes Read() const {
    SecretBytes line(512);
    const ssize_t size = read(descriptor_, line.data(), line.size());
    return SecretBytes(line.view().first(size < 0 ? 0 : static_cast<size_t>(size)));
  }
  void Say(const std::string& text) const {
    [[maybe_unused]] const ssize_t written = write(descriptor_, text.data(), text.size());
  }

 private:
  int descriptor_;
  termios before_{};
  bool usable_ = false;
};

}  // namespace

std::optional<SecretBytes> AskSilently(const std::string& prompt) {
  const Terminal terminal;
  if (!terminal.usable()) return std::nullopt;
  terminal.Say(prompt);
  SecretBytes line = terminal.Read();
  terminal.Say("\n");
  return line;
}

}  // namespace keyscope::cli
