// Certificates in the tokens. The slot of a certificate and the scope of its key are two things:
// a certificate in one slot may be for a key in the other (CKA_KEYSCOPE_SCOPE).
#pragma once

#include <vector>

#include "cli/context.h"
#include "cli/module.h"
#include "cli/x509.h"

namespace keyscope::cli {

struct Certificate {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  KeyScope location{}, key_scope{};
  X509Ptr x509{};
  Bytes der{};
};

// Those of the session's token, of keys of either scope, that are as the URI says: name, id, serial
// number, issuer, SHA-1. What does not decode, and the TPM's endorsement certificates, are left
// out.
std::vector<Certificate> FindCertificates(const Session& session, const Uri& uri);

// The certificates of a key, DER: its own first, then each issuer's. They are looked for in the
// key's slot, then in the other.
std::vector<Bytes> CertificatesOf(const Session& session, CK_OBJECT_HANDLE key);

// What is told of one.
Json Describe(const Session& session, const Certificate& certificate);

}  // namespace keyscope::cli
