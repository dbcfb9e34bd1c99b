#include "token/random.h"

#include <algorithm>
#include <functional>

#include "base/ossl.h"
#include "tpm/backend.h"

namespace keyscope::token {

SecretBytes Random(tpm::Backend& backend, size_t size) {
  SecretBytes bytes = backend.Random(size);
  const SecretBytes of_host(ossl::Random(size));
  std::ranges::transform(bytes.view(), of_host.view(), bytes.data(), std::bit_xor<uint8_t>());
  return bytes;
}

}  // namespace keyscope::token
