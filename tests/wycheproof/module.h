// The module through its C functions, on a software TPM of its own: a token with its user logged
// in.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "p11/cryptoki.h"
#include "tests/support/swtpm.h"

namespace keyscope::wycheproof {

using Attributes = std::vector<std::pair<CK_ATTRIBUTE_TYPE, Bytes>>;
Bytes Ulong(CK_ULONG value);
Bytes Bool(bool value);

// A session object; destroyed when it goes.
class Key {
 public:
  Key(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle) : session_(session), handle_(handle) {}
  ~Key() { C_DestroyObject(session_, handle_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  CK_OBJECT_HANDLE handle() const { return handle_; }

 private:
  CK_SESSION_HANDLE session_;
  CK_OBJECT_HANDLE handle_;
};
using KeyPtr = std::shared_ptr<const Key>;

// The module does not take the key of a case or of its group.
struct KeyRefused {
  CK_RV rv;
};

struct Result {
  CK_RV rv = CKR_OK;
  Bytes bytes;
};

// A mechanism with its parameter, which lies in what it was made from.
template <typename Parameter>
CK_MECHANISM With(CK_MECHANISM_TYPE type, Parameter& parameter) {
  return {type, &parameter, sizeof parameter};
}
inline CK_MECHANISM Plain(CK_MECHANISM_TYPE type) { return {type, nullptr, 0}; }

class Module {
 public:
  Module();  // throws std::runtime_error
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // Throws Skip where C_GetMechanismList does not name it.
  void Need(CK_MECHANISM_TYPE type, const std::string& name) const;

  // C_CreateObject. Throws Skip for key sizes and curves that the TPM lacks, else KeyRefused.
  KeyPtr Import(const Attributes& attributes);
  KeyPtr ImportSecret(CK_KEY_TYPE type, ByteView value);

  CK_RV Verify(CK_MECHANISM mechanism, const Key& key, const Bytes& data, const Bytes& signature);
  Result Sign(CK_MECHANISM mechanism, const Key& key, const Bytes& data);
  Result Encrypt(CK_MECHANISM mechanism, const Key& key, const Bytes& data);
  Result Decrypt(CK_MECHANISM mechanism, const Key& key, const Bytes& data);
  // A generic secret and its value.
  Result Derive(CK_MECHANISM mechanism, const Key& key, size_t size);
  Result Unwrap(CK_MECHANISM mechanism, const Key& key, const Bytes& wrapped);
  Result Wrap(CK_MECHANISM mechanism, const Key& key, const Key& wrapped);

 private:
  Result ValueOf(CK_RV rv, CK_OBJECT_HANDLE handle);

  test::Swtpm swtpm_;
  std::string folder_;
  CK_SESSION_HANDLE session_ = 0;
  std::vector<CK_MECHANISM_TYPE> mechanisms_;
};

}  // namespace keyscope::wycheproof
