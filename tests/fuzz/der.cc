// Keys, points and certificates in DER, and what is made of them.
#include "base/error.h"
#include "tests/fuzz/input.h"
#include "token/crypto/certificate.h"
#include "token/crypto/ec.h"
#include "token/crypto/key_info.h"
#include "token/crypto/public_key.h"
#include "token/crypto/tss2_key.h"

namespace {

using namespace keyscope;

// A key that was read is a key to work with, and is written as it is read again.
void UsePublic(const tpm::PublicKey& key, ByteView data) {
  if (crypto::DecodePublicKeyInfo(crypto::EncodePublicKeyInfo(key)) == std::nullopt) abort();
  const crypto::SoftwareKey software(key);
  if (std::holds_alternative<tpm::EcPublic>(key)) {
    software.VerifyEcdsa(Bytes(32, 1), data);
  } else {
    software.Raw(data.first(std::min(data.size(), software.size())));
    software.VerifyPkcs1(tpm::Hash::Sha256, Bytes(32, 1), data);
    software.VerifyPss(tpm::Hash::Sha256, tpm::Hash::Sha256, 32, Bytes(32, 1), data);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::Input in(data, size);
  const uint8_t kind = in.Byte();
  const ByteView der = in.Rest();
  const auto curve = static_cast<tpm::Curve>(kind / 4 % 3);
  switch (kind % 4) {
    case 0:
      if (const auto key = crypto::DecodePublicKeyInfo(der)) UsePublic(*key, der);
      break;
    case 1:
      crypto::DecodePrivateKeyInfo(der);
      crypto::DecodeTss2Key(der);
      break;
    case 2:
      crypto::CurveFromParams(der);
      crypto::PrivateFromScalar(curve, der);
      if (const auto point = crypto::DecodePoint(curve, der)) UsePublic(*point, der);
      break;
    case 3:
      if (const auto fields = crypto::ParseCertificate(der))
        if (const auto key = crypto::DecodePublicKeyInfo(fields->public_key_info))
          UsePublic(*key, der);
      break;
  }
  return 0;
}
