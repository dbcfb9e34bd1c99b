#include "token/parameters.h"
#include "token/schemes.h"

namespace keyscope::token {
namespace {

std::unique_ptr<Operation> MakeDigest(const Materials& materials) {
  NoParameters(materials.mechanism);
  return std::make_unique<DigestOperation>(materials.rule.hash);
}

}  // namespace

constexpr Scheme kDigest{.digest = MakeDigest};

}  // namespace keyscope::token
