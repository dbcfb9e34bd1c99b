// An HMAC session's state and arithmetic (TPM 2.0 Part 1, sections 17 to 21): SHA-256, AES-128-CFB,
// unbound, salted or not. It lives in one place at a time and talks to no TPM by itself.
#pragma once

#include <tss2/tss2_sys.h>

#include <vector>

#include "base/bytes.h"
#include "base/secret.h"
#include "tpm/types.h"

namespace keyscope::tpm::tss {

class Session;

// How one command is authorized.
struct Auth {
  Session* session = nullptr;  // nullptr: the empty password
  ByteView value;              // the entity's auth value, without trailing zeros
  bool keep = false;           // the session outlives the command
  // Which first parameters travel encrypted; the command knows.
  bool encrypt_request = false;
  bool encrypt_response = false;
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

  // Encrypts and authorizes the command that is prepared in `sys`. `names`: of its handles, in
  // order.
  TSS2_RC Protect(TSS2_SYS_CONTEXT* sys, TPM2_CC code, const std::vector<ByteView>& names,
                  const Auth& auth);
  // Checks and decrypts the response in `sys`. False when its HMAC is wrong.
  bool Accept(TSS2_SYS_CONTEXT* sys, TPM2_CC code, const Auth& auth);

 private:
  SecretBytes KeyFor(const Auth& auth) const;
  void Cipher(bool response, const Auth& auth, std::span<uint8_t> data) const;

  TPM2_HANDLE handle_;
  Bytes nonce_caller_, nonce_tpm_;
  SecretBytes key_;
  Bytes salted_to_;
};

}  // namespace keyscope::tpm::tss
