// Session: one application session with a token, and the only way from the C ABI to what a token
// does.
//
// Thread contract: a caller holds Lock() during each call. Calls throw Error; those that return
// CK_RV also return CKR_OK, CKR_BUFFER_TOO_SMALL or a per-attribute code as a value. Handles are
// checked here.
#pragma once

#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <variant>

#include "token/io.h"
#include "token/message.h"
#include "token/message_signer.h"
#include "token/objects.h"
#include "token/op_kind.h"
#include "token/operation.h"

namespace keyscope::token {

class Token;

class Session {
 public:
  // `id`: the session's handle. Registers with the token: CKR_TOKEN_NOT_PRESENT,
  // CKR_SESSION_READ_WRITE_SO_EXISTS. A token that is not initialised has sessions too: clients
  // open one with every token, and give up where one refuses (p11-kit).
  Session(Token& token, CK_SESSION_HANDLE id, CK_FLAGS flags);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] std::unique_lock<std::mutex> Lock() { return std::unique_lock(mutex_); }
  // The session leaves the table: its session objects go, and with the last session the login.
  // After it every call of a thread that still holds the session is CKR_SESSION_HANDLE_INVALID.
  // Needs no Lock().
  void Close() noexcept;

  CK_SESSION_INFO Info();
  void InitPin(Input pin);
  void SetPin(Input old_pin, Input new_pin);
  void Login(CK_USER_TYPE user, Input pin);
  void Logout();

  CK_OBJECT_HANDLE CreateObject(Template attributes);
  CK_OBJECT_HANDLE CopyObject(CK_OBJECT_HANDLE object, Template attributes);
  void DestroyObject(CK_OBJECT_HANDLE object);
  CK_ULONG ObjectSize(CK_OBJECT_HANDLE object);
  CK_RV GetAttributes(CK_OBJECT_HANDLE object, std::span<CK_ATTRIBUTE> attributes);
  void SetAttributes(CK_OBJECT_HANDLE object, Template attributes);

  void FindInit(Template attributes);
  size_t Find(std::span<CK_OBJECT_HANDLE> found);  // the number of handles written
  void FindFinal();

  // Starts an operation. Digest takes no key (pass CK_INVALID_HANDLE). `mechanism` NULL cancels an
  // active operation of the kind, as version 3.0 says.
  void Begin(OpKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  // The single-part call: C_Digest, C_Encrypt, C_Decrypt, C_Sign, C_SignRecover, C_VerifyRecover.
  CK_RV Once(OpKind kind, Input in, Output out);
  // C_DigestUpdate, C_SignUpdate, C_VerifyUpdate.
  void Feed(OpKind kind, Input in);
  // C_EncryptUpdate, C_DecryptUpdate.
  CK_RV Update(OpKind kind, Input in, Output out);
  // C_DigestFinal, C_EncryptFinal, C_DecryptFinal, C_SignFinal.
  CK_RV Final(OpKind kind, Output out);
  void VerifyOnce(Input data, Input signature);
  void VerifyFinal(Input signature);
  void DigestKey(CK_OBJECT_HANDLE key);
  // C_DigestEncryptUpdate (Digest, Encrypt) and C_SignEncryptUpdate feed the plaintext, which may
  // be encrypted in its place; C_DecryptDigestUpdate and C_DecryptVerifyUpdate what was decrypted.
  // An error ends both operations.
  CK_RV FeedAndEncrypt(OpKind feed, Input in, Output out);
  CK_RV DecryptAndFeed(OpKind feed, Input in, Output out);
  // Message-based operations: begun once, then any number of messages. `kind`: Encrypt or Decrypt,
  // Sign or Verify. CKR_OPERATION_NOT_INITIALIZED, CKR_OPERATION_ACTIVE.
  void BeginMessages(OpKind kind, const CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key);
  MessageCipher& Cipher(OpKind kind);
  MessageSigner& Signer(OpKind kind);
  void EndMessages(OpKind kind);
  // C_SessionCancel: CKF_ flags of the operations to cancel.
  void Cancel(CK_FLAGS flags);

  CK_OBJECT_HANDLE GenerateKey(const CK_MECHANISM& mechanism, Template attributes);
  std::pair<CK_OBJECT_HANDLE, CK_OBJECT_HANDLE> GenerateKeyPair(const CK_MECHANISM& mechanism,
                                                                Template public_attributes,
                                                                Template private_attributes);
  CK_RV WrapKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE wrapping, CK_OBJECT_HANDLE key,
                Output out);
  CK_OBJECT_HANDLE UnwrapKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE unwrapping,
                             Input wrapped, Template attributes);
  CK_OBJECT_HANDLE DeriveKey(const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE base,
                             Template attributes);

  void SeedRandom(Input seed);
  void GenerateRandom(std::span<uint8_t> random);

 private:
  struct ActiveOp {
    std::unique_ptr<Operation> operation;
    bool fed = false;                     // a multi-part operation has begun
    std::optional<SecretBytes> finished;  // kept for a caller whose buffer was too short
    std::optional<uint64_t> login;        // the login that it belongs to: ends with it
    // Begun with a key of CKA_ALWAYS_AUTHENTICATE, and its CKU_CONTEXT_SPECIFIC login has not come:
    // the how-manieth such operation it is. Else 0.
    uint64_t waits = 0;
  };
  struct ActiveMessages {
    std::variant<MessageCipher, MessageSigner> with;
    std::optional<uint64_t> login;
  };
  // What a step leaves of the operation.
  enum class Outcome : uint8_t { Ended, Active, TooSmall };

  void CheckOpen() const;
  void CheckWritable(const AttributeSet& attributes) const;
  void CheckMayCreate(const AttributeSet& attributes);
  std::vector<CK_OBJECT_HANDLE> Keep(std::vector<Object> objects);
  CK_OBJECT_HANDLE Keep(Object object);
  std::pair<CK_OBJECT_HANDLE, CK_OBJECT_HANDLE> KeepPair(Object public_half, Object private_half);

  // What belongs to a login that has ended is no longer active.
  void EndWithLogin(auto& active) const {
    if (active && active->login && *active->login != Generation()) active.reset();
  }
  uint64_t Generation() const;  // of the login
  std::optional<ActiveOp>& Place(OpKind kind) { return operations_[static_cast<size_t>(kind)]; }
  ActiveOp& Active(OpKind kind);
  static void CheckUnfinished(const ActiveOp& active);
  template <typename Step>
  CK_RV Run(OpKind kind, Step step);
  template <typename Work>
  CK_RV Together(OpKind feed, OpKind kind, Work work);
  ActiveOp Make(OpKind kind, const CK_MECHANISM& mechanism, CK_OBJECT_HANDLE key);
  std::optional<ActiveMessages>& Messages(OpKind kind) {
    return messages_[static_cast<size_t>(kind)];
  }
  ActiveMessages& ActiveMessagesOf(OpKind kind);

  Token& token_;
  const CK_SESSION_HANDLE id_;
  const CK_FLAGS flags_;
  std::mutex mutex_;
  std::atomic<bool> closed_{false};
  std::array<std::optional<ActiveOp>, std::size(kOpKinds)> operations_;
  uint64_t waits_ = 0;  // operations that waited for their own login
  std::array<std::optional<ActiveMessages>, std::size(kOpKinds)> messages_;
  std::optional<Search> search_;
};

}  // namespace keyscope::token
