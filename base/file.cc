#include "base/file.h"

#include <array>
#include <fstream>

namespace keyscope {
namespace {

constexpr size_t kLargest = size_t{64} << 20;

}  // namespace

std::optional<std::string> ReadFile(std::istream& file) {
  std::string text;
  std::array<char, 4096> part{};
  while (file.read(part.data(), part.size()), file.gcount() > 0) {
    text.append(part.data(), static_cast<size_t>(file.gcount()));
    if (text.size() > kLargest) return std::nullopt;
  }
  return file.eof() && !file.bad() ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<std::string> ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file ? ReadFile(file) : std::nullopt;
}

}  // namespace keyscope
