#include <windows.h>

#include <array>
#include <cstdio>

#include "base/path.h"
#include "base/windows_error.h"

namespace keyscope {

std::string WindowsMessage(uint32_t code) {
  std::array<wchar_t, 512> words{};
  size_t size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr,
                               code, 0, words.data(), words.size(), nullptr);
  while (size > 0 && (words[size - 1] <= L' ' || words[size - 1] == L'.')) --size;
  std::array<char, 16> number{};
  snprintf(number.data(), number.size(), code < 0x10000 ? "%u" : "0x%08x", code);
  if (size == 0) return number.data();
  return Utf8Of(std::wstring(words.data(), size)) + " (" + number.data() + ")";
}

}  // namespace keyscope
