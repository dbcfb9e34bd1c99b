#include "tpm/tss/endorsement.h"

#include <openssl/asn1.h>

#include <algorithm>

#include "base/log.h"
#include "base/ossl.h"
#include "tpm/tss/attest_commands.h"
#include "tpm/tss/hierarchy.h"
#include "tpm/tss/marshal.h"
#include "tpm/tss/nv.h"
#include "tpm/tss/root.h"
#include "tpm/tss/templates.h"

namespace keyscope::tpm::tss {
namespace {

constexpr TPM2_HANDLE kFirstOfChain = 0x01C00100, kLastOfChain = 0x01C001FF;

constexpr bool InLowRange(EkType type) { return type == EkType::Rsa || type == EkType::Ec; }

// Where the profile puts things. Of the high range it names no persistent handles: those are
// swtpm's.
constexpr TPM2_HANDLE CertificateIndex(EkType type) { return static_cast<TPM2_HANDLE>(type); }
constexpr TPM2_HANDLE TemplateIndex(EkType type) {
  return CertificateIndex(type) + (InLowRange(type) ? 2 : 1);
}
constexpr TPM2_HANDLE NonceIndex(EkType type) { return CertificateIndex(type) + 1; }
constexpr TPM2_HANDLE PersistentHandle(EkType type) {
  if (type == EkType::Rsa) return 0x81010001;
  if (type == EkType::Ec) return 0x81010002;
  return 0x81010000 | (CertificateIndex(type) & 0xff);
}

// DER one after the other, with or without what fills up an index. What is no DER ends it.
std::vector<Bytes> CertificatesIn(ByteView data) {
  std::vector<Bytes> certificates;
  for (;;) {
    while (!data.empty() && (data.front() == 0 || data.front() == 0xff)) data = data.subspan(1);
    const unsigned char* at = data.data();
    long size = 0;
    int tag = 0, tag_class = 0;
    const int flags = ASN1_get_object(&at, &size, &tag, &tag_class, static_cast<long>(data.size()));
    ossl::TakeError();
    if ((flags & 0x80) != 0 || tag != V_ASN1_SEQUENCE) return certificates;
    const auto whole = static_cast<size_t>(at - data.data() + size);
    certificates.push_back(Copy(data.first(whole)));
    data = data.subspan(whole);
  }
}

// What may not be read counts as not there.
Bytes ReadCertificates(Device& device, TPM2_HANDLE index) {
  try {
    return ReadNv(device, index);
  } catch (const CommandError& error) {
    if (!error.Is(Fault::Denied)) throw;
    log::Info("a certificate of an endorsement key cannot be read: ", error.what());
    return {};
  }
}

TPMT_PUBLIC TemplateOf(Device& device, EkType type) {
  const Bytes makers = ReadNv(device, TemplateIndex(type));
  TPMT_PUBLIC area = makers.empty() ? EndorsementTemplate(type) : UnmarshalPadded(makers);
  if (!IsEndorsementKey(area, type))
    throw Error(Fault::Unsupported, "the maker's template is none of a usable endorsement key");
  const Bytes nonce = InLowRange(type) ? ReadNv(device, NonceIndex(type)) : Bytes();
  if (!nonce.empty()) SetNonce(area, nonce);
  return area;
}

StorageKey MakeEndorsementKey(Device& device, EkType type) {
  const TPMT_PUBLIC area = TemplateOf(device, type);
  try {
    return AsHierarchy(device, TPM2_RH_ENDORSEMENT, [&](const Auth& auth) {
      return CreatePrimary(device.channel(), TPM2_RH_ENDORSEMENT, auth, area);
    });
  } catch (const CommandError& error) {
    if (!error.Is(Fault::BadInput)) throw;
    throw WithFault(error, Fault::Unsupported, "; this TPM has no such endorsement key");
  }
}

// Authorizes the use of `endorsement`: with its auth value, which is empty, or by its policy.
Auth AuthorizeEndorsement(Device& device, const TPMT_PUBLIC& endorsement) {
  if ((endorsement.objectAttributes & TPMA_OBJECT_USERWITHAUTH) != 0) return {};
  const Auth policy = device.BeginPolicy({}, Hold::Never);
  AsHierarchy(device, TPM2_RH_ENDORSEMENT, [&](const Auth& auth) {
    PolicySecret(device.channel(), TPM2_RH_ENDORSEMENT, auth, *policy.session);
    return true;
  });
  return policy;
}

// To some TPMs a number above the modulus is a failure of their own, which only a restart ends.
bool FitsModulus(const TPM2B_ENCRYPTED_SECRET& secret, const TPMT_PUBLIC& area) {
  const ByteView number(secret.secret, secret.size);
  const ByteView modulus = View(area.unique.rsa);
  return number.size() == modulus.size() && std::ranges::lexicographical_compare(number, modulus);
}

}  // namespace

Bytes EkId(EkType type) { return Copy(BigEndian32(PersistentHandle(type))); }

StorageKey EndorsementKey(Device& device, EkType type) {
  const TPM2_HANDLE handle = PersistentHandle(type);
  const auto present = ReadPublic(device.channel(), handle);
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
  const auto certificates = CertificatesIn(ReadCertificates(device, CertificateIndex(type)));
  return {type, Marshal(key.area), key.object.name, PublicKeyOf(key.area),
          certificates.empty() ? Bytes() : certificates.front()};
}

std::vector<EkType> PresentTypes(Device& device) {
  const auto indices = NvIndices(device, CertificateIndex(kEkTypes[0]), kFirstOfChain - 1);
  std::vector<EkType> present;
  for (EkType type : kEkTypes)
    if (InLowRange(type) || std::ranges::any_of(indices, [&](TPM2_HANDLE index) {
          return index == CertificateIndex(type) || index == TemplateIndex(type);
        }))
      present.push_back(type);
  return present;
}

std::vector<Bytes> ReadChain(Device& device) {
  Bytes all;  // a certificate may go on in the next index
  for (TPM2_HANDLE index : NvIndices(device, kFirstOfChain, kLastOfChain))
    Append(all, ReadCertificates(device, index));
  return CertificatesIn(all);
}

SecretBytes Activate(Device& device, const Root& root, const KeyRef& ak, EkType type,
                     const TPM2B_ID_OBJECT& id_object, const TPM2B_ENCRYPTED_SECRET& secret) {
  const Channel channel = device.channel();
  const StorageKey endorsement = EndorsementKey(device, type);
  if (endorsement.area.type == TPM2_ALG_RSA && !FitsModulus(secret, endorsement.area))
    throw Error(Fault::BadInput, "the credential is for another endorsement key");
  const Object object = Ready(device, root, ak);
  const Auth of_endorsement = AuthorizeEndorsement(device, endorsement.area);
  const Auth auth = device.Begin(nullptr, ak.auth.view(), Hold::InBurst);
  try {
    SecretBytes answer = ActivateCredential(channel, object, auth, endorsement.object,
                                            of_endorsement, id_object, secret);
    device.End(of_endorsement);
    device.End(auth);
    return answer;
  } catch (const CommandError& error) {
    const TPM2_RC base = BaseOf(error.native());
    // To some TPMs a secret that does not decrypt is a failure; after a real one they do nothing.
    if (base == TPM2_RC_FAILURE)
      GetRandom(channel, 1);
    else if (base != TPM2_RC_INTEGRITY)
      throw;
    throw WithFault(error, Fault::BadInput,
                    "; the credential is for another endorsement or attestation key");
  }
}

}  // namespace keyscope::tpm::tss
