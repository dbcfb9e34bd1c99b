#include "tpm/pcr.h"

#include <array>
#include <charconv>
#include <utility>

namespace keyscope::tpm {
namespace {

constexpr std::array kBanks = {
    std::pair{Hash::Sha1, std::string_view("sha1")},
    std::pair{Hash::Sha256, std::string_view("sha256")},
    std::pair{Hash::Sha384, std::string_view("sha384")},
    std::pair{Hash::Sha512, std::string_view("sha512")},
};

// Takes "BANK:" from the front of `text`.
std::optional<Hash> TakeBank(std::string_view& text) {
  const size_t colon = text.find(':');
  for (const auto& [hash, name] : kBanks) {
    if (colon == text.npos || text.substr(0, colon) != name) continue;
    text.remove_prefix(colon + 1);
    return hash;
  }
  return std::nullopt;
}

}  // namespace

std::string ToText(const PcrSelection& selection) {
  std::string text;
  for (const auto& [hash, name] : kBanks)
    if (hash == selection.bank) text = name;
  char separator = ':';
  for (unsigned pcr = 0; pcr < kPcrs; ++pcr) {
    if (!selection.Has(pcr)) continue;
    text += separator + std::to_string(pcr);
    separator = ',';
  }
  return text;
}

std::optional<PcrSelection> ParsePcrs(std::string_view text) {
  const auto bank = TakeBank(text);
  if (!bank) return std::nullopt;
  PcrSelection selection{*bank, 0};
  for (bool more = true; more;) {
    unsigned pcr = kPcrs;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, pcr);
    if (error != std::errc() || pcr >= kPcrs || (stop != end && *stop != ',')) return std::nullopt;
    selection.pcrs |= uint32_t{1} << pcr;
    more = stop != end;
    text.remove_prefix(static_cast<size_t>(stop - text.data()) + (more ? 1 : 0));
  }
  return selection;
}

}  // namespace keyscope::tpm
