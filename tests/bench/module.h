// A PKCS#11 module at work.
#pragma once

#include <memory>
#include <vector>

#include "tests/bench/client.h"
#include "tests/bench/subject.h"

namespace keyscope::bench {

// Works with the keys of the CKA_IDs be01 (P-256) and be02 (RSA-2048). Those that the token lacks
// it makes, and destroys in the end.
class Module final : public Subject {
 public:
  explicit Module(const ModuleOptions& options);  // throws std::runtime_error
  ~Module() override;
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const std::string& name() const override { return p11_.name(); }
  void Warm() override;
  std::function<void()> Doing(const Row& row) override;

 private:
  struct Pair {
    CK_OBJECT_HANDLE public_key = 0, private_key = 0;
  };

  void Open();
  void MakeIfAbsent(CK_MECHANISM_TYPE type, const Bytes& id);
  Pair Generate(CK_MECHANISM_TYPE type, Bytes id);
  std::vector<CK_OBJECT_HANDLE> FindAll(CK_OBJECT_CLASS object_class, Bytes id) const;
  CK_OBJECT_HANDLE Find(CK_OBJECT_CLASS object_class, const Bytes& id) const;
  void FindKeys();  // again after each login: handles of private objects need not outlive it
  void Destroy(const Pair& pair);
  Bytes Sign(CK_SESSION_HANDLE session, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) const;
  std::function<void()> Signing(const Row& row, CK_MECHANISM_TYPE type, CK_OBJECT_HANDLE key) const;
  void ColdSign();
  void Verify(Bytes& signature) const;
  void Digest(Bytes& data) const;
  Bytes EncryptRsa() const;
  void DecryptRsa(Bytes& ciphertext) const;
  Bytes PointOf(CK_OBJECT_HANDLE public_key) const;
  void Derive(Bytes& point) const;
  void CreateData() const;
  // Not to be read; destroyed with the last copy.
  std::shared_ptr<CK_OBJECT_HANDLE> NewAes(bool token);
  void EncryptAes(CK_OBJECT_HANDLE key) const;

  Client p11_;
  CK_SESSION_HANDLE session_ = 0;
  std::vector<CK_SESSION_HANDLE> thread_sessions_;
  Pair ec_, rsa_;
  std::vector<Bytes> made_;  // by CKA_ID
};

}  // namespace keyscope::bench
