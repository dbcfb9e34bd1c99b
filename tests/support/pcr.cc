#include "tests/support/pcr.h"

#include <stdexcept>

namespace keyscope::test {
namespace {

Bytes Number(size_t value) {
  return {static_cast<uint8_t>(value >> 24), static_cast<uint8_t>(value >> 16),
          static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

// A command about one PCR, authorized by its empty password.
void Send(TpmProxy& proxy, uint32_t code, unsigned pcr, ByteView parameters) {
  const Bytes password = {0x40, 0, 0, 9, 0, 0, 0, 0, 0};
  const Bytes answer =
      proxy.Ask(Concat({Bytes{0x80, 2}, Number(27 + parameters.size()), Number(code), Number(pcr),
                        Number(password.size()), password, parameters}));
  if (answer.size() < 10 || Hex(ByteView(answer).subspan(6, 4)) != "00000000")
    throw std::runtime_error("the TPM does not change PCR " + std::to_string(pcr));
}

}  // namespace

void ExtendPcr(TpmProxy& proxy, unsigned pcr) {
  constexpr uint8_t kSha256[] = {0, 0x0b};
  Send(proxy, 0x182, pcr, Concat({Number(1), kSha256, Bytes(32, 1)}));
}

void ResetPcr(TpmProxy& proxy, unsigned pcr) { Send(proxy, 0x13d, pcr, {}); }

}  // namespace keyscope::test
