#include "tests/module/operations.h"

#include <cstring>

namespace keyscope::test {
namespace {

template <CK_RV (*function)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG)>
CK_RV WithoutResult(CK_SESSION_HANDLE session, CK_BYTE* part, CK_ULONG size, CK_BYTE*,
                    CK_ULONG* result_size) {
  if (result_size != nullptr) *result_size = 0;
  return function(session, part, size);
}

CK_RV DigestInit(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE) {
  return C_DigestInit(session, mechanism);
}

constexpr size_t kRoom = size_t{16} * 1024;

}  // namespace

const OperationRow kDigest{
    "digest", CKF_DIGEST, 0, DigestInit, C_Digest, WithoutResult<C_DigestUpdate>, C_DigestFinal};
const OperationRow kEncrypt{"encrypt", CKF_ENCRYPT,     CKA_ENCRYPT,   C_EncryptInit,
                            C_Encrypt, C_EncryptUpdate, C_EncryptFinal};
const OperationRow kDecrypt{"decrypt", CKF_DECRYPT,     CKA_DECRYPT,   C_DecryptInit,
                            C_Decrypt, C_DecryptUpdate, C_DecryptFinal};
const OperationRow kSign{
    "sign", CKF_SIGN, CKA_SIGN, C_SignInit, C_Sign, WithoutResult<C_SignUpdate>, C_SignFinal};
const OperationRow kSignRecover{
    "sign recover", CKF_SIGN_RECOVER, CKA_SIGN_RECOVER, C_SignRecoverInit,
    C_SignRecover,  nullptr,          nullptr};
const OperationRow kVerifyRecover{"verify recover",
                                  CKF_VERIFY_RECOVER,
                                  CKA_VERIFY_RECOVER,
                                  C_VerifyRecoverInit,
                                  C_VerifyRecover,
                                  nullptr,
                                  nullptr};

Bytes Do(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
         CK_OBJECT_HANDLE key, ByteView data) {
  EXPECT_OK(row.init(session, mechanism.get(), key)) << row.name;
  CK_ULONG size = 0;
  EXPECT_OK(row.once(session, Mutable(data), data.size(), nullptr, &size)) << row.name;
  Bytes result(size);
  result.reserve(size + 1);  // a pointer also when it is empty
  EXPECT_OK(row.once(session, Mutable(data), data.size(), result.data(), &size)) << row.name;
  EXPECT_LE(size, result.size());
  result.resize(std::min<size_t>(size, result.size()));
  return result;
}

Bytes DoInParts(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
                CK_OBJECT_HANDLE key, ByteView data, size_t part) {
  EXPECT_OK(row.init(session, mechanism.get(), key)) << row.name;
  Bytes room(kRoom), result;
  for (; !data.empty(); data = data.subspan(std::min(part, data.size()))) {
    CK_ULONG size = room.size();
    EXPECT_OK(row.update(session, Mutable(data), std::min(part, data.size()), room.data(), &size))
        << row.name;
    Append(result, ByteView(room).first(size));
  }
  CK_ULONG size = room.size();
  EXPECT_OK(row.final(session, room.data(), &size)) << row.name;
  Append(result, ByteView(room).first(size));
  return result;
}

void ExpectSigns(CK_SESSION_HANDLE session, const KeyPair& pair) {
  const Bytes signature = Do(kSign, session, CKM_ECDSA, pair.private_key, Pattern(32));
  EXPECT_OK(Verify(session, CKM_ECDSA, pair.public_key, Pattern(32), signature));
}

CK_RV Try(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
          CK_OBJECT_HANDLE key, ByteView data) {
  const CK_RV rv = row.init(session, mechanism.get(), key);
  if (rv != CKR_OK) return rv;
  Bytes room(kRoom);
  CK_ULONG size = room.size();
  return row.once(session, Mutable(data), data.size(), room.data(), &size);
}

CK_RV Verify(CK_SESSION_HANDLE session, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
             ByteView data, ByteView signature) {
  const CK_RV rv = C_VerifyInit(session, mechanism.get(), key);
  if (rv != CKR_OK) return rv;
  return C_Verify(session, Mutable(data), data.size(), Mutable(signature), signature.size());
}

CK_RV VerifyInParts(CK_SESSION_HANDLE session, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                    ByteView data, ByteView signature, size_t part) {
  const CK_RV rv = C_VerifyInit(session, mechanism.get(), key);
  if (rv != CKR_OK) return rv;
  for (; !data.empty(); data = data.subspan(std::min(part, data.size())))
    EXPECT_OK(C_VerifyUpdate(session, Mutable(data), std::min(part, data.size())));
  return C_VerifyFinal(session, Mutable(signature), signature.size());
}

CK_RV TryCreate(CK_SESSION_HANDLE session, Attributes attributes) {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  return C_CreateObject(session, attributes.data(), attributes.size(), &object);
}

CK_OBJECT_HANDLE Create(CK_SESSION_HANDLE session, Attributes attributes) {
  CK_OBJECT_HANDLE object = CK_INVALID_HANDLE;
  EXPECT_OK(C_CreateObject(session, attributes.data(), attributes.size(), &object));
  return object;
}

CK_RV Set(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, Attributes attributes) {
  return C_SetAttributeValue(session, object, attributes.data(), attributes.size());
}

Bytes Get(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  EXPECT_OK(C_GetAttributeValue(session, object, &attribute, 1)) << "attribute " << type;
  if (attribute.ulValueLen == CK_UNAVAILABLE_INFORMATION) return {};
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  EXPECT_OK(C_GetAttributeValue(session, object, &attribute, 1)) << "attribute " << type;
  return value;
}

bool GetBool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  const Bytes value = Get(session, object, type);
  EXPECT_EQ(value.size(), sizeof(CK_BBOOL)) << "attribute " << type;
  return !value.empty() && value[0] == CK_TRUE;
}

CK_ULONG GetUlong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  const Bytes value = Get(session, object, type);
  CK_ULONG number = 0;
  EXPECT_EQ(value.size(), sizeof number) << "attribute " << type;
  if (value.size() == sizeof number) std::memcpy(&number, value.data(), sizeof number);
  return number;
}

CK_RV TryGet(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  return C_GetAttributeValue(session, object, &attribute, 1);
}

std::vector<CK_OBJECT_HANDLE> Find(CK_SESSION_HANDLE session, Attributes wanted) {
  std::vector<CK_OBJECT_HANDLE> all;
  EXPECT_OK(C_FindObjectsInit(session, wanted.data(), wanted.size()));
  for (;;) {
    CK_OBJECT_HANDLE found[7];
    CK_ULONG count = 0;
    EXPECT_OK(C_FindObjects(session, found, std::size(found), &count));
    if (count == 0) break;
    all.insert(all.end(), found, found + count);
  }
  EXPECT_OK(C_FindObjectsFinal(session));
  return all;
}

int64_t RowOf(CK_OBJECT_HANDLE handle) {
  constexpr int kLogoutBits = sizeof handle == 8 ? 16 : 4;
  return static_cast<int64_t>(handle << kLogoutBits >> kLogoutBits >> 2);
}

CK_OBJECT_HANDLE Now(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE before) {
  for (CK_OBJECT_HANDLE handle : Find(session, {{CKA_TOKEN, true}}))
    if (RowOf(handle) == RowOf(before) && (handle & 3) == (before & 3)) return handle;
  return CK_INVALID_HANDLE;
}

CK_RV TryGeneratePair(CK_SESSION_HANDLE session, const Mechanism& mechanism,
                      Attributes public_attributes, Attributes private_attributes, KeyPair& pair) {
  return C_GenerateKeyPair(session, mechanism.get(), public_attributes.data(),
                           public_attributes.size(), private_attributes.data(),
                           private_attributes.size(), &pair.public_key, &pair.private_key);
}

KeyPair GenerateEc(CK_SESSION_HANDLE session, const CurveRow& curve,
                   const Attributes& private_extra, const Attributes& public_extra) {
  KeyPair pair;
  EXPECT_OK(TryGeneratePair(session, CKM_EC_KEY_PAIR_GEN,
                            Attributes{{CKA_EC_PARAMS, curve.params}}.With(public_extra),
                            private_extra, pair));
  return pair;
}

KeyPair GenerateRsa(CK_SESSION_HANDLE session, CK_ULONG bits, const Attributes& private_extra,
                    const Attributes& public_extra) {
  KeyPair pair;
  EXPECT_OK(TryGeneratePair(session, CKM_RSA_PKCS_KEY_PAIR_GEN,
                            Attributes{{CKA_MODULUS_BITS, bits}}.With(public_extra), private_extra,
                            pair));
  return pair;
}

CK_OBJECT_HANDLE ImportAes(CK_SESSION_HANDLE session, ByteView value, const Attributes& extra) {
  return ImportSecret(session, value, Attributes{{CKA_KEY_TYPE, CKK_AES}}.With(extra));
}

CK_OBJECT_HANDLE ImportSecret(CK_SESSION_HANDLE session, ByteView value, const Attributes& extra) {
  return Create(session, Attributes{{CKA_CLASS, CKO_SECRET_KEY},
                                    {CKA_KEY_TYPE, CKK_GENERIC_SECRET},
                                    {CKA_SENSITIVE, false},
                                    {CKA_EXTRACTABLE, true},
                                    {CKA_VALUE, value}}
                             .With(extra));
}

Bytes Pattern(size_t size) {
  Bytes bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(i * 37 + 11);
  return bytes;
}

}  // namespace keyscope::test
