#include "tests/wycheproof/vectors.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "p11/rv_name.h"

namespace keyscope::wycheproof {
namespace {

std::filesystem::path Folder() {
  const char* named = std::getenv("KEYSCOPE_WYCHEPROOF_DIR");
  return named != nullptr ? named : KEYSCOPE_WYCHEPROOF_DIR;
}

}  // namespace

std::vector<std::string> VectorFiles() {
  std::vector<std::string> names;
  std::error_code absent;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(), absent))
    if (entry.path().extension() == ".json") names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

Json ReadVectors(const std::string& file) {
  std::ifstream stream(Folder() / file);
  return Json::parse(stream);
}

Bytes FromHex(const std::string& hex) {
  if (hex.size() % 2 != 0) throw std::runtime_error("an odd number of hexadecimal digits");
  Bytes bytes;
  for (size_t i = 0; i < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoul(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

Bytes Field(const Json& of, const char* name) { return FromHex(of.at(name).get<std::string>()); }

Answer Judge(CK_RV rv, std::initializer_list<CK_RV> refusals) {
  if (rv == CKR_OK) return {Answer::Kind::Accepted, rv};
  const bool fits = std::ranges::find(refusals, rv) != refusals.end();
  return {fits ? Answer::Kind::Refused : Answer::Kind::WrongCode, rv};
}

Answer Judge(CK_RV rv, std::initializer_list<CK_RV> refusals, ByteView result, ByteView expected) {
  if (rv == CKR_OK && !Equal(result, expected)) return {Answer::Kind::WrongResult, rv};
  return Judge(rv, refusals);
}

std::string Tally::Count(const Answer& answer, const Json& test) {
  using enum Answer::Kind;
  const std::string result = test.at("result");
  const bool accepted = answer.kind == Accepted || answer.kind == WrongResult;
  size_t* bad = nullptr;
  if (answer.kind == WrongCode) {
    bad = &wrong_codes;
  } else if (result == "invalid" && accepted) {
    bad = &accepted_invalid;
  } else if (result == "valid" && answer.kind == Refused) {
    bad = &refused_valid;
  } else if (result != "invalid" && answer.kind == WrongResult) {
    bad = &wrong_results;
  }
  if (bad == nullptr) return {};
  ++*bad;
  return "case " + test.at("tcId").dump() + " (" + result + ", " + test.at("comment").dump() +
         "): " + (answer.kind == WrongResult ? "another result" : p11::RvName(answer.rv));
}

std::string Tally::Summary() const {
  return std::to_string(vectors) + " vectors, " + std::to_string(accepted_invalid) +
         " accepted-invalid, " + std::to_string(refused_valid) + " refused-valid, " +
         std::to_string(wrong_codes) + " wrong codes, " + std::to_string(wrong_results) +
         " wrong results, " + std::to_string(skipped) + " skipped";
}

}  // namespace keyscope::wycheproof
