#include "cli/evidence.h"

#include "cli/encoding.h"
#include "cli/error.h"
#include "cli/tpm_structures.h"
#include "cli/uri.h"

namespace keyscope::cli {
namespace {

// The names of go-attestation's fields.
constexpr char kPublic[] = "Public", kCreateData[] = "CreateData";
constexpr char kAttest[] = "CreateAttestation", kSignature[] = "CreateSignature";
constexpr char kQuote[] = "Quote", kQuoteSignature[] = "Signature";
// And of ours.
constexpr char kOurs[] = "keyscope";
constexpr char kCreationAttest[] = "CreationAttestation",
               kCreationSignature[] = "CreationSignature";
constexpr char kAk[] = "AK", kAkPublic[] = "AKPublic", kCertificates[] = "AKCertificates";

constexpr const char* kKinds[] = {"ak", "key", "quote"};

void Put(Json& to, const char* field, ByteView value) {
  if (!value.empty()) to[field] = ToBase64(value);
}

// What is null is absent: Go writes so.
bool Has(const Json& from, const char* field) {
  const auto found = from.find(field);
  return found != from.end() && !found->is_null();
}

// Empty when absent.
Bytes Get(const Json& from, const char* field) {
  if (!Has(from, field)) return {};
  const auto found = from.find(field);
  auto bytes = found->is_string() ? FromBase64(found->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) throw Malformed(std::string("the bundle's ") + field + " is no base64 string");
  return std::move(*bytes);
}

std::string GetText(const Json& from, const char* field) {
  auto found = from.find(field);
  if (found == from.end()) return "";
  if (!found->is_string()) throw Malformed(std::string("the bundle's ") + field + " is no string");
  return found->get<std::string>();
}

void PutAk(Json& to, const AkEvidence& ak) {
  Put(to, kPublic, ak.public_area);
  Put(to, kCreateData, ak.creation_data);
  Put(to, kAttest, ak.creation.attest);
  Put(to, kSignature, ak.creation.signature);
}

AkEvidence GetAk(const Json& from) {
  return {Get(from, kPublic), Get(from, kCreateData), {Get(from, kAttest), Get(from, kSignature)}};
}

Evidence::Kind KindOf(const Json& bundle, const Json& ours) {
  const std::string named = GetText(ours, "kind");
  for (size_t i = 0; i < std::size(kKinds); ++i)
    if (named == kKinds[i]) return static_cast<Evidence::Kind>(i);
  if (!named.empty()) throw Malformed("a bundle of the unknown kind '" + named + "'");
  if (Has(bundle, kQuote)) return Evidence::Kind::Quote;
  const bool creation = ParseAttest(Get(bundle, kAttest)).type == kAttestCreation;
  return creation ? Evidence::Kind::Ak : Evidence::Kind::Key;
}

// Which kinds of bundle have a field.
struct FieldRow {
  const char* name;
  bool ours;  // inside "keyscope"
  bool ak, key, quote;
};
constexpr FieldRow kFields[] = {
    {kPublic, false, true, true, false},
    {kCreateData, false, true, true, false},
    {kAttest, false, true, true, false},
    {kSignature, false, true, true, false},
    {kQuote, false, false, false, true},
    {kQuoteSignature, false, false, false, true},
    {kCreationAttest, true, false, true, false},
    {kCreationSignature, true, false, true, false},
    {kAk, true, false, true, true},
    {kAkPublic, true, false, true, true},
};

// What a bundle says beyond its kind nobody would check, and somebody might take for checked.
void RefuseStrangers(Evidence::Kind kind, const Json& bundle, const Json& ours) {
  for (const FieldRow& row : kFields) {
    const bool has[] = {row.ak, row.key, row.quote};
    if (!has[static_cast<size_t>(kind)] && Has(row.ours ? ours : bundle, row.name))
      throw Malformed(std::string("a bundle of the kind '") + kKinds[static_cast<size_t>(kind)] +
                      "' has no " + row.name);
  }
}

}  // namespace

Json ToJson(const Evidence& evidence) {
  Json bundle = Json::object(), ours = Json::object();
  ours["kind"] = kKinds[static_cast<size_t>(evidence.kind)];
  if (!evidence.name.empty()) ours["name"] = evidence.name;
  if (evidence.scope) ours["scope"] = Name(*evidence.scope);
  if (!evidence.uri.empty()) ours["uri"] = evidence.uri;
  switch (evidence.kind) {
    case Evidence::Kind::Ak:
      PutAk(bundle, evidence.ak);
      break;
    case Evidence::Kind::Key:
      Put(bundle, kPublic, evidence.key.public_area);
      Put(bundle, kCreateData, evidence.key.creation_data);
      Put(bundle, kAttest, evidence.key.certify.attest);
      Put(bundle, kSignature, evidence.key.certify.signature);
      Put(ours, kCreationAttest, evidence.key.creation.attest);
      Put(ours, kCreationSignature, evidence.key.creation.signature);
      break;
    case Evidence::Kind::Quote:
      Put(bundle, kQuote, evidence.quote.quote.attest);
      Put(bundle, kQuoteSignature, evidence.quote.quote.signature);
      break;
  }
  if (evidence.kind != Evidence::Kind::Ak) {
    Put(ours, kAkPublic, evidence.ak_public);
    if (!evidence.ak.public_area.empty()) PutAk(ours[kAk] = Json::object(), evidence.ak);
  }
  for (const Bytes& certificate : evidence.certificates)
    ours[kCertificates].push_back(ToBase64(certificate));
  bundle[kOurs] = std::move(ours);
  return bundle;
}

Evidence EvidenceFromJson(const std::string& text) {
  const Json bundle = ParseJson(text);
  if (!bundle.is_object()) throw Malformed("the bundle is no JSON object");
  const Json none = Json::object();
  const auto part = bundle.find(kOurs);
  const Json& ours = part == bundle.end() ? none : *part;
  if (!ours.is_object()) throw Malformed("the bundle's keyscope is no JSON object");
  Evidence evidence;
  evidence.kind = KindOf(bundle, ours);
  RefuseStrangers(evidence.kind, bundle, ours);
  evidence.name = GetText(ours, "name");
  evidence.uri = GetText(ours, "uri");
  if (const std::string scope = GetText(ours, "scope"); !scope.empty()) try {
      evidence.scope = ParseScope(scope);
    } catch (const UsageError& error) {
      throw Malformed(std::string("the bundle is wrong: ") + error.what());
    }
  if (evidence.kind == Evidence::Kind::Ak) {
    evidence.ak = GetAk(bundle);
    evidence.ak_public = evidence.ak.public_area;
  } else {
    const Json ak = ours.value(kAk, Json::object());
    if (!ak.is_object()) throw Malformed("the bundle's AK is no JSON object");
    evidence.ak = GetAk(ak);
    evidence.ak_public = Get(ours, kAkPublic);
  }
  evidence.key = {Get(bundle, kPublic),
                  Get(bundle, kCreateData),
                  {Get(bundle, kAttest), Get(bundle, kSignature)},
                  {Get(ours, kCreationAttest), Get(ours, kCreationSignature)}};
  evidence.quote = {{Get(bundle, kQuote), Get(bundle, kQuoteSignature)}};
  for (const Json& one : ours.value(kCertificates, Json::array())) {
    auto der = one.is_string() ? FromBase64(one.get_ref<const std::string&>()) : std::nullopt;
    if (!der) throw Malformed("a certificate of the bundle is no base64 string");
    evidence.certificates.push_back(std::move(*der));
  }
  return evidence;
}

}  // namespace keyscope::cli
