#include "token/operation.h"

#include <algorithm>

#include "token/refuse.h"

namespace keyscope::token {
namespace {

// A session starts no operation of a kind for which its mechanism has no such step.
[[noreturn]] void NoSuchStep(Where where = Where::Here()) {
  Refuse(CKR_FUNCTION_NOT_SUPPORTED, "the mechanism has no such step", where);
}

}  // namespace

void Operation::Feed(ByteView) { NoSuchStep(); }
SecretBytes Operation::Update(ByteView) { NoSuchStep(); }
SecretBytes Operation::Finish() { NoSuchStep(); }
void Operation::Check(ByteView) { NoSuchStep(); }

SecretBytes Operation::Once(ByteView data) {
  Feed(data);
  return Finish();
}

size_t Operation::UpdateBound(size_t) const { return 0; }
size_t Operation::OnceBound(size_t) const { return FinishBound(); }

Message::Message(tpm::Hash hash, size_t limit, CK_RV too_long)
    : limit_(limit), too_long_(too_long) {
  if (hash != tpm::Hash::None) digester_.emplace(hash);
}

void Message::Add(ByteView part) {
  if (digester_) {
    digester_->Update(part);
    return;
  }
  if (part.size() > limit_ - size_) Refuse(too_long_, "more data than the mechanism takes");
  if (size_ + part.size() > bytes_.size()) {
    SecretBytes longer(std::max(2 * bytes_.size(), size_ + part.size()));
    std::ranges::copy(bytes_.view().first(size_), longer.data());
    bytes_ = std::move(longer);
  }
  std::ranges::copy(part, bytes_.data() + size_);
  size_ += part.size();
}

Bytes Message::Take() {
  return Copy(digester_ ? digester_->Final().view() : bytes_.view().first(size_));
}

void VerifyOperation::Check(ByteView signature) {
  if (signature.size() != size_ && signature.size() + less_ != size_)
    Refuse(CKR_SIGNATURE_LEN_RANGE, "a signature of the wrong size");
  if (!verify_(message_.Take(), signature))
    Refuse(CKR_SIGNATURE_INVALID, "the signature does not match");
}

SecretBytes TransformOperation::Update(ByteView part) {
  message_.Add(part);
  return {};
}

SecretBytes TransformOperation::Finish() {
  const SecretBytes whole(message_.Take());
  return transform_(whole.view());
}

}  // namespace keyscope::token
