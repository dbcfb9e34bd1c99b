#include "tpm/ncrypt/attestation.h"

#include "base/log.h"
#include "tpm/ncrypt/blob.h"
#include "tpm/ncrypt/structures.h"
#include "tpm/ncrypt/tpm_commands.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr size_t kLongestNonce = 66;  // TPM2B_DATA with SHA-512

// Where the provider has an endorsement key and its certificate.
struct EndorsementRow {
  EkType type;
  const wchar_t *key, *certificate;
  PublicKey (*parse)(ByteView blob);
};
constexpr EndorsementRow kEndorsements[] = {
    {EkType::Rsa, L"PCP_RSA_EKPUB", L"PCP_RSA_EKNVCERT", FromRsaBlob},
    {EkType::Ec, L"PCP_ECC_EKPUB", L"PCP_ECC_EKNVCERT", FromEcBlob},
};

// The certificate without what pads it in the TPM's NV memory: a DER SEQUENCE tells its size.
Bytes Trimmed(Bytes der) {
  if (der.size() < 4 || der[0] != 0x30) return der;
  size_t size = der[1];
  size_t header = 2;
  if ((size & 0x80) != 0) {
    const size_t octets = size & 0x7f;
    if (octets == 0 || octets > 3 || der.size() < 2 + octets) return der;
    size = 0;
    for (size_t i = 0; i < octets; ++i) size = size << 8 | der[2 + i];
    header += octets;
  }
  if (header + size < der.size()) der.resize(header + size);
  return der;
}

// Nullopt: the provider has no such property.
std::optional<Bytes> PropertyIfThere(const Provider& provider, const wchar_t* name) {
  try {
    return GetProperty(provider.get(), name);
  } catch (const Error& error) {
    if (error.Is(Fault::DeviceGone)) throw;
    log::Info("the provider does not tell an endorsement key or certificate: ", error.what());
    return std::nullopt;
  }
}

uint32_t TpmHandleOf(NCRYPT_KEY_HANDLE key) {
  return GetNumber<uint32_t>(key, NCRYPT_PCP_PLATFORMHANDLE_PROPERTY);
}

}  // namespace

void ReadBirth(NCRYPT_KEY_HANDLE ak, CreatedKey& made) {
  const Bytes binding = GetProperty(ak, NCRYPT_PCP_TPM12_IDBINDING_PROPERTY);
  Reader reader(binding);
  reader.Sized();  // TPM2B_PUBLIC
  made.creation_data = Copy(reader.Sized());
  made.creation.attest = Copy(reader.Sized());
  made.creation.signature = Copy(reader.rest());
}

void CheckAttest(const KeyRef& ak, ByteView nonce) {
  if (nonce.size() > kLongestNonce) throw Error(Fault::BadInput, "a nonce is too long");
  if (!ParsePublic(TpmtOf(ak.blob.public_area)).restricted)
    throw Error(Fault::BadInput, "the key is no attestation key");
}

Statement Certify(Device& device, const Provider& provider, const Root& root, const KeyRef& ak,
                  const KeyRef& key, ByteView nonce) {
  CheckAttest(ak, nonce);
  const uint32_t certified = TpmHandleOf(device.Ready(root, key));
  const uint32_t by = TpmHandleOf(device.Ready(root, ak));
  return Certify(provider, {certified, key.auth.view()}, {by, ak.auth.view()}, nonce);
}

Statement Quote(Device& device, const Provider& provider, const Root& root, const KeyRef& ak,
                uint16_t bank, uint32_t pcrs, ByteView nonce) {
  CheckAttest(ak, nonce);
  const uint32_t by = TpmHandleOf(device.Ready(root, ak));
  return Quote(provider, {by, ak.auth.view()}, bank, pcrs, nonce);
}

SecretBytes Activate(NCRYPT_KEY_HANDLE ak, ByteView id_object, ByteView encrypted_secret) {
  SetProperty(ak, NCRYPT_PCP_TPM12_IDACTIVATION_PROPERTY, Concat({id_object, encrypted_secret}));
  return SecretBytes(GetProperty(ak, NCRYPT_PCP_TPM12_IDACTIVATION_PROPERTY));
}

std::vector<Endorsement> ReadEndorsements(const Provider& provider) {
  std::vector<Endorsement> all;
  for (const EndorsementRow& row : kEndorsements) {
    const auto key = PropertyIfThere(provider, row.key);
    if (!key || key->empty()) continue;
    Endorsement one{
        .type = row.type, .public_area = {}, .name = {}, .key = row.parse(*key), .certificate = {}};
    one.public_area = EndorsementArea(one.key);
    one.name = NameOf(one.public_area);
    one.certificate = Trimmed(PropertyIfThere(provider, row.certificate).value_or(Bytes()));
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace keyscope::tpm::ncrypt
