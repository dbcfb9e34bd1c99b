// Bytes as text: hexadecimal, base64 (RFC 4648), percent-encoding (RFC 3986), PEM.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/percent.h"

namespace keyscope::cli {

// Nullopt for what is none.
std::optional<Bytes> FromBase64(std::string_view text);

std::string HexNumber(uint64_t number);  // as C writes it, with 0x

std::string ToBase64(ByteView bytes);
std::string ToBase64Url(ByteView bytes);  // without padding
// All but RFC 3986's unreserved characters is encoded.
std::string ToPercent(std::string_view text);
std::string EveryByteAsPercent(ByteView bytes);  // RFC 7512's way with binary values

std::string ToPem(std::string_view label, ByteView der);

// The DER of each block with this label in a PEM text, in its order; empty when there is none, or
// one is malformed.
std::vector<Bytes> FromPem(std::string_view label, std::string_view text);
// DER certificates out of a PEM text, in its order; empty when there is none.
std::vector<Bytes> CertificatesOfPem(std::string_view text);

}  // namespace keyscope::cli
