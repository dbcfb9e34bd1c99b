// Private keys in files: what `keyscope key import` reads.
#pragma once

#include <functional>
#include <optional>

#include "base/secret.h"
#include "cli/module.h"

namespace keyscope::cli {

// For UsageError.
inline constexpr char kNoPassphrase[] =
    "the key is protected: give its passphrase with --passphrase-file or KEYSCOPE_PASSPHRASE, or "
    "run "
    "this on a terminal";

// Asked at most once, and only for a file that needs it. Nullopt: there is none.
using Passphrase = std::function<std::optional<SecretBytes>()>;

// Adds to a template for C_CreateObject what makes it that of the private key in `contents`:
// PKCS #8 (RFC 5958), encrypted or not, or the traditional forms of RSA (RFC 8017) and EC
// (RFC 5915) keys; PEM or DER. Failure for what is no such key, for a key whose halves do not
// belong together, and for one that no TPM has. UsageError when its passphrase is missing.
void AddPrivateKey(Attributes& key, ByteView contents, const Passphrase& passphrase);

}  // namespace keyscope::cli
