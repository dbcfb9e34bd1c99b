// The state and arithmetic of an HMAC or policy session (TPM 2.0 Part 1, sections 17 to 21):
// SHA-256, AES-128-CFB, unbound, salted or not. It lives in one place at a time and talks to no TPM
// by itself.
#pragma once

#include <tss2/tss2_sys.h>

#include "base/bytes.h"
#include "base/ossl.h"
#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

class Session;

// How a command is authorized to use one of its handles.
struct Auth {
  Session* session = nullptr;  // nullptr: the empty password
  ByteView value;              // the entity's auth value, without trailing zeros
  bool keep = false;           // the session outlives the command
  // Which first parameters travel encrypted; the command knows. Only a command's first
  // authorization can ask for it: a later one's nonce would have to go into the first one's HMAC.
  bool encrypt_request = false;
  bool encrypt_response = false;
  // Of a session beside a command that needs no authorization: it only vouches for the command and
  // its answer.
  bool audit = false;
};

class Session {
 public:
  static constexpr Hash kHash = Hash::Sha256;
  static constexpr size_t kNonceSize = 16;
  static TPMT_SYM_DEF Symmetric();  // for TPM2_StartAuthSession

  // `salt` is empty for an unsalted session; `salted_to` is then empty, too, else the Name of the
  // key.
  Session(TPM2_HANDLE handle, ByteView nonce_caller, ByteView nonce_tpm, const SecretBytes& salt,
          Bytes salted_to);

  TPM2_HANDLE handle() const { return handle_; }
  const Bytes& salted_to() const { return salted_to_; }

  // Makes the caller's next nonce ahead of time, if it can.
  void DrawNonce() noexcept;
  // Before a command: takes a new nonce and encrypts the first parameter in `sys`.
  TSS2_RC Encrypt(TSS2_SYS_CONTEXT* sys, const Auth& auth);
  // The authorization of a command with this cpHash.
  TPMS_AUTH_COMMAND Authorize(ByteView cp_hash, const Auth& auth) const;
  // Whether the TPM's `answer` to it is right for a response with this rpHash.
  bool Accept(ByteView rp_hash, const TPMS_AUTH_RESPONSE& answer, const Auth& auth);
  // After that: decrypts the first parameter in `sys`.
  TSS2_RC Decrypt(TSS2_SYS_CONTEXT* sys, const Auth& auth) const;

 private:
  SecretBytes KeyFor(const Auth& auth) const;
  void Cipher(bool response, const Auth& auth, std::span<uint8_t> data) const;

  TPM2_HANDLE handle_;
  Bytes nonce_caller_, nonce_tpm_;
  Bytes next_nonce_;  // may be empty
  SecretBytes key_;
  Bytes salted_to_;
};

}  // namespace keyscope::tpm::tss
