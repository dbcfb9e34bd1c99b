#include "base/percent.h"

namespace keyscope {

std::optional<Bytes> FromHexOfEitherCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return FromHex(lower);
}

std::optional<std::string> FromPercent(std::string_view text) {
  std::string plain;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      plain += text[at];
      continue;
    }
    const auto byte = FromHexOfEitherCase(text.substr(at + 1, 2));
    if (!byte || byte->empty()) return std::nullopt;
    plain += AsString(*byte);
    at += 2;
  }
  return plain;
}

}  // namespace keyscope
