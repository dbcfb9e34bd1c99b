#include "tpm/tss/nv.h"

#include <algorithm>
#include <iterator>

#include "tpm/tss/attest_commands.h"
#include "tpm/tss/hierarchy.h"

namespace keyscope::tpm::tss {
namespace {

constexpr uint16_t kNvBlock = 512;  // each TPM reads that much at once

}  // namespace

Bytes ReadNv(Device& device, TPM2_HANDLE index) {
  const Channel channel = device.channel();
  const auto found = NvReadPublic(channel, index);
  if (!found || (found->area.attributes & TPMA_NV_WRITTEN) == 0) return {};
  // With its own auth value, which is empty, only where a wrong one would spend no try.
  constexpr TPMA_NV kByItself = TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;
  const bool by_itself = (found->area.attributes & kByItself) == kByItself;
  Bytes data;
  while (data.size() < found->area.dataSize) {
    const auto offset = static_cast<uint16_t>(data.size());
    const auto size = std::min<uint16_t>(kNvBlock, found->area.dataSize - offset);
    const auto read = [&](const Object& entity, const Auth& auth) {
      return NvRead(channel, entity, auth, *found, size, offset);
    };
    const Bytes block = by_itself ? read(found->object, {})
                                  : AsHierarchy(device, TPM2_RH_OWNER, [&](const Auth& auth) {
                                      return read(Hierarchy(TPM2_RH_OWNER), auth);
                                    });
    if (block.empty()) throw Error(Fault::DeviceGone, "TPM2_NV_Read gives nothing");
    Append(data, block);
  }
  return data;
}

std::vector<TPM2_HANDLE> NvIndices(Device& device, TPM2_HANDLE first, TPM2_HANDLE last) {
  std::vector<TPM2_HANDLE> indices;
  for (bool more = true; more && first <= last;) {
    TPMS_CAPABILITY_DATA data{};
    more = GetCapability(device.channel(), TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, data);
    const TPML_HANDLE& part = data.data.handles;  // ascending
    const size_t count = std::min<size_t>(part.count, std::size(part.handle));
    for (size_t i = 0; i < count; ++i)
      if (part.handle[i] >= first && part.handle[i] <= last) indices.push_back(part.handle[i]);
    if (count == 0 || part.handle[count - 1] < first) break;
    first = part.handle[count - 1] + 1;
  }
  return indices;
}

}  // namespace keyscope::tpm::tss
