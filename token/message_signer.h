// Message-based signing and verification of PKCS#11 3.0 (sections 5.14 and 5.16): many messages
// under one key and one mechanism, each an operation of its own. No mechanism has parameters for a
// single message.
#pragma once

#include <functional>
#include <memory>

#include "token/operation.h"

namespace keyscope::token {

class MessageSigner {
 public:
  using Maker = std::function<std::unique_ptr<Operation>()>;
  // `make`: a new operation under the key.
  explicit MessageSigner(Maker make) : make_(std::move(make)) {}

  // One whole message. CKR_BUFFER_TOO_SMALL: nothing was done.
  CK_RV Sign(ByteView data, Output out);
  // CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE.
  void Verify(ByteView data, ByteView signature);

  // The same in parts; every error but CKR_BUFFER_TOO_SMALL ends the message. CKR_OPERATION_ACTIVE,
  // CKR_OPERATION_NOT_INITIALIZED.
  void Start();
  void Feed(ByteView part);
  CK_RV FeedAndSign(ByteView part, Output out);
  void FeedAndVerify(ByteView part, ByteView signature);

 private:
  std::unique_ptr<Operation> New();
  Operation& Current();

  const Maker make_;
  std::unique_ptr<Operation> current_;
};

}  // namespace keyscope::token
