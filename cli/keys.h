// Keys in a token: finding the one that a URI names, and telling about it.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/json.h"
#include "cli/module.h"
#include "cli/uri.h"

namespace keyscope::cli {

enum class KeyKind { Key, Ak };

// The private keys of the kind with this name and id; all of the kind when both are empty.
std::vector<CK_OBJECT_HANDLE> FindKeys(const Session& session, const Uri& uri, KeyKind kind);
// The only one. Failure when there is none, or several.
CK_OBJECT_HANDLE FindKey(const Session& session, const Uri& uri, KeyKind kind);
// The AK that vouches for `key`; CK_INVALID_HANDLE when none does, or when it has gone.
CK_OBJECT_HANDLE AkOf(const Session& session, CK_OBJECT_HANDLE key);

std::string LabelOf(const Session& session, CK_OBJECT_HANDLE object);
// The URI of a key in the token, of the kind of `like`.
std::string UriOf(const Session& session, CK_OBJECT_HANDLE key, const Uri& like);
// Failure when a key of this name, of either kind, is in the token.
void RefuseTaken(const Session& session, const std::string& name);
// The CKA_ID of a key that was given none, as certificates name keys: 20 bytes of a hash of the
// public key in `key`.
Bytes IdFromPublic(const Session& session, CK_OBJECT_HANDLE key);
void SetId(const Session& session, CK_OBJECT_HANDLE object, ByteView id);
// CKA_EC_PARAMS of a curve by its NIST name; empty: not one that Keyscope has.
Bytes CurveParams(std::string_view nist_name);
// "RSA-2048", "EC P-256": from CKA_KEY_TYPE and the modulus or the parameters.
std::string AlgorithmOf(const Session& session, CK_OBJECT_HANDLE key);
// Deletes a key: its private half, and its public one of the same name.
struct Deleted {
  size_t objects = 0;
  bool pending = false;  // the records are gone, but the TPM still holds the key
};
Deleted DeleteKey(const Session& session, CK_OBJECT_HANDLE key);
inline constexpr char kErasePending[] =
    "the TPM still holds the key: `keyscope erase-pending` tries again to erase it";

// PEM of the public half; empty when the object does not have it.
std::string PublicPemOf(const Session& session, CK_OBJECT_HANDLE key);
// What `list` shows.
Json Summary(const Session& session, CK_OBJECT_HANDLE key, const Uri& like);

}  // namespace keyscope::cli
