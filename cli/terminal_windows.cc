#include <windows.h>

#include "cli/terminal.h"

namespace keyscope::cli {
namespace {

class Console {
 public:
  explicit Console(const wchar_t* name)
      : handle_(CreateFileW(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                            nullptr, OPEN_EXISTING, 0, nullptr)) {}
  ~Console() {
    if (handle_ != INVALID_HANDLE_VALUE) CloseHandle(handle_);
  }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  HANDLE get() const { return handle_; }

  void Say(const std::string& text) const {
    DWORD written = 0;
    WriteFile(handle_, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
  }

 private:
  HANDLE handle_;
};

}  // namespace

std::optional<SecretBytes> AskSilently(const std::string& prompt) {
  const Console in(L"CONIN$"), out(L"CONOUT$");
  DWORD before = 0;
  if (GetConsoleMode(in.get(), &before) == 0 ||
      SetConsoleMode(in.get(), before & ~static_cast<DWORD>(ENABLE_ECHO_INPUT)) == 0)
    return std::nullopt;
  out.Say(prompt);
  SecretBytes wide(512 * sizeof(wchar_t));
  auto* text = reinterpret_cast<wchar_t*>(wide.data());
  DWORD size = 0;
  if (ReadConsoleW(in.get(), text, 512, &size, nullptr) == 0) size = 0;
  SetConsoleMode(in.get(), before);
  out.Say("\n");
  SecretBytes line(4 * 512);
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, text, static_cast<int>(size),
                                        reinterpret_cast<char*>(line.data()),
                                        static_cast<int>(line.size()), nullptr, nullptr);
  return SecretBytes(line.view().first(static_cast<size_t>(bytes)));
}

}  // namespace keyscope::cli
