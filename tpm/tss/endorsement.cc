#include "tpm/tss/endorsement.h"

#include <openssl/asn1.h>

#include "base/log.h"
#include "base/ossl.h"
#include "tpm/tss/attest_commands.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/root.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

// Where the profile puts things.
struct Place {
  TPM2_HANDLE key, certificate, nonce;
};
constexpr Place PlaceOf(EkType type) {
  return type == EkType::Rsa ? Place{0x81010001, 0x01C00002, 0x01C00003}
                             : Place{0x81010002, 0x01C0000A, 0x01C0000B};
}

constexpr uint16_t kNvBlock = 512;  // each TPM reads that much at once

// An index that is not there, or that nobody has written, is empty.
Bytes ReadNv(Device& device, TPM2_HANDLE handle) {
  Connection& connection = device.connection();
  const auto index = NvReadPublic(connection, handle);
  if (!index || (index->area.attributes & TPMA_NV_WRITTEN) == 0) return {};
  // With its own auth value, which is empty, only where a wrong one would spend no try.
  constexpr TPMA_NV kByItself = TPMA_NV_AUTHREAD | TPMA_NV_NO_DA;
  const bool by_itself = (index->area.attributes & kByItself) == kByItself;
  Bytes data;
  while (data.size() < index->area.dataSize) {
    const auto offset = static_cast<uint16_t>(data.size());
    const auto size = std::min<uint16_t>(kNvBlock, index->area.dataSize - offset);
    const auto read = [&](const Object& entity, const Auth& auth) {
      return NvRead(connection, entity, auth, *index, size, offset);
    };
    const Bytes block =
        by_itself ? read(index->object, {}) : AsOwner(device, [&](const Auth& auth) {
          return read(Hierarchy(TPM2_RH_OWNER), auth);
        });
    if (block.empty()) throw Error(Fault::DeviceGone, "TPM2_NV_Read gives nothing");
    Append(data, block);
  }
  return data;
}

// Without what fills up the index. Empty when it is no DER.
Bytes DerIn(const Bytes& padded) {
  const unsigned char* at = padded.data();
  long size = 0;
  int tag = 0, tag_class = 0;
  const int flags = ASN1_get_object(&at, &size, &tag, &tag_class, static_cast<long>(padded.size()));
  ossl::TakeError();
  if ((flags & 0x80) != 0 || tag != V_ASN1_SEQUENCE) return {};
  return {padded.data(), at + size};
}

Bytes CertificateOf(Device& device, EkType type) {
  try {
    return DerIn(ReadNv(device, PlaceOf(type).certificate));
  } catch (const CommandError& error) {
    if (!error.Is(Fault::Denied)) throw;
    log::Info("the certificate of an endorsement key cannot be read: ", error.what());
    return {};
  }
}

// What needs the endorsement authorization, which is taken to be empty.
template <typename Use>
auto AsEndorsement(Use use) {
  try {
    return use();
  } catch (const CommandError& error) {
    if (!error.Is(Fault::AuthFailed)) throw;
    throw WithFault(error, Fault::Denied, "; the endorsement hierarchy has an authorization");
  }
}

StorageKey MakeEndorsementKey(Device& device, EkType type) {
  const TPMT_PUBLIC area = EndorsementTemplate(type, ReadNv(device, PlaceOf(type).nonce));
  try {
    return AsEndorsement(
        [&] { return CreatePrimary(device.connection(), TPM2_RH_ENDORSEMENT, {}, area); });
  } catch (const CommandError& error) {
    if (!error.Is(Fault::BadInput)) throw;
    throw WithFault(error, Fault::Unsupported, "; this TPM has no such endorsement key");
  }
}

// To some TPMs a number above the modulus is a failure of their own, which only a restart ends.
bool FitsModulus(const TPM2B_ENCRYPTED_SECRET& secret, const TPMT_PUBLIC& area) {
  const ByteView number(secret.secret, secret.size);
  const ByteView modulus = View(area.unique.rsa);
  return number.size() == modulus.size() && std::ranges::lexicographical_compare(number, modulus);
}

}  // namespace

Bytes EkId(EkType type) { return BigEndian32(PlaceOf(type).key); }

StorageKey EndorsementKey(Device& device, EkType type) {
  const TPM2_HANDLE handle = PlaceOf(type).key;
  const auto present = ReadPublic(device.connection(), handle);
  if (present && IsEndorsementKey(*present, type)) return {{handle, NameOf(*present)}, *present};
  device.Forget(EkId(type));
  TPMT_PUBLIC area{};
  const Object& made = device.Loaded(EkId(type), KeyCache::Place::First, [&] {
    const StorageKey primary = MakeEndorsementKey(device, type);
    area = primary.area;
    return primary.object;
  });
  return {made, area};
}

Endorsement ReadEndorsement(Device& device, EkType type) {
  const StorageKey key = EndorsementKey(device, type);
  device.Forget(EkId(type));
  return {type, Marshal(key.area), key.object.name, PublicKeyOf(key.area),
          CertificateOf(device, type)};
}

SecretBytes Activate(Device& device, const Root& root, const KeyRef& ak, EkType type,
                     const TPM2B_ID_OBJECT& id_object, const TPM2B_ENCRYPTED_SECRET& secret) {
  Connection& connection = device.connection();
  const StorageKey endorsement = EndorsementKey(device, type);
  if (type == EkType::Rsa && !FitsModulus(secret, endorsement.area))
    throw Error(Fault::BadInput, "the credential is for another endorsement key");
  const Object object = Ready(device, root, ak);
  const Auth policy = device.BeginOther(TPM2_SE_POLICY, {});
  AsEndorsement([&] { PolicySecret(connection, TPM2_RH_ENDORSEMENT, *policy.session); });
  const Auth auth = device.Begin(nullptr, ak.auth.view(), Hold::InBurst);
  try {
    SecretBytes answer =
        ActivateCredential(connection, object, auth, endorsement.object, policy, id_object, secret);
    device.End(policy);
    device.End(auth);
    return answer;
  } catch (const CommandError& error) {
    const TPM2_RC base = BaseOf(error.native());
    // To some TPMs a secret that does not decrypt is a failure; after a real one they do nothing.
    if (base == TPM2_RC_FAILURE)
      GetRandom(connection, 1);
    else if (base != TPM2_RC_INTEGRITY)
      throw;
    throw WithFault(error, Fault::BadInput,
                    "; the credential is for another endorsement or attestation key");
  }
}

}  // namespace keyscope::tpm::tss
