#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <iterator>

#include "cli/terminal.h"

namespace keyscope::cli {
namespace {

// What ends or stops a program at its terminal: not before the echo is back.
constexpr int kSignals[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP};
volatile sig_atomic_t caught = 0;

// Keeps these signals until it goes, and hands on the one that came.
class Signals {
 public:
  Signals() {
    caught = 0;
    struct sigaction keep {};
    keep.sa_handler = [](int signal) { caught = signal; };  // no SA_RESTART: read() ends
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &keep, &before_[i]);
  }
  ~Signals() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    if (caught != 0) raise(caught);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

 private:
  struct sigaction before_[std::size(kSignals)]{};
};

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
  for (;;) {
    SecretBytes line;
    {
      const Signals signals;
      const Terminal terminal;
      if (!terminal.usable()) return std::nullopt;
      terminal.Say(prompt);
      line = terminal.Read();
      terminal.Say("\n");
    }
    if (caught == 0) return line;  // else it goes on after a stop: asked again
  }
}

}  // namespace keyscope::cli
