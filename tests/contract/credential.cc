#include "tests/contract/credential.h"

#include "tpm/tss/crypto.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/shared_secret.h"

namespace keyscope::test {
namespace {

using tpm::Hash;

Bytes Sized(ByteView bytes) {
  const auto size = static_cast<uint16_t>(bytes.size());
  return Concat({Bytes{static_cast<uint8_t>(size >> 8), static_cast<uint8_t>(size)}, bytes});
}

}  // namespace

Credential MakeCredential(const tpm::Endorsement& ek, ByteView ak_name, ByteView secret) {
  const Bytes area = Sized(ek.public_area);  // TPM2B_PUBLIC
  const tpm::tss::SharedSecret seed =
      tpm::tss::NewSecretFor(tpm::tss::UnmarshalPublic(area).publicArea, "IDENTITY");
  const SecretBytes key =
      tpm::tss::Kdfa(Hash::Sha256, seed.secret.view(), "STORAGE", ak_name, {}, 16);
  Bytes identity = Sized(secret);
  tpm::tss::AesCfb(tpm::Direction::Encrypt, key.view(), Bytes(16), identity);
  const SecretBytes hmac_key =
      tpm::tss::Kdfa(Hash::Sha256, seed.secret.view(), "INTEGRITY", {}, {}, 32);
  const Bytes integrity = tpm::tss::Hmac(Hash::Sha256, hmac_key.view(), {identity, ak_name});
  return {Sized(Concat({Sized(integrity), identity})),
          Sized({seed.encrypted.secret, seed.encrypted.size})};
}

}  // namespace keyscope::test
