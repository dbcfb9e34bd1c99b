// Calls of the C ABI that a test expects to work: each says what went wrong and returns its result.
#pragma once

#include <string_view>
#include <vector>

#include "tests/module/module_fixture.h"

namespace keyscope::test {

// The functions of one kind of operation that has a result, in one shape. The digest's take no key;
// only encryption and decryption have a result for each part.
struct OperationRow {
  const char* name;
  CK_FLAGS flag;
  CK_ATTRIBUTE_TYPE usage;
  CK_RV (*init)(CK_SESSION_HANDLE, CK_MECHANISM*, CK_OBJECT_HANDLE);
  CK_RV (*once)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_RV (*update)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG, CK_BYTE*, CK_ULONG*);
  CK_RV (*final)(CK_SESSION_HANDLE, CK_BYTE*, CK_ULONG*);
};
extern const OperationRow kDigest, kEncrypt, kDecrypt, kSign, kSignRecover, kVerifyRecover;

// The whole operation in one call, and in parts of `part` bytes.
Bytes Do(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
         CK_OBJECT_HANDLE key, ByteView data);
Bytes DoInParts(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
                CK_OBJECT_HANDLE key, ByteView data, size_t part);
// Signs with a pair for ECDSA, and verifies that.
void ExpectSigns(CK_SESSION_HANDLE session, const KeyPair& pair);
// The code with which Init, or the call after it, refuses.
CK_RV Try(const OperationRow& row, CK_SESSION_HANDLE session, const Mechanism& mechanism,
          CK_OBJECT_HANDLE key, ByteView data);
CK_RV Verify(CK_SESSION_HANDLE session, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
             ByteView data, ByteView signature);
CK_RV VerifyInParts(CK_SESSION_HANDLE session, const Mechanism& mechanism, CK_OBJECT_HANDLE key,
                    ByteView data, ByteView signature, size_t part);

CK_OBJECT_HANDLE Create(CK_SESSION_HANDLE session, Attributes attributes);
CK_RV TryCreate(CK_SESSION_HANDLE session, Attributes attributes);
CK_RV Set(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, Attributes attributes);
Bytes Get(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
bool GetBool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
CK_ULONG GetUlong(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
CK_RV TryGet(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
std::vector<CK_OBJECT_HANDLE> Find(CK_SESSION_HANDLE session, Attributes wanted);
// The store's row of a token object.
int64_t RowOf(CK_OBJECT_HANDLE handle);
// The handle that a token object has in this login, from one of an earlier login; 0: it is gone.
CK_OBJECT_HANDLE Now(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE before);

// Session keys, unless the attributes say otherwise. The extra attributes go to the half they are
// named for.
KeyPair GenerateEc(CK_SESSION_HANDLE session, const CurveRow& curve = P256(),
                   const Attributes& private_extra = {}, const Attributes& public_extra = {});
KeyPair GenerateRsa(CK_SESSION_HANDLE session, CK_ULONG bits = 2048,
                    const Attributes& private_extra = {}, const Attributes& public_extra = {});
CK_RV TryGeneratePair(CK_SESSION_HANDLE session, const Mechanism& mechanism,
                      Attributes public_attributes, Attributes private_attributes, KeyPair& pair);
// Keys from outside, readable unless the attributes say otherwise.
CK_OBJECT_HANDLE ImportAes(CK_SESSION_HANDLE session, ByteView value, const Attributes& extra = {});
CK_OBJECT_HANDLE ImportSecret(CK_SESSION_HANDLE session, ByteView value,
                              const Attributes& extra = {});

Bytes Pattern(size_t size);  // bytes that are not all the same

}  // namespace keyscope::test
