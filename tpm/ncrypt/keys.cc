#include "tpm/ncrypt/keys.h"

#include <algorithm>

#include "base/log.h"
#include "tpm/ncrypt/blob.h"
#include "tpm/ncrypt/structures.h"

namespace keyscope::tpm::ncrypt {
namespace {

constexpr unsigned kAkBits = 2048, kSealingBits = 2048;
constexpr Hash kSealingHash = Hash::Sha256;

struct HashRow {
  Hash hash;
  const wchar_t* id;
};
constexpr HashRow kHashes[] = {{Hash::Sha1, BCRYPT_SHA1_ALGORITHM},
                               {Hash::Sha256, BCRYPT_SHA256_ALGORITHM},
                               {Hash::Sha384, BCRYPT_SHA384_ALGORITHM},
                               {Hash::Sha512, BCRYPT_SHA512_ALGORITHM}};

const wchar_t* AlgorithmOf(const KeySpec& spec) {
  const auto* ec = std::get_if<EcSpec>(&spec.algorithm);
  if (ec == nullptr) return BCRYPT_RSA_ALGORITHM;
  const CurveRow* row = std::ranges::find(kCurves, ec->curve, &CurveRow::curve);
  return ec->agrees ? row->ecdh : row->ecdsa;
}

// A provider made before these properties gives the AK the scheme of its own: RSASSA with SHA-1.
void AskForSha256(NCRYPT_KEY_HANDLE ak) try {
  SetProperty(ak, L"PCP_RSA_SCHEME", DWORD{kAlgRsassa});
  SetProperty(ak, L"PCP_RSA_SCHEME_HASH_ALG", DWORD{kAlgSha256});
} catch (const Error& error) {
  log::Warn("the attestation key signs with the provider's own hash, which may be SHA-1: ",
            error.what());
}

MadeKey Finalize(Handle handle, const std::wstring& name, const SecretBytes& auth) {
  SetUsageAuth(handle.get(), auth);
  Try("NCryptFinalizeKey", Doing::Administer, [&] {
    return static_cast<uint32_t>(Functions().FinalizeKey(handle.get(), NCRYPT_SILENT_FLAG));
  });
  const Bytes opaque = Export(handle.get(), kOpaqueBlob);
  Bytes area = PublicInOpaque(opaque);
  SetUsageAuth(handle.get(), auth);
  return {name.empty() ? OpaqueBlob(std::move(area), opaque) : NamedBlob(std::move(area), name),
          std::move(handle)};
}

void SetRsa(NCRYPT_KEY_HANDLE key, unsigned bits, DWORD usage) {
  SetProperty(key, NCRYPT_LENGTH_PROPERTY, DWORD{bits});
  SetProperty(key, NCRYPT_PCP_KEY_USAGE_POLICY_PROPERTY, usage);
}

// What the padding of a scheme is told.
struct Padding {
  BCRYPT_PKCS1_PADDING_INFO pkcs1{};
  BCRYPT_PSS_PADDING_INFO pss{};
  void* info = nullptr;
  DWORD flags = 0;

  Padding(SignScheme scheme, Hash hash) {
    if (scheme == SignScheme::RsaPkcs1) {
      pkcs1.pszAlgId = HashId(hash);
      info = &pkcs1;
      flags = BCRYPT_PAD_PKCS1;
    } else if (scheme == SignScheme::RsaPss) {
      pss = {HashId(hash), static_cast<ULONG>(DigestSize(hash))};
      info = &pss;
      flags = BCRYPT_PAD_PSS;
    }
  }
  Padding(const Padding&) = delete;
  Padding& operator=(const Padding&) = delete;
};

BCRYPT_OAEP_PADDING_INFO Oaep(Hash hash) { return {HashId(hash), nullptr, 0}; }

PBYTE Data(ByteView bytes) { return const_cast<PBYTE>(bytes.data()); }
DWORD Size(ByteView bytes) { return static_cast<DWORD>(bytes.size()); }

}  // namespace

const wchar_t* HashId(Hash hash) {
  const HashRow* row = std::ranges::find(kHashes, hash, &HashRow::hash);
  return row != std::end(kHashes) ? row->id : nullptr;
}

MadeKey Make(const Provider& provider, const KeySpec& spec, const SecretBytes& auth,
             ByteView id_nonce) {
  const auto* rsa = std::get_if<RsaSpec>(&spec.algorithm);
  if (spec.attestation_key && (rsa == nullptr || rsa->bits != kAkBits))
    throw Error(Fault::Unsupported, "the provider's attestation keys are RSA-2048");
  const std::wstring name = spec.name.empty() ? std::wstring() : NameFromBytes(spec.name);
  try {
    Handle handle = provider.Create(AlgorithmOf(spec), name, spec.scope);
    if (rsa != nullptr)
      SetRsa(handle.get(), rsa->bits,
             spec.attestation_key ? NCRYPT_PCP_IDENTITY_KEY : NCRYPT_PCP_GENERIC_KEY);
    if (spec.attestation_key) AskForSha256(handle.get());
    if (!id_nonce.empty()) SetProperty(handle.get(), NCRYPT_PCP_TPM12_IDBINDING_PROPERTY, id_nonce);
    return Finalize(std::move(handle), name, auth);
  } catch (const Error& error) {
    if (!error.Is(Fault::BadInput)) throw;
    throw Error(Fault::Unsupported,
                std::string(error.what()) + "; this TPM has no keys of this kind or size",
                error.native());
  }
}

MadeKey MakeSealing(const Provider& provider, const SecretBytes& pin_auth) {
  Handle handle = provider.Create(BCRYPT_RSA_ALGORITHM, {}, KeyScope::User);
  SetRsa(handle.get(), kSealingBits, NCRYPT_PCP_ENCRYPTION_KEY);
  return Finalize(std::move(handle), {}, pin_auth);
}

Bytes SignDigest(NCRYPT_KEY_HANDLE key, const PublicKey& public_key, SignScheme scheme, Hash hash,
                 ByteView digest) {
  Padding padding(scheme, hash);
  const Bytes signature =
      Answer("NCryptSignHash", Doing::Use, [&](PBYTE to, DWORD room, DWORD* size) {
        return Functions().SignHash(key, padding.info, Data(digest), Size(digest), to, room, size,
                                    padding.flags | NCRYPT_SILENT_FLAG);
      });
  const auto* ec = std::get_if<EcPublic>(&public_key);
  if (ec == nullptr)
    return PadLeft(StripLeadingZeros(signature), std::get<RsaPublic>(public_key).modulus.size());
  if (signature.size() != 2 * FieldSize(ec->curve))
    throw Error(Fault::Io, "the provider's signature is not as long as two coordinates");
  return signature;
}

Bytes EncryptOaep(NCRYPT_KEY_HANDLE key, const SecretBytes& secret) {
  BCRYPT_OAEP_PADDING_INFO oaep = Oaep(kSealingHash);
  return Answer("NCryptEncrypt", Doing::Use, [&](PBYTE to, DWORD room, DWORD* size) {
    return Functions().Encrypt(key, Data(secret.view()), Size(secret.view()), &oaep, to, room, size,
                               NCRYPT_PAD_OAEP_FLAG | NCRYPT_SILENT_FLAG);
  });
}

SecretBytes DecryptPadded(NCRYPT_KEY_HANDLE key, RsaPadding padding, Hash hash,
                          ByteView ciphertext) {
  const bool is_oaep = padding == RsaPadding::Oaep;
  BCRYPT_OAEP_PADDING_INFO oaep = Oaep(hash);
  // One call: each costs a TPM command, and a wrong PIN a try.
  SecretBytes plain(ciphertext.size());
  DWORD size = 0;
  Try("NCryptDecrypt", Doing::Use, [&] {
    return static_cast<uint32_t>(Functions().Decrypt(
        key, Data(ciphertext), Size(ciphertext), is_oaep ? &oaep : nullptr, plain.data(),
        static_cast<DWORD>(plain.size()), &size,
        (is_oaep ? NCRYPT_PAD_OAEP_FLAG : NCRYPT_PAD_PKCS1_FLAG) | NCRYPT_SILENT_FLAG));
  });
  return SecretBytes(plain.view().first(std::min<size_t>(size, plain.size())));
}

SecretBytes Agree(const Provider& provider, NCRYPT_KEY_HANDLE key, const EcPublic& peer) {
  const Handle other = [&] {
    try {
      return provider.Import(BCRYPT_ECCPUBLIC_BLOB, EcdhBlob(peer));
    } catch (const Error& error) {
      if (error.Is(Fault::DeviceGone) || error.Is(Fault::Busy)) throw;
      throw Error(Fault::BadInput, std::string("the other party's point: ") + error.what());
    }
  }();
  NCRYPT_SECRET_HANDLE agreed = 0;
  Try("NCryptSecretAgreement", Doing::Use, [&] {
    return static_cast<uint32_t>(
        Functions().SecretAgreement(key, other.get(), &agreed, NCRYPT_SILENT_FLAG));
  });
  const Handle secret(agreed);
  // BCRYPT_KDF_RAW_SECRET: the x coordinate, little-endian.
  Bytes raw = Answer("NCryptDeriveKey", Doing::Use, [&](PBYTE to, DWORD room, DWORD* size) {
    return Functions().DeriveKey(secret.get(), L"TRUNCATE", nullptr, to, room, size, 0);
  });
  std::ranges::reverse(raw);
  SecretBytes x(PadLeft(raw, FieldSize(peer.curve)));
  Wipe(raw.data(), raw.size());
  return x;
}

}  // namespace keyscope::tpm::ncrypt
