// How objects come to be: C_CreateObject, C_CopyObject, and what generated, unwrapped and derived
// keys share.
#pragma once

#include "token/object.h"
#include "token/template.h"

namespace keyscope::token {

class Token;

// A new object of the kind that its attributes name: checked against the rules, with defaults and
// identity.
Object NewObject(AttributeSet given, Purpose purpose, Token& token);
// Gives a created object what its values imply, and a private key its place in the TPM.
// CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_KEY_SIZE_RANGE,
// CKR_CURVE_NOT_SUPPORTED.
void CompleteCreated(Object& object, Token& token);

// Gives a new key its secret: a secret key its value, in the TPM or kept under the token secret and
// never with the other attributes; a private key from outside its place in the TPM. The key's
// attributes say which it is. CKR_ATTRIBUTE_VALUE_INVALID, CKR_KEY_SIZE_RANGE,
// CKR_CURVE_NOT_SUPPORTED.
void SetSecretValue(Object& object, SecretBytes value, Token& token,
                    CK_RV bad_length = CKR_ATTRIBUTE_VALUE_INVALID);
// The same with a new value of `size` bytes; after an error the TPM may have the key loaded still.
void GenerateSecret(Object& object, size_t size, Token& token);
// The auth value of a new key in the TPM. From the host's generator: the TPM's would be one more
// command, in clear on the bus.
SecretBytes NewKeyAuth();
void ImportPrivate(Object& object, const tpm::PrivateKey& key, Token& token);

// An object of the token's own, public, that nobody may change. What makes it `itself` gives it the
// same identity each time.
Object DeviceObject(AttributeSet attributes, ByteView itself, KeyScope scope);

// Changes that C_SetAttributeValue or C_CopyObject (`copying`) may make: those of CheckChange, and
// CKR_TEMPLATE_INCONSISTENT for what they make of the object.
void ApplyChanges(Object& object, const AttributeSet& changes, bool copying, bool is_so);
// A copy with some attributes changed (section 5.7.2), and its own place in the TPM.
Object CopyOf(const Object& source, const AttributeSet& changes, Token& token);
void CompleteCopy(Object& copy, const Object& source, Token& token);

// CKR_KEY_SIZE_RANGE, CKR_ATTRIBUTE_VALUE_INVALID (the exponent), CKR_CURVE_NOT_SUPPORTED for a key
// from outside that the TPM does not have.
void CheckTpmHas(const tpm::PublicKey& key, const tpm::Facts& facts);

// Uses that the key does not have: CKR_TEMPLATE_INCONSISTENT, with the reason, when the template
// asks for one.
void ImplyNot(AttributeSet& attributes, std::initializer_list<CK_ATTRIBUTE_TYPE> uses,
              const char* why);
// The class, key type or any other attribute that a mechanism gives: CKR_TEMPLATE_INCONSISTENT when
// the template says otherwise.
void Imply(AttributeSet& attributes, CK_ATTRIBUTE_TYPE type, CK_ULONG value);

}  // namespace keyscope::token
