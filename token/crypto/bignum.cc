#include "token/crypto/bignum.h"

#include "token/crypto/check.h"

namespace keyscope::crypto {

ossl::BnCtx NewBnCtx() {
  ossl::BnCtx context(BN_CTX_new_ex(ossl::Context()));
  Check(context != nullptr, "BN_CTX_new_ex");
  return context;
}

ossl::Bn NewNumber() {
  ossl::Bn number(BN_new());
  Check(number != nullptr, "BN_new");
  return number;
}

ossl::Bn SecretNumber(ByteView bytes) {
  ossl::Bn number = Number(bytes);
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  return number;
}

Bytes ToBytes(const BIGNUM* number, size_t size) {
  Bytes bytes(size);
  Check(BN_bn2binpad(number, bytes.data(), static_cast<int>(size)) >= 0, "BN_bn2binpad");
  return bytes;
}

}  // namespace keyscope::crypto
