#include "tpm/types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <string_view>

namespace keyscope::tpm {
namespace {

struct HashRow {
  Hash hash;
  const char* name;
  size_t size, block;
};
constexpr std::array kHashes = {
    HashRow{Hash::Sha1, "SHA1", 20, 64},          HashRow{Hash::Sha224, "SHA224", 28, 64},
    HashRow{Hash::Sha256, "SHA256", 32, 64},      HashRow{Hash::Sha384, "SHA384", 48, 128},
    HashRow{Hash::Sha512, "SHA512", 64, 128},     HashRow{Hash::Sha3_224, "SHA3-224", 28, 144},
    HashRow{Hash::Sha3_256, "SHA3-256", 32, 136}, HashRow{Hash::Sha3_384, "SHA3-384", 48, 104},
    HashRow{Hash::Sha3_512, "SHA3-512", 64, 72},
};

struct CurveRow {
  Curve curve;
  const char* name;
  size_t size;
};
constexpr std::array kCurves = {
    CurveRow{Curve::P256, "P-256", 32},
    CurveRow{Curve::P384, "P-384", 48},
    CurveRow{Curve::P521, "P-521", 66},
};

HashRow RowOf(Hash hash) {
  for (const HashRow& row : kHashes)
    if (row.hash == hash) return row;
  return {Hash::None, "", 0, 0};
}

CurveRow RowOf(Curve curve) {
  for (const CurveRow& row : kCurves)
    if (row.curve == curve) return row;
  return {curve, "", 0};
}

// Lists are comma-separated. A word that no row knows is left out.
template <typename T, typename Word>
std::string Join(const std::vector<T>& values, Word word) {
  std::ostringstream text;
  for (const T& value : values) text << (text.tellp() > 0 ? "," : "") << word(value);
  return text.str();
}

template <typename Take>
void EachWord(std::string_view text, Take take) {
  while (!text.empty()) {
    const size_t comma = text.find(',');
    take(text.substr(0, comma));
    text = comma == text.npos ? "" : text.substr(comma + 1);
  }
}

template <typename T>
bool ParseNumber(std::string_view text, T& value) {
  T parsed{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, parsed);
  if (error != std::errc() || stop != end) return false;
  value = parsed;
  return true;
}

std::vector<unsigned> ParseNumbers(std::string_view text) {
  std::vector<unsigned> numbers;
  EachWord(text, [&](std::string_view word) {
    unsigned number = 0;
    if (ParseNumber(word, number)) numbers.push_back(number);
  });
  return numbers;
}

unsigned Bits(unsigned bits) { return bits; }

}  // namespace

const char* Name(Hash hash) { return RowOf(hash).name; }
size_t DigestSize(Hash hash) { return RowOf(hash).size; }
size_t BlockSize(Hash hash) { return RowOf(hash).block; }
size_t LongestHmacKey(Hash hash) {
  constexpr size_t kMaxSymData = 128;
  return std::min(BlockSize(hash), kMaxSymData);
}
const char* Name(Curve curve) { return RowOf(curve).name; }
size_t FieldSize(Curve curve) { return RowOf(curve).size; }

std::map<std::string, std::string> Facts::ToPairs() const {
  return {
      {"manufacturer", manufacturer},
      {"model", model},
      {"firmware_major", std::to_string(firmware_major)},
      {"firmware_minor", std::to_string(firmware_minor)},
      {"hashes", Join(hashes, [](Hash hash) { return Name(hash); })},
      {"curves", Join(curves, [](Curve curve) { return Name(curve); })},
      {"rsa_bits", Join(rsa_bits, Bits)},
      {"raw_rsa", raw_rsa ? "1" : "0"},
      {"padded_rsa", padded_rsa ? "1" : "0"},
      {"ec_either", ec_either ? "1" : "0"},
      {"only_rsa_aks", only_rsa_aks ? "1" : "0"},
      {"only_certify", only_certify ? "1" : "0"},
      {"no_import", no_import ? "1" : "0"},
      {"aes_bits", Join(aes_bits, Bits)},
      {"hmac", hmac ? "1" : "0"},
  };
}

Facts Facts::FromPairs(const std::map<std::string, std::string>& pairs) {
  const auto get = [&](const char* name) -> std::string_view {
    const auto found = pairs.find(name);
    return found == pairs.end() ? std::string_view() : found->second;
  };
  Facts facts;
  facts.manufacturer = get("manufacturer");
  facts.model = get("model");
  ParseNumber(get("firmware_major"), facts.firmware_major);
  ParseNumber(get("firmware_minor"), facts.firmware_minor);
  EachWord(get("hashes"), [&](std::string_view word) {
    for (const HashRow& row : kHashes)
      if (word == row.name) facts.hashes.push_back(row.hash);
  });
  EachWord(get("curves"), [&](std::string_view word) {
    for (const CurveRow& row : kCurves)
      if (word == row.name) facts.curves.push_back(row.curve);
  });
  facts.rsa_bits = ParseNumbers(get("rsa_bits"));
  facts.raw_rsa = get("raw_rsa") == "1";
  facts.padded_rsa = get("padded_rsa") == "1";
  facts.ec_either = get("ec_either") == "1";
  facts.only_rsa_aks = get("only_rsa_aks") == "1";
  facts.only_certify = get("only_certify") == "1";
  facts.no_import = get("no_import") == "1";
  facts.aes_bits = ParseNumbers(get("aes_bits"));
  facts.hmac = get("hmac") == "1";
  return facts;
}

}  // namespace keyscope::tpm
