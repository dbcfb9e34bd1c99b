#include "token/crypto/tss2_key.h"

#include "token/crypto/der.h"

namespace keyscope::crypto {
namespace {

constexpr uint8_t kLoadable[] = {0x67, 0x81, 0x05, 0x0a, 0x01, 0x03};
constexpr uint8_t kImportable[] = {0x67, 0x81, 0x05, 0x0a, 0x01, 0x04};

// The content of the optional field [n]. False: malformed.
bool Take(der::Reader& reader, uint8_t n, std::optional<ByteView>& field) {
  if (!reader.At(der::Context(n))) return true;
  field = reader.Content(der::Context(n));
  return field.has_value();
}

// Any byte but zero is true: BER, which some writers use.
bool TakeBoolean(der::Reader& reader, uint8_t n, bool& value) {
  std::optional<ByteView> field;
  if (!Take(reader, n, field)) return false;
  if (!field) return true;
  const auto content = der::Only(der::kBoolean, *field);
  if (!content || content->size() != 1) return false;
  value = content->front() != 0;
  return true;
}

bool TakeOptionalFields(der::Reader& reader, Tss2Key& key) {
  std::optional<ByteView> policy, secret, auth_policy, description;
  if (!TakeBoolean(reader, 0, key.empty_auth) || !Take(reader, 1, policy) ||
      !Take(reader, 2, secret) || !Take(reader, 3, auth_policy) || !Take(reader, 4, description) ||
      !TakeBoolean(reader, 5, key.rsa_parent))
    return false;
  key.has_policy = policy || auth_policy;
  if (!secret) return true;
  const auto content = der::Only(der::kOctetString, *secret);
  if (!content || content->empty()) return false;
  key.secret = *content;
  return true;
}

}  // namespace

std::optional<Tss2Key> DecodeTss2Key(ByteView der) {
  const auto content = der::Only(der::kSequence, der);
  if (!content) return std::nullopt;
  der::Reader reader(*content);
  Tss2Key key;
  const auto type = reader.Content(der::kOid);
  if (!type || !TakeOptionalFields(reader, key)) return std::nullopt;
  const bool importable = Equal(*type, kImportable);
  if ((!importable && !Equal(*type, kLoadable)) || importable == key.secret.empty())
    return std::nullopt;
  const auto parent = reader.Unsigned();
  const auto public_area = reader.Content(der::kOctetString);
  const auto private_area = reader.Content(der::kOctetString);
  if (!parent || parent->size() > sizeof key.parent || !public_area || !private_area ||
      !reader.Done())
    return std::nullopt;
  for (uint8_t byte : *parent) key.parent = key.parent << 8 | byte;
  key.public_area = *public_area;
  key.private_area = *private_area;
  return key;
}

}  // namespace keyscope::crypto
