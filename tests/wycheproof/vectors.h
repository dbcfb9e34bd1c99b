// Project Wycheproof's test vectors (C2SP, testvectors_v1), and what became of them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "p11/cryptoki.h"

namespace keyscope::wycheproof {

using Json = nlohmann::json;

// The names of the *.json files to run, sorted; none where the folder is absent.
// KEYSCOPE_WYCHEPROOF_DIR names another folder than the one beside the checkout.
std::vector<std::string> VectorFiles();
Json ReadVectors(const std::string& file);

Bytes FromHex(const std::string& hex);
Bytes Field(const Json& of, const char* name);  // of hexadecimal digits

// Why cases are not run: the module does not have the mechanism, the curve, the key size.
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the module made of a case.
struct Answer {
  enum class Kind : uint8_t {
    Accepted,     // CKR_OK, and the right result if there is one
    WrongResult,  // CKR_OK and another result
    Refused,      // with a code that says what is wrong with the case
    WrongCode,    // with any other code
  };
  Kind kind = Kind::Accepted;
  CK_RV rv = CKR_OK;
};

// CKR_OK is Accepted, one of `refusals` is Refused.
Answer Judge(CK_RV rv, std::initializer_list<CK_RV> refusals);
// The same, and the result counts when the module gave one.
Answer Judge(CK_RV rv, std::initializer_list<CK_RV> refusals, ByteView result, ByteView expected);

using Case = std::function<Answer(const Json& test)>;

struct Tally {
  size_t vectors = 0, accepted_invalid = 0, refused_valid = 0, wrong_codes = 0, wrong_results = 0,
         skipped = 0;

  // Counts a case; what was wrong with it in words, empty when nothing was.
  std::string Count(const Answer& answer, const Json& test);
  std::string Summary() const;
};

}  // namespace keyscope::wycheproof
