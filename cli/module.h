// The PKCS#11 module as its clients see it: loaded by its path, reached through its function list.
// Every failed call is a keyscope::Error with an Rv whose text names the function, the CKR_ code,
// and what the module itself says about it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/scope.h"
#include "base/secret.h"
#include "p11/cryptoki.h"
#include "p11/keyscope.h"

namespace keyscope::cli {

class ModuleLog;

constexpr CK_SLOT_ID SlotOf(KeyScope scope) { return scope == KeyScope::Machine ? 0 : 1; }

// `path` empty: $KEYSCOPE_MODULE, else beside this program, else where it is installed.
std::string ModulePath(const std::string& path);

class Module {
 public:
  // dlopen and C_Initialize. Throws Failure when it does not load.
  explicit Module(const std::string& path);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  // The function to call, and the check of what it returned.
  const CK_FUNCTION_LIST& call() const { return *functions_; }
  void Check(CK_RV rv, const char* function) const;

  bool TokenPresent(KeyScope scope) const;
  CK_TOKEN_INFO TokenInfo(KeyScope scope) const;

 private:
  std::unique_ptr<ModuleLog> log_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

// A fixed field of a CK_ structure, or a label, without its padding.
std::string Trimmed(std::string text);
template <size_t Size>
std::string Trimmed(const CK_UTF8CHAR (&field)[Size]) {
  return Trimmed(std::string(reinterpret_cast<const char*>(field), Size));
}

// Attributes for a template. The values live in it.
class Attributes {
 public:
  Attributes() = default;
  ~Attributes();  // wipes the values: some are secret
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  Attributes& Add(CK_ATTRIBUTE_TYPE type, ByteView value);
  Attributes& Add(CK_ATTRIBUTE_TYPE type, std::string_view text) {
    return Add(type, AsBytes(text));
  }
  Attributes& AddBool(CK_ATTRIBUTE_TYPE type, bool value);
  Attributes& AddUlong(CK_ATTRIBUTE_TYPE type, CK_ULONG value);
  // Valid until the next Add.
  std::span<CK_ATTRIBUTE> Template();

 private:
  std::vector<std::pair<CK_ATTRIBUTE_TYPE, Bytes>> values_;
  std::vector<CK_ATTRIBUTE> template_;
};

class Session {
 public:
  // A read-write session where the token has room for one.
  Session(const Module& module, KeyScope scope);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Module& module() const { return module_; }
  KeyScope scope() const { return scope_; }
  CK_SESSION_HANDLE handle() const { return handle_; }

  bool IsLoggedIn() const;  // by a login of another session, too
  void Login(CK_USER_TYPE user, const SecretBytes& pin);
  std::vector<CK_OBJECT_HANDLE> Find(Attributes& attributes) const;
  // Nullopt when the object has no such attribute, or none to be read.
  std::optional<Bytes> Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;
  Bytes GetOr(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;   // empty when absent
  bool GetBool(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;  // false when absent
  std::optional<CK_ULONG> GetUlong(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const;

  // C_DestroyObject. True: the object is gone, but the TPM still holds its key.
  bool Destroy(CK_OBJECT_HANDLE object) const;

  // Mechanism `type` with the parameter structure `parameters`.
  template <typename Parameters>
  Bytes Sign(CK_MECHANISM_TYPE type, Parameters parameters, CK_OBJECT_HANDLE key,
             ByteView data) const {
    return SignWith({type, &parameters, sizeof parameters}, key, data);
  }
  template <typename Parameters>
  SecretBytes Decrypt(CK_MECHANISM_TYPE type, Parameters parameters, CK_OBJECT_HANDLE key,
                      ByteView data) const {
    return DecryptWith({type, &parameters, sizeof parameters}, key, data);
  }

 private:
  Bytes SignWith(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key, ByteView data) const;
  SecretBytes DecryptWith(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key, ByteView data) const;
  // Of a function that was begun: asked for the size first. `name`: for the error.
  SecretBytes ResultOf(CK_C_Sign function, const char* name, ByteView data) const;

  const Module& module_;
  const KeyScope scope_;
  CK_SESSION_HANDLE handle_ = CK_INVALID_HANDLE;
};

}  // namespace keyscope::cli
