// A PKCS#11 module at work, loaded with dlopen.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "p11/cryptoki.h"
#include "tests/bench/subject.h"

namespace keyscope::bench {

struct ModuleOptions {
  std::string path;
  std::optional<CK_SLOT_ID> slot;  // else the first one whose token has a user PIN
  std::string pin = "123456";
};

// Works with the keys of the CKA_IDs be01 (P-256) and be02 (RSA-2048). Those that the token lacks
// it makes, and destroys in the end.
class Module final : public Subject {
 public:
  explicit Module(const ModuleOptions& options);  // throws std::runtime_error
  ~Module() override;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& name() const override { return name_; }
  void Warm() override;
  std::function<void()> Doing(Work work) override;

 private:
  struct Pair {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  };

  void Load(const std::string& path);
  void Open();
  void Close();
  CK_SESSION_HANDLE NewSession();
  CK_SLOT_ID Slot();
  void Login();
  void MakeIfAbsent(CK_MECHANISM_TYPE type, const Bytes& id);
  Pair Generate(CK_MECHANISM_TYPE type, Bytes id);
  std::vector<CK_OBJECT_HANDLE> FindAll(CK_OBJECT_CLASS object_class, Bytes id);
  void FindKeys();  // again after each login: handles of private objects need not outlive it
  CK_OBJECT_HANDLE Find(CK_OBJECT_CLASS object_class, const Bytes& id);
  void Destroy(const Pair& pair);
  Bytes Sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key);
  void SignInThreads();
  void ColdSign();
  void Verify(Bytes& signature);
  void Digest();
  Bytes EncryptRsa();
  void DecryptRsa(Bytes& ciphertext);
  // Not to be read; destroyed with the last copy.
  std::shared_ptr<CK_OBJECT_HANDLE> NewAes(bool token);
  void EncryptAes(CK_OBJECT_HANDLE key);

  std::string name_;
  ModuleOptions options_;
  CK_FUNCTION_LIST* p11_ = nullptr;
  CK_SESSION_HANDLE session_ = 0;
  std::vector<CK_SESSION_HANDLE> thread_sessions_;
  Pair ec_, rsa_;
  std::vector<Bytes> made_;  // by CKA_ID
};

}  // namespace keyscope::bench
