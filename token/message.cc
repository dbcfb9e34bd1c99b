#include "token/message.h"

#include <cstring>

#include "base/ossl.h"

namespace keyscope::token {
namespace {

using crypto::CipherStatus;
using crypto::Direction;

[[noreturn]] void Refuse(CK_RV rv, const char* why) { throw Error(Rv{rv}, why); }

SecretBytes Taken(crypto::CipherResult result) {
  if (result.status != CipherStatus::Ok)
    Refuse(CKR_ENCRYPTED_DATA_INVALID, "the message does not match its tag");
  return std::move(result.bytes);
}

}  // namespace

MessageCipher::Parameters::Parameters(Input given) {
  if (given.data == nullptr || given.size != sizeof gcm)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "the message's parameter has the wrong size");
  std::memcpy(&gcm, given.data, sizeof gcm);
  if (gcm.pIv == nullptr || gcm.ulIvLen == 0 || gcm.ulIvLen > 128)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "GCM needs an IV of 1 to 128 bytes");
  if (gcm.pTag == nullptr || gcm.ulTagBits % 8 != 0 || gcm.ulTagBits < 32 || gcm.ulTagBits > 128)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "a GCM tag has 32 to 128 bits, in whole bytes");
  if (gcm.ulIvFixedBits > 8 * gcm.ulIvLen || gcm.ulIvFixedBits % 8 != 0)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "the fixed part of the IV is longer than it");
}

// The part of the IV that is not fixed is drawn at random, whichever generator was asked for; only
// those that count need the caller's own counter.
void MessageCipher::SetIv(const Parameters& parameters) const {
  const CK_GCM_MESSAGE_PARAMS& gcm = parameters.gcm;
  if (gcm.ivGenerator == CKG_NO_GENERATE) return;
  if (gcm.ivGenerator != CKG_GENERATE && gcm.ivGenerator != CKG_GENERATE_RANDOM)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "IVs are given, or generated at random");
  const size_t fixed = gcm.ulIvFixedBits / 8, random = gcm.ulIvLen - fixed;
  constexpr size_t kEnoughRandom = 8;
  if (random < kEnoughRandom)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "too few bytes of the IV are left to be random");
  std::memcpy(gcm.pIv + fixed, ossl::Random(random).data(), random);
}

crypto::Cipher MessageCipher::NewCipher(const Parameters& parameters, ByteView aad,
                                        ByteView iv) const {
  auto cipher = crypto::Cipher::Start(crypto::CipherMode::Gcm, direction_, key_->auth.view(),
                                      {.iv = iv, .aad = aad, .tag_size = parameters.tag_size()});
  if (!cipher) Refuse(CKR_MECHANISM_PARAM_INVALID, "the cipher does not take these parameters");
  return std::move(*cipher);
}

SecretBytes MessageCipher::Finish(crypto::Cipher& cipher, const Parameters& parameters) const {
  const size_t tag_size = parameters.tag_size();
  if (direction_ == Direction::Decrypt) {
    Taken(cipher.Update({parameters.gcm.pTag, tag_size}));
    return Taken(cipher.Final());
  }
  const SecretBytes tag = Taken(cipher.Final());
  std::memcpy(parameters.gcm.pTag, tag.view().data(), tag_size);
  return {};
}

CK_RV MessageCipher::Whole(const Parameters& parameters, ByteView aad, ByteView data, Output out) {
  if (current_) Refuse(CKR_OPERATION_ACTIVE, "a message in parts is under way");
  out.Check();
  // A message and its ciphertext have the same size: the tag is kept apart.
  if (out.data == nullptr || *out.size < data.size()) {
    *out.size = data.size();
    return out.data == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  }
  if (direction_ == Direction::Encrypt) SetIv(parameters);
  crypto::Cipher cipher = NewCipher(parameters, aad, {parameters.gcm.pIv, parameters.gcm.ulIvLen});
  const SecretBytes body = Taken(cipher.Update(data)), end = Finish(cipher, parameters);
  out.Put(Concat({body.view(), end.view()}));
  return CKR_OK;
}

void MessageCipher::Start(const Parameters& parameters, ByteView aad) {
  if (current_) Refuse(CKR_OPERATION_ACTIVE, "a message in parts is under way");
  if (direction_ == Direction::Encrypt) SetIv(parameters);
  current_ = NewCipher(parameters, aad, {parameters.gcm.pIv, parameters.gcm.ulIvLen});
}

CK_RV MessageCipher::Next(const Parameters& parameters, ByteView part, Output out, bool last) {
  if (!current_) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no message in parts is under way");
  out.Check();
  const bool decrypts = direction_ == Direction::Decrypt;
  const size_t size = !decrypts ? part.size()
                      : last    ? current_->FinalSize(part.size() + parameters.tag_size())
                                : 0;
  if ((out.data == nullptr && size != 0) || *out.size < size) {
    *out.size = size;
    return out.data == nullptr ? CKR_OK : CKR_BUFFER_TOO_SMALL;
  }
  try {
    const SecretBytes body = Taken(current_->Update(part));
    const SecretBytes end = last ? Finish(*current_, parameters) : SecretBytes();
    if (last) current_.reset();
    out.Put(Concat({body.view(), end.view()}));
    return CKR_OK;
  } catch (...) {
    current_.reset();
    throw;
  }
}

}  // namespace keyscope::token
