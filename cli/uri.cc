#include "cli/uri.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "cli/encoding.h"
#include "cli/error.h"

namespace keyscope::cli {
namespace {

constexpr size_t kMaxQualifyingData = 64;

[[noreturn]] void Refuse(const std::string& why) { throw UsageError(why); }

using Setter = void (*)(Uri&, const std::string&);

template <auto Member>
void Text(Uri& uri, const std::string& value) {
  uri.*Member = value;
}
template <auto Member>
void Scope(Uri& uri, const std::string& value) {
  uri.*Member = ParseScope(value);
}
template <auto Member>
void HexBytes(Uri& uri, const std::string& value) {
  auto bytes = FromHexOfEitherCase(value);
  if (!bytes) Refuse("'" + value + "' is not hexadecimal");
  uri.*Member = std::move(*bytes);
}
void Id(Uri& uri, const std::string& value) { uri.id = Copy(AsBytes(value)); }
void Ak(Uri& uri, const std::string& value) {
  if (value != "true" && value != "false") Refuse("ak is true or false, not '" + value + "'");
  uri.ak = value == "true";
}
void SlotId(Uri& uri, const std::string& value) {
  if (value != "0" && value != "1")
    Refuse("there is no slot " + value + "; slot 0 is the machine's, slot 1 the user's");
  const KeyScope scope = value == "0" ? KeyScope::Machine : KeyScope::User;
  if (uri.key_scope.value_or(scope) != scope) Refuse("slot-id and key-scope contradict each other");
  uri.key_scope = scope;
}
void KeyScopeOf(Uri& uri, const std::string& value) {
  const KeyScope scope = ParseScope(value);
  if (uri.key_scope.value_or(scope) != scope) Refuse("slot-id and key-scope contradict each other");
  uri.key_scope = scope;
}
void Type(Uri&, const std::string& value) {
  static constexpr std::string_view kTypes[] = {"private", "public", "cert"};
  if (std::ranges::find(kTypes, value) == std::end(kTypes))
    Refuse("an object of type '" + value + "' is no key; the type is private, public or cert");
}
// smallstep's has hexadecimal digits, with or without 0x before them.
void CertificateSerial(Uri& uri, const std::string& value) {
  std::string digits = value.starts_with("0x") ? value.substr(2) : value;
  if (digits.size() % 2 != 0) digits.insert(0, "0");
  const auto bytes = FromHexOfEitherCase(digits);
  if (!bytes) Refuse("'" + value + "' is no serial number in hexadecimal");
  uri.certificate_serial = Hex(StripLeadingZeros(*bytes));
}
// What says nothing that this command needs: of a token or module, or of tpmkms's own TPM access.
void PassOver(Uri&, const std::string&) {}

enum Part { kPath = 1, kQuery = 2, kEither = 3 };
struct Row {
  Uri::Kind kind;
  Part part;
  const char* name;
  Setter set;
};
using enum Uri::Kind;
constexpr Row kRows[] = {
    {Pkcs11, kPath, "object", Text<&Uri::name>},
    {Pkcs11, kPath, "id", Id},
    {Pkcs11, kPath, "type", Type},
    {Pkcs11, kPath, "slot-id", SlotId},
    {Pkcs11, kPath, "token", Text<&Uri::token>},
    {Pkcs11, kPath, "serial", Text<&Uri::serial>},
    {Pkcs11, kPath, "manufacturer", PassOver},
    {Pkcs11, kPath, "model", PassOver},
    {Pkcs11, kPath, "library-description", PassOver},
    {Pkcs11, kPath, "library-manufacturer", PassOver},
    {Pkcs11, kPath, "library-version", PassOver},
    {Pkcs11, kPath, "slot-description", PassOver},
    {Pkcs11, kPath, "slot-manufacturer", PassOver},
    {Pkcs11, kQuery, "module-name", PassOver},
    {Pkcs11, kQuery, "module-path", Text<&Uri::module_path>},
    {Pkcs11, kQuery, "pin-value", Text<&Uri::pin_value>},
    {Pkcs11, kQuery, "pin-source", Text<&Uri::pin_source>},
    {Pkcs11, kEither, "key-scope", KeyScopeOf},
    {Pkcs11, kEither, "store-location", Scope<&Uri::store_location>},
    {Pkcs11, kEither, "ak", Ak},
    {Pkcs11, kEither, "attest-by", Text<&Uri::attest_by>},
    {Pkcs11, kEither, "qualifying-data", HexBytes<&Uri::qualifying_data>},
    {Tpmkms, kEither, "name", Text<&Uri::name>},
    {Tpmkms, kEither, "key-id", HexBytes<&Uri::id>},
    {Tpmkms, kEither, "serial", CertificateSerial},
    {Tpmkms, kEither, "issuer", Text<&Uri::certificate_issuer>},
    {Tpmkms, kEither, "sha1", HexBytes<&Uri::certificate_sha1>},
    {Tpmkms, kEither, "ak", Ak},
    {Tpmkms, kEither, "attest-by", Text<&Uri::attest_by>},
    {Tpmkms, kEither, "qualifying-data", HexBytes<&Uri::qualifying_data>},
    {Tpmkms, kEither, "key-scope", KeyScopeOf},
    {Tpmkms, kEither, "store-location", Scope<&Uri::store_location>},
    {Tpmkms, kEither, "store", PassOver},
    {Tpmkms, kEither, "device", PassOver},
    {Tpmkms, kEither, "storage-directory", PassOver},
    {Tpmkms, kEither, "pin-value", Text<&Uri::pin_value>},
    {Tpmkms, kEither, "pin-source", Text<&Uri::pin_source>},
};

struct Scheme {
  Uri::Kind kind;
  std::string_view prefix;
};
constexpr Scheme kSchemes[] = {{Pkcs11, "pkcs11:"}, {Tpmkms, "tpmkms:"}};

void Apply(Uri& uri, Part part, std::string_view attribute, std::set<std::string>& seen) {
  const size_t equals = attribute.find('=');
  if (equals == std::string_view::npos)
    Refuse("a part of the URI is no name=value");  // not told which: it may be of a PIN
  const std::string name(attribute.substr(0, equals));
  const auto value = FromPercent(attribute.substr(equals + 1));
  auto row = std::ranges::find_if(kRows, [&](const Row& one) {
    return one.kind == uri.kind && one.name == name && (one.part & part) != 0;
  });
  if (row == std::end(kRows)) Refuse("the URI has an unknown attribute '" + name + "'");
  if (!value) Refuse("the URI's '" + name + "' is badly percent-encoded");
  if (!seen.insert(name).second) Refuse("the URI has '" + name + "' twice");
  row->set(uri, *value);
}

void ApplyAll(Uri& uri, Part part, std::string_view attributes, std::string_view separators,
              std::set<std::string>& seen) {
  while (!attributes.empty()) {
    const size_t end = std::min(attributes.find_first_of(separators), attributes.size());
    if (end > 0) Apply(uri, part, attributes.substr(0, end), seen);
    attributes.remove_prefix(std::min(end + 1, attributes.size()));
  }
}

}  // namespace

KeyScope Uri::scope() const { return key_scope.value_or(store_location.value_or(KeyScope::User)); }

KeyScope ParseScope(const std::string& text) {
  for (KeyScope scope : kScopes)
    if (text == Name(scope)) return scope;
  Refuse("the scope is machine or user, not '" + text + "'");
}

Uri ParseUri(const std::string& text) {
  auto scheme = std::ranges::find_if(
      kSchemes, [&](const Scheme& one) { return text.starts_with(one.prefix); });
  if (scheme == std::end(kSchemes))
    Refuse("'" + text.substr(0, text.find_first_of("?;")) +
           "' is neither a pkcs11: nor a tpmkms: URI");
  Uri uri;
  uri.kind = scheme->kind;
  const std::string_view rest = std::string_view(text).substr(scheme->prefix.size());
  const size_t question = std::min(rest.find('?'), rest.size());
  std::set<std::string> seen;
  ApplyAll(uri, kPath, rest.substr(0, question), ";", seen);
  ApplyAll(uri, kQuery, rest.substr(std::min(question + 1, rest.size())), "&;", seen);
  if (uri.ak && !uri.attest_by.empty())
    Refuse("ak and attest-by exclude each other: an attestation key vouches for itself");
  if (uri.qualifying_data.size() > kMaxQualifyingData)
    Refuse("qualifying-data is longer than 64 bytes: hash it first");
  return uri;
}

std::string Print(const Uri& uri) {
  const bool pkcs11 = uri.kind == Pkcs11;
  std::string text, query;
  auto put = [](std::string& to, char separator, const char* name, const std::string& value) {
    if (value.empty()) return;
    if (!to.empty()) to += separator;
    to += name + ("=" + value);
  };
  const std::string scope(Name(uri.scope()));
  put(text, ';', "token", ToPercent(pkcs11 ? uri.token : ""));
  put(text, ';', "serial", ToPercent(pkcs11 ? uri.serial : ""));
  put(text, ';', pkcs11 ? "object" : "name", ToPercent(uri.name));
  put(text, ';', pkcs11 ? "id" : "key-id", pkcs11 ? EveryByteAsPercent(uri.id) : Hex(uri.id));
  if (pkcs11) {
    put(text, ';', "slot-id", uri.scope() == KeyScope::Machine ? "0" : "1");
    put(text, ';', "type", "private");
  }
  put(text, ';', "serial", pkcs11 ? "" : uri.certificate_serial);
  put(text, ';', "issuer", ToPercent(pkcs11 ? "" : uri.certificate_issuer));
  put(text, ';', "sha1", pkcs11 ? "" : Hex(uri.certificate_sha1));
  std::string& extras = pkcs11 ? query : text;
  const char separator = pkcs11 ? '&' : ';';
  put(extras, separator, "ak", uri.ak ? "true" : "");
  put(extras, separator, "attest-by", ToPercent(uri.attest_by));
  put(extras, separator, "qualifying-data", Hex(uri.qualifying_data));
  put(extras, separator, "key-scope", scope);
  if (uri.store_location)
    put(extras, separator, "store-location", std::string(Name(*uri.store_location)));
  return (pkcs11 ? "pkcs11:" : "tpmkms:") + text + (query.empty() ? "" : "?" + query);
}

}  // namespace keyscope::cli
