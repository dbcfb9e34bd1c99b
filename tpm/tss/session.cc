#include "tpm/tss/session.h"

#include <utility>

#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"

namespace keyscope::tpm::tss {
namespace {

constexpr size_t kAesKeySize = 16;
constexpr size_t kAesBlockSize = 16;

TPMA_SESSION AttributesOf(const Auth& auth) {
  return static_cast<TPMA_SESSION>((auth.keep ? TPMA_SESSION_CONTINUESESSION : 0) |
                                   (auth.encrypt_request ? TPMA_SESSION_DECRYPT : 0) |
                                   (auth.encrypt_response ? TPMA_SESSION_ENCRYPT : 0) |
                                   (auth.audit ? TPMA_SESSION_AUDIT : 0));
}

Bytes NewNonce() { return ossl::Random(Session::kNonceSize); }

}  // namespace

TPMT_SYM_DEF Session::Symmetric() {
  TPMT_SYM_DEF symmetric{};
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = kAesKeySize * 8;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return symmetric;
}

Session::Session(TPM2_HANDLE handle, ByteView nonce_caller, ByteView nonce_tpm,
                 const SecretBytes& salt, Bytes salted_to)
    : handle_(handle),
      nonce_caller_(Copy(nonce_caller)),
      nonce_tpm_(Copy(nonce_tpm)),
      salted_to_(std::move(salted_to)) {
  if (!salt.empty())
    key_ = Kdfa(kHash, salt.view(), "ATH", nonce_tpm, nonce_caller, DigestSize(kHash));
}

SecretBytes Session::KeyFor(const Auth& auth) const {
  return SecretBytes(Concat({key_.view(), auth.value}));
}

// The newer nonce comes first: the caller's in a command, the TPM's in a response (section 21.3).
void Session::Cipher(bool response, const Auth& auth, std::span<uint8_t> data) const {
  const SecretBytes derived =
      Kdfa(kHash, KeyFor(auth).view(), "CFB", response ? nonce_tpm_ : nonce_caller_,
           response ? nonce_caller_ : nonce_tpm_, kAesKeySize + kAesBlockSize);
  AesCfb(response ? Direction::Decrypt : Direction::Encrypt, derived.view().first(kAesKeySize),
         derived.view().subspan(kAesKeySize), data);
}

void Session::DrawNonce() noexcept try {
  next_nonce_ = NewNonce();
} catch (const std::exception&) {  // the next command will say it
}

TSS2_RC Session::Encrypt(TSS2_SYS_CONTEXT* sys, const Auth& auth) {
  nonce_caller_ = next_nonce_.empty() ? NewNonce() : std::exchange(next_nonce_, {});
  if (!auth.encrypt_request) return TSS2_RC_SUCCESS;
  size_t size = 0;
  const uint8_t* data = nullptr;
  const TSS2_RC rc = Tss2_Sys_GetDecryptParam(sys, &size, &data);
  if (rc != TSS2_RC_SUCCESS || size == 0) return rc;  // tpm2-tss takes no empty parameter back
  SecretBytes parameter(ByteView(data, size));
  Cipher(false, auth, {parameter.data(), parameter.size()});
  return Tss2_Sys_SetDecryptParam(sys, size, parameter.view().data());
}

TPMS_AUTH_COMMAND Session::Authorize(ByteView cp_hash, const Auth& auth) const {
  const TPMA_SESSION attributes = AttributesOf(auth);
  const Bytes hmac = Hmac(kHash, KeyFor(auth).view(),
                          {cp_hash, nonce_caller_, nonce_tpm_, {&attributes, sizeof attributes}});
  return {handle_, Tpm2b<TPM2B_NONCE>(nonce_caller_), attributes, Tpm2b<TPM2B_AUTH>(hmac)};
}

bool Session::Accept(ByteView rp_hash, const TPMS_AUTH_RESPONSE& answer, const Auth& auth) {
  nonce_tpm_ = Copy(View(answer.nonce));
  const Bytes hmac =
      Hmac(kHash, KeyFor(auth).view(),
           {rp_hash, nonce_tpm_, nonce_caller_, {&answer.sessionAttributes, sizeof(TPMA_SESSION)}});
  return ConstantTimeEqual(hmac, View(answer.hmac));
}

TSS2_RC Session::Decrypt(TSS2_SYS_CONTEXT* sys, const Auth& auth) const {
  if (!auth.encrypt_response) return TSS2_RC_SUCCESS;
  size_t size = 0;
  const uint8_t* data = nullptr;
  const TSS2_RC rc = Tss2_Sys_GetEncryptParam(sys, &size, &data);
  if (rc != TSS2_RC_SUCCESS || size == 0) return rc;
  SecretBytes parameter(ByteView(data, size));
  Cipher(true, auth, {parameter.data(), parameter.size()});
  return Tss2_Sys_SetEncryptParam(sys, size, parameter.view().data());
}

}  // namespace keyscope::tpm::tss
