#include "cli/encoding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace keyscope::cli {
namespace {

constexpr size_t kPemLine = 64;

bool Unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<Bytes> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  Bytes bytes(text.size() / 4 * 3);
  const int size = EVP_DecodeBlock(bytes.data(), reinterpret_cast<const uint8_t*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size != static_cast<int>(bytes.size())) return std::nullopt;
  for (size_t padding = 0; padding < 2 && text.size() > padding; ++padding)
    if (text[text.size() - 1 - padding] == '=') bytes.pop_back();
  if (ToBase64(bytes) != text) return std::nullopt;  // OpenSSL is lenient
  return bytes;
}

std::string HexNumber(uint64_t number) {
  std::ostringstream text;
  text << "0x" << std::hex << std::setw(8) << std::setfill('0') << number;
  return text.str();
}

std::string ToBase64(ByteView bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<uint8_t*>(text.data()), bytes.data(),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

std::string ToBase64Url(ByteView bytes) {
  std::string text = ToBase64(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  text.erase(std::ranges::find(text, '='), text.end());
  return text;
}

std::string ToPercent(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    if (Unreserved(c))
      encoded += c;
    else
      encoded += EveryByteAsPercent(AsBytes({&c, 1}));
  }
  return encoded;
}

std::string EveryByteAsPercent(ByteView bytes) {
  std::string encoded;
  for (uint8_t byte : bytes) encoded += "%" + Hex({&byte, 1});
  return encoded;
}

std::string ToPem(std::string_view label, ByteView der) {
  const std::string marked(label);
  std::string text = "-----BEGIN " + marked + "-----\n";
  const std::string body = ToBase64(der);
  for (size_t at = 0; at < body.size(); at += kPemLine) text += body.substr(at, kPemLine) + "\n";
  return text + "-----END " + marked + "-----\n";
}

std::vector<Bytes> FromPem(std::string_view label, std::string_view text) {
  const std::string marked = std::string(label) + "-----";
  const std::string begin = "-----BEGIN " + marked, end_mark = "-----END " + marked;
  std::vector<Bytes> blocks;
  for (size_t at = 0; (at = text.find(begin, at)) != std::string_view::npos;) {
    at += begin.size();
    const size_t end = text.find(end_mark, at);
    if (end == std::string_view::npos) return {};
    std::string body(text.substr(at, end - at));
    std::erase_if(body, [](unsigned char c) { return std::isspace(c) != 0; });
    auto der = FromBase64(body);
    if (!der) return {};
    blocks.push_back(std::move(*der));
  }
  return blocks;
}

std::vector<Bytes> CertificatesOfPem(std::string_view text) { return FromPem("CERTIFICATE", text); }

}  // namespace keyscope::cli
