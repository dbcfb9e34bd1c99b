// A double of ncrypt.dll and tbs.dll: the Platform Crypto Provider and a TPM 2.0 behind it, as they
// are documented. It shares no code with tpm/ncrypt.
//
// Keys lie in files, in one name space for the machine and one for each account, below the folder
// KEYSCOPE_DOUBLE_DIR:
//   ProgramData/Microsoft/Crypto/PCPKSP/<provider>/*.PCPKEY                   the machine's
//   Users/<account>/AppData/Local/Microsoft/Crypto/PCPKSP/<provider>/*.PCPKEY  an account's
//   tpm      the TPM's seed and its lockout counter; without it the TPM is a new one
//   calls    one line for each call: name, arguments, status
// Further variables of the environment, read at each call:
//   KEYSCOPE_DOUBLE_FAULT    "<function>:<n>:<what>": the n-th call of the function ("*": of any)
//                            fails with the code <what> (hex), or the process dies before it
//                            ("die") or after it ("die-after"). Several are separated by blanks.
//                            Counting starts where the variable changes.
//   KEYSCOPE_DOUBLE_ACCOUNT  whose process this is; "Administrator" when unset
//   KEYSCOPE_DOUBLE_RIGHTS   "user": no rights to make or delete the machine's keys
#pragma once

#include <windows.h>
// After windows.h.
#include <bcrypt.h>
#include <ncrypt.h>
#include <openssl/evp.h>
#include <tbs.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace keyscope::ncrypt_double {

using Bytes = std::vector<uint8_t>;
using Status = uint32_t;

constexpr Status kBadData = 0x80090005, kBadFlags = 0x80090009, kNoKey = 0x8009000D,
                 kExists = 0x8009000F, kPerm = 0x80090010, kNotFound = 0x80090011,
                 kBadKeyset = 0x80090016, kInvalidHandle = 0x80090026,
                 kInvalidParameter = 0x80090027, kBufferTooSmall = 0x80090028,
                 kNotSupported = 0x80090029, kNoMoreItems = 0x8009002A;
constexpr Status kPcpNotSupported = 0x80290405, kPcpBufferTooSmall = 0x80290406,
                 kPcpAuthenticationFailed = 0x80290408, kPcpBadSalt = 0x80290423;
constexpr Status kTpmLockout = 0x80280803, kTpmValue = 0x80280084, kTpmIntegrity = 0x8028009F;

// A failure of a call: thrown inside, told as a status.
struct Failure {
  Status status;
};
inline void Require(bool ok, Status otherwise) {
  if (!ok) throw Failure{otherwise};
}

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;

// ---- calls.cc: one at a time, recorded, failing on demand
Status Run(const char* function, const std::string& arguments, const std::function<void()>& body);
std::string Setting(const char* name);  // of the environment; empty when unset
std::string Hex(uint32_t number);
std::string Utf8(const wchar_t* text);

// ---- files.cc
std::wstring Folder();
bool ReadFile(const std::wstring& path, Bytes& content);
void WriteFile(const std::wstring& path, const Bytes& content);
void AppendLine(const std::wstring& path, const std::string& line);
std::wstring KeyFolder(bool machine);
std::wstring KeyFile(const std::wstring& name, bool machine);

// ---- tpm.cc: what is inside the TPM
constexpr uint32_t kMaxTries = 5;
uint32_t Tries();
// Fails when locked out; counts a wrong auth value and fails with `wrong`.
void CheckAuth(const Bytes& expected, const Bytes& presented, Status wrong);
Bytes Protect(const Bytes& public_area, const Bytes& secret);
Bytes Unprotect(const Bytes& public_area, const Bytes& protected_secret);
Bytes StorageRootArea();  // TPMT_PUBLIC
Pkey EndorsementKey(bool rsa);
// The secret in a credential for the object of this Name.
Bytes Activate(const Bytes& name, const Bytes& credential);

// ---- bytes.cc
void Put(Bytes& to, uint64_t number, size_t size);  // big-endian
void PutSized(Bytes& to, const Bytes& bytes);       // with 2 bytes of size before it
struct Cursor {
  const Bytes& bytes;
  size_t at = 0;
  uint32_t Number(size_t size);
  Bytes Take(size_t size);
  Bytes Sized() { return Take(Number(2)); }
  Bytes Rest() { return Take(bytes.size() - at); }
};
Bytes Join(std::initializer_list<Bytes> parts);
Bytes Digest(const char* hash, const Bytes& data);
Bytes Hmac(const Bytes& key, const Bytes& data);  // SHA-256
Bytes Random(size_t size);

// ---- key.cc
struct Key {
  std::wstring algorithm;  // "RSA", "ECDSA_P256", ...
  std::wstring name;       // empty: not persisted
  bool machine = false, finalized = false, only_public = false;
  uint32_t bits = 2048, usage = NCRYPT_PCP_GENERIC_KEY;
  uint32_t scheme_hash = 0x0004;  // of an AK: the provider's own is SHA-1
  Bytes auth, presented;
  Bytes id_nonce, id_binding, activated;
  Bytes area;     // TPMT_PUBLIC
  Bytes wrapped;  // the TPM2B_PRIVATE's buffer
  uint32_t tpm_handle = 0;
  Pkey pkey;

  bool rsa() const { return algorithm == L"RSA"; }
  bool identity() const { return usage == NCRYPT_PCP_IDENTITY_KEY; }
  size_t field() const;  // bytes of a coordinate
};
bool KnowsAlgorithm(const std::wstring& algorithm);
void Generate(Key& key);  // also the statement of an AK's birth
Bytes OpaqueOf(const Key& key);
void LoadOpaque(Key& key, const Bytes& opaque);
void Persist(const Key& key);
void LoadFile(Key& key, const Bytes& content);
Bytes PublicBlob(const EVP_PKEY& pkey);  // BCRYPT_RSAKEY_BLOB or, of ECDH, BCRYPT_ECCKEY_BLOB
Bytes NameOf(const Bytes& area);
Bytes AreaOfRsa(const EVP_PKEY& pkey, uint32_t attributes, const Bytes& policy,
                const Bytes& parameters);
Pkey PublicFromEcBlob(const Bytes& blob, std::wstring& algorithm);
// The signature of a TPM over what it states: TPMT_SIGNATURE.
Bytes SignStatement(const Key& key, const Bytes& attest);
// ECDSA: r || s.
Bytes SignHash(const Key& key, const char* hash, const Bytes& digest, bool pss);
Bytes Crypt(const Key& key, bool encrypt, bool oaep, const char* hash, const Bytes& input);
Bytes SharedX(const Key& key, const Key& peer);

// ---- objects.cc: handles
struct Provider {};
struct Secret {
  Bytes x;
};
NCRYPT_HANDLE Add(std::unique_ptr<Key> key);
NCRYPT_HANDLE Add(std::unique_ptr<Secret> secret);
NCRYPT_HANDLE Add(std::unique_ptr<Provider> provider);
Key& KeyOf(NCRYPT_HANDLE handle);
Secret& SecretOf(NCRYPT_HANDLE handle);
void RequireProvider(NCRYPT_HANDLE handle);
bool IsProvider(NCRYPT_HANDLE handle);
Key* KeyWithTpmHandle(uint32_t tpm_handle);
void Free(NCRYPT_HANDLE handle);

// ---- commands.cc
Bytes Execute(const Bytes& command);  // a TPM command and its response

}  // namespace keyscope::ncrypt_double
