// HMAC of messages that take more than one command.
#pragma once

#include <string_view>

#include "tpm/tss/device.h"

namespace keyscope::tpm::tss {

// The loaded sequence; at most one, and no key has such a uid.
inline constexpr std::string_view kHmacSequence = "an HMAC sequence";

// Within Device::Operate. After an error the sequence is still loaded.
SecretBytes HmacInParts(Device& device, const Root& root, const KeyRef& key, ByteView message);

}  // namespace keyscope::tpm::tss
