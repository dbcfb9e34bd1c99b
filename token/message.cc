#include "token/message.h"

#include <algorithm>
#include <cstring>

#include "base/ossl.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

using crypto::CipherStatus;
using crypto::Direction;

constexpr CK_ULONG kFewestFreeBits = 64;

uint64_t Last64(ByteView bytes) {
  uint64_t number = 0;
  for (uint8_t byte : bytes.last(sizeof number)) number = number << 8 | byte;
  return number;
}

void SetLast64(Bytes& bytes, uint64_t number) {
  for (size_t i = 1; i <= sizeof number; ++i, number >>= 8)
    bytes[bytes.size() - i] = static_cast<uint8_t>(number);
}

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
  if (gcm.pIv == nullptr || gcm.ulIvLen == 0 || gcm.ulIvLen > crypto::kLongestGcmIv)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "GCM needs an IV, of at most 65536 bytes");
  if (gcm.pTag == nullptr || gcm.ulTagBits % 8 != 0 || gcm.ulTagBits < 32 || gcm.ulTagBits > 128)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "a GCM tag has 32 to 128 bits, in whole bytes");
  if (gcm.ulIvFixedBits > 8 * gcm.ulIvLen)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "the fixed part of the IV is longer than it");
}

// The part of the IV after its fixed bits. CKG_GENERATE_COUNTER counts up from a random number, so
// that no IV comes twice under one key; CKG_GENERATE_COUNTER_XOR is what TLS 1.3 does: the caller's
// IV with the number of the message. That is the one of the first message: a caller may leave there
// what was written, and an IV would come twice.
Bytes MessageCipher::NewIv(const CK_GCM_MESSAGE_PARAMS& gcm) {
  const Bytes given = Copy({gcm.pIv, gcm.ulIvLen});
  switch (gcm.ivGenerator) {
    case CKG_GENERATE:
    case CKG_GENERATE_RANDOM:
      return ossl::Random(given.size());
    case CKG_GENERATE_COUNTER: {
      if (counter_start_.size() < given.size()) counter_start_ = ossl::Random(given.size());
      Bytes iv = Copy(ByteView(counter_start_).last(given.size()));
      SetLast64(iv, Last64(iv) + generated_++);
      return iv;
    }
    case CKG_GENERATE_COUNTER_XOR: {
      if (given.size() != base_.size()) base_ = given;
      Bytes iv = base_;
      SetLast64(iv, Last64(iv) ^ generated_++);
      return iv;
    }
    default:
      Refuse(CKR_MECHANISM_PARAM_INVALID, "unknown way to generate an IV");
  }
}

void MessageCipher::SetIv(const Parameters& parameters) {
  const CK_GCM_MESSAGE_PARAMS& gcm = parameters.gcm;
  if (gcm.ivGenerator == CKG_NO_GENERATE) return;
  if (8 * gcm.ulIvLen - gcm.ulIvFixedBits < kFewestFreeBits)
    Refuse(CKR_MECHANISM_PARAM_INVALID, "too few bits of the IV are left to be generated");
  const Bytes made = NewIv(gcm);
  const size_t first = gcm.ulIvFixedBits / 8;
  for (size_t i = first; i < made.size(); ++i) {
    const auto free = static_cast<uint8_t>(i == first ? 0xff >> (gcm.ulIvFixedBits % 8) : 0xff);
    gcm.pIv[i] = static_cast<uint8_t>((gcm.pIv[i] & ~free) | (made[i] & free));
  }
}

crypto::Cipher MessageCipher::NewCipher(const Parameters& parameters, ByteView aad,
                                        ByteView iv) const {
  auto cipher = crypto::Cipher::Start(crypto::CipherMode::Gcm, direction_, key_,
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
  // A message and its ciphertext have the same size: the tag is kept apart.
  if (auto rv = out.Lacks(data.size())) return *rv;
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
  tag_size_ = parameters.tag_size();
}

CK_RV MessageCipher::Next(const Parameters& parameters, ByteView part, Output out, bool last) {
  if (!current_) Refuse(CKR_OPERATION_NOT_INITIALIZED, "no message in parts is under way");
  const bool decrypts = direction_ == Direction::Decrypt;
  const size_t size = !decrypts ? part.size()
                      : last    ? current_->FinalSize(part.size() + tag_size_)
                                : 0;
  if (auto rv = out.Lacks(size)) return *rv;
  try {
    if (parameters.tag_size() != tag_size_)
      Refuse(CKR_MECHANISM_PARAM_INVALID, "the message began with a tag of another size");
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
