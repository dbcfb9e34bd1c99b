#include "token/message_signer.h"

#include "token/refuse.h"

namespace keyscope::token {

std::unique_ptr<Operation> MessageSigner::New() {
  if (current_) Refuse(CKR_OPERATION_ACTIVE, "a message in parts is under way");
  return make_();
}

Operation& MessageSigner::Current() {
  if (!current_) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no message in parts is under way");
  return *current_;
}

CK_RV MessageSigner::Sign(ByteView data, Output out) {
  const auto operation = New();
  if (auto rv = out.Lacks(operation->FinishBound())) return *rv;
  out.Put(operation->Once(data).view());
  return CKR_OK;
}

void MessageSigner::Verify(ByteView data, ByteView signature) {
  const auto operation = New();
  operation->Feed(data);
  operation->Check(signature);
}

void MessageSigner::Start() { current_ = New(); }

void MessageSigner::Feed(ByteView part) try { Current().Feed(part); } catch (...) {
  current_.reset();
  throw;
}

CK_RV MessageSigner::FeedAndSign(ByteView part, Output out) {
  if (auto rv = out.Lacks(Current().FinishBound())) return *rv;
  const auto operation = std::move(current_);
  operation->Feed(part);
  out.Put(operation->Finish().view());
  return CKR_OK;
}

void MessageSigner::FeedAndVerify(ByteView part, ByteView signature) {
  Current();
  const auto operation = std::move(current_);
  operation->Feed(part);
  operation->Check(signature);
}

}  // namespace keyscope::token
