#include "cli/keys.h"

#include <algorithm>
#include <iterator>

#include "cli/curve.h"
#include "cli/encoding.h"
#include "cli/error.h"
#include "cli/tpm_structures.h"

namespace keyscope::cli {
namespace {

const char* NounOf(KeyKind kind) { return kind == KeyKind::Ak ? "attestation key" : "key"; }

std::string Described(const Uri& uri) {
  if (!uri.name.empty()) return "'" + uri.name + "'";
  return uri.id.empty() ? "" : "with the id " + Hex(uri.id);
}

constexpr size_t kIdSize = 20;

}  // namespace

std::vector<CK_OBJECT_HANDLE> FindKeys(const Session& session, const Uri& uri, KeyKind kind) {
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_PRIVATE_KEY);
  if (!uri.name.empty()) wanted.Add(CKA_LABEL, uri.name);
  if (!uri.id.empty()) wanted.Add(CKA_ID, ByteView(uri.id));
  std::vector<CK_OBJECT_HANDLE> keys = session.Find(wanted);
  std::erase_if(keys, [&](CK_OBJECT_HANDLE key) {
    return session.GetBool(key, CKA_KEYSCOPE_ATTESTATION_KEY) != (kind == KeyKind::Ak);
  });
  return keys;
}

CK_OBJECT_HANDLE FindKey(const Session& session, const Uri& uri, KeyKind kind) {
  const auto keys = FindKeys(session, uri, kind);
  const std::string scope(Name(session.scope()));
  if (keys.empty())
    throw Failure(std::string("no ") + NounOf(kind) + " " + Described(uri) + " in the " + scope +
                  " scope; the other scope is named with --scope");
  if (keys.size() > 1)
    throw Failure(std::to_string(keys.size()) + " " + NounOf(kind) + "s " + Described(uri) +
                  " in the " + scope + " scope: choose one with --id");
  return keys.front();
}

CK_OBJECT_HANDLE AkOf(const Session& session, CK_OBJECT_HANDLE key) {
  const Bytes unique_id = session.GetOr(key, CKA_KEYSCOPE_ATTESTED_BY);
  if (unique_id.empty()) return CK_INVALID_HANDLE;
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_PRIVATE_KEY).Add(CKA_UNIQUE_ID, ByteView(unique_id));
  const auto found = session.Find(wanted);
  return found.empty() ? CK_INVALID_HANDLE : found.front();
}

std::string LabelOf(const Session& session, CK_OBJECT_HANDLE object) {
  return AsString(session.GetOr(object, CKA_LABEL));
}

std::string UriOf(const Session& session, CK_OBJECT_HANDLE key, const Uri& like) {
  Uri uri;
  uri.kind = like.kind;
  uri.store_location = like.store_location;
  uri.name = LabelOf(session, key);
  // tpmkms knows keys by their name.
  if (like.kind == Uri::Kind::Pkcs11) uri.id = session.GetOr(key, CKA_ID);
  uri.token = Trimmed(session.module().TokenInfo(session.scope()).label);
  uri.key_scope = session.scope();
  uri.ak = session.GetBool(key, CKA_KEYSCOPE_ATTESTATION_KEY);
  if (!uri.ak)
    if (const CK_OBJECT_HANDLE ak = AkOf(session, key); ak != CK_INVALID_HANDLE)
      uri.attest_by = LabelOf(session, ak);
  return Print(uri);
}

void RefuseTaken(const Session& session, const std::string& name) {
  Uri same;
  same.name = name;
  for (KeyKind one : {KeyKind::Key, KeyKind::Ak})
    if (!FindKeys(session, same, one).empty())
      throw Failure("a key '" + name + "' already exists in the " +
                    std::string(Name(session.scope())) + " scope");
}

Bytes IdFromPublic(const Session& session, CK_OBJECT_HANDLE key) {
  return Copy(ByteView(HashOf(kAlgSha256, session.GetOr(key, CKA_PUBLIC_KEY_INFO))).first(kIdSize));
}

void SetId(const Session& session, CK_OBJECT_HANDLE object, ByteView id) {
  Attributes change;
  change.Add(CKA_ID, id);
  const Module& module = session.module();
  module.Check(
      module.call().C_SetAttributeValue(session.handle(), object, change.Template().data(), 1),
      "C_SetAttributeValue");
}

Bytes CurveParams(std::string_view nist_name) {
  const Curve* curve = std::ranges::find(kCurves, nist_name, &Curve::name);
  return curve == std::end(kCurves) ? Bytes{} : *FromHexOfEitherCase(curve->oid);
}

std::string AlgorithmOf(const Session& session, CK_OBJECT_HANDLE key) {
  if (session.GetUlong(key, CKA_KEY_TYPE) == CKK_RSA)
    return "RSA-" + std::to_string(session.GetOr(key, CKA_MODULUS).size() * 8);
  const std::string oid = Hex(session.GetOr(key, CKA_EC_PARAMS));
  const Curve* curve = std::ranges::find(kCurves, oid, &Curve::oid);
  return curve == std::end(kCurves) ? "EC" : "EC " + std::string(curve->name);
}

Deleted DeleteKey(const Session& session, CK_OBJECT_HANDLE key) {
  const Bytes key_info = session.GetOr(key, CKA_PUBLIC_KEY_INFO);
  Attributes wanted;
  wanted.AddUlong(CKA_CLASS, CKO_PUBLIC_KEY).Add(CKA_LABEL, LabelOf(session, key));
  std::vector<CK_OBJECT_HANDLE> halves = {key};
  for (CK_OBJECT_HANDLE half : session.Find(wanted))
    if (session.GetOr(half, CKA_PUBLIC_KEY_INFO) == key_info) halves.push_back(half);
  Deleted deleted;
  for (CK_OBJECT_HANDLE half : halves) {
    deleted.pending |= session.Destroy(half);
    ++deleted.objects;
  }
  return deleted;
}

std::string PublicPemOf(const Session& session, CK_OBJECT_HANDLE key) {
  const Bytes spki = session.GetOr(key, CKA_PUBLIC_KEY_INFO);
  return spki.empty() ? "" : ToPem("PUBLIC KEY", spki);
}

Json Summary(const Session& session, CK_OBJECT_HANDLE key, const Uri& like) {
  Json summary = Json::object();
  summary["name"] = LabelOf(session, key);
  summary["scope"] = Name(session.scope());
  summary["algorithm"] = AlgorithmOf(session, key);
  summary["id"] = Hex(session.GetOr(key, CKA_ID));
  summary["unique_id"] = AsString(session.GetOr(key, CKA_UNIQUE_ID));
  if (session.GetBool(key, CKA_KEYSCOPE_ATTESTATION_KEY)) {
    summary["attestation_key"] = true;
  } else if (const Bytes by = session.GetOr(key, CKA_KEYSCOPE_ATTESTED_BY); !by.empty()) {
    const CK_OBJECT_HANDLE ak = AkOf(session, key);
    summary["attested_by"] =
        ak == CK_INVALID_HANDLE ? AsString(by) + " (deleted)" : LabelOf(session, ak);
  }
  if (const Bytes pcrs = session.GetOr(key, CKA_KEYSCOPE_PCR_SELECTION); !pcrs.empty())
    summary["pcrs"] = AsString(pcrs);
  summary["uri"] = UriOf(session, key, like);
  return summary;
}

}  // namespace keyscope::cli
