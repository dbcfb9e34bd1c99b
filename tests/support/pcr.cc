#include "tests/support/pcr.h"

#include <stdexcept>

namespace keyscope::test {
namespace {

// A command about one PCR, authorized by its empty password.
void Send(TpmProxy& proxy, uint32_t code, unsigned pcr, ByteView parameters) {
  constexpr uint8_t kPassword[] = {0x40, 0, 0, 9, 0, 0, 0, 0, 0};
  const Bytes answer = proxy.Ask(Concat(
      {Bytes{0x80, 2}, BigEndian32(static_cast<uint32_t>(27 + parameters.size())),
       BigEndian32(code), BigEndian32(pcr), BigEndian32(sizeof kPassword), kPassword, parameters}));
  if (answer.size() < 10 || Hex(ByteView(answer).subspan(6, 4)) != "00000000")
    throw std::runtime_error("the TPM does not change PCR " + std::to_string(pcr));
}

}  // namespace

void ExtendPcr(TpmProxy& proxy, unsigned pcr) {
  constexpr uint8_t kSha256[] = {0, 0x0b};
  Send(proxy, 0x182, pcr, Concat({BigEndian32(1), kSha256, Bytes(32, 1)}));
}

void ResetPcr(TpmProxy& proxy, unsigned pcr) { Send(proxy, 0x13d, pcr, {}); }

}  // namespace keyscope::test
