// The two kinds of URI that name keys: PKCS#11's (RFC 7512) and smallstep's tpmkms:.
//
//   pkcs11:token=machine;object=web;type=private?key-scope=machine
//   tpmkms:name=web;attest-by=ak1;qualifying-data=6e6f6e6365;key-scope=machine
//
// In a pkcs11: URI the scope is the slot-id (0 machine, 1 user) or, as a vendor's query attribute
// that other programs pass over, key-scope. The names of both kinds are in one table in uri.cc.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/scope.h"

namespace keyscope::cli {

struct Uri {
  enum class Kind { Pkcs11, Tpmkms };

  Kind kind = Kind::Pkcs11;
  std::string name;  // CKA_LABEL; empty: any
  Bytes id;          // CKA_ID; empty: any
  bool ak = false;
  std::string attest_by;                   // the name of the AK
  Bytes qualifying_data;                   // at most 64 bytes
  std::optional<KeyScope> key_scope;       // as given
  std::optional<KeyScope> store_location;  // as given
  std::string token, serial;               // of the token, when given
  // Of a certificate (tpmkms), empty: any. The serial number in hexadecimal without leading zeros;
  // the issuer's common name, or all of it as RFC 2253 writes it; the SHA-1 of the certificate.
  std::string certificate_serial, certificate_issuer;
  Bytes certificate_sha1;
  std::string pin_value, pin_source, module_path;

  // The key's scope: as given, else that of the store location, else the user's.
  KeyScope scope() const;
  bool NamesCertificate() const {
    return !certificate_serial.empty() || !certificate_issuer.empty() || !certificate_sha1.empty();
  }
  // The slot of certificates: the store location, else the key's scope.
  KeyScope location() const { return store_location.value_or(scope()); }
};

// Throws UsageError that says what is wrong: another scheme, an attribute that is unknown, twice or
// badly encoded, a scope that is neither machine nor user, `ak` together with `attest-by`.
Uri ParseUri(const std::string& text);

// "machine" or "user"; UsageError for any other.
KeyScope ParseScope(const std::string& text);

// The same kind of URI. Always has the scope, never a PIN.
std::string Print(const Uri& uri);

}  // namespace keyscope::cli
