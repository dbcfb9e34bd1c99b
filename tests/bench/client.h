// A PKCS#11 module, loaded with dlopen. Every call that fails is a std::runtime_error.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "p11/cryptoki.h"

namespace keyscope::bench {

struct ModuleOptions {
  std::string path;
  std::optional<CK_SLOT_ID> slot = {};  // else the first one whose token has a user PIN
  std::string pin = "123456";
  // VARIABLE=VALUE, for processes that share one TPM through a resource manager.
  std::vector<std::string> shared = {};
};

void Must(CK_RV rv, const char* call);

class Client {
 public:
  explicit Client(const ModuleOptions& options);  // loads, and calls no function of a token

  const CK_FUNCTION_LIST* operator->() const { return functions_; }
  const std::string& name() const { return name_; }

  void Initialize() const;
  void Finalize() const;
  CK_SESSION_HANDLE NewSession();
  void Login(CK_SESSION_HANDLE session);
  CK_SESSION_HANDLE NewSessionLoggedIn();
  // At most `most` handles, and 64 from a call.
  std::vector<CK_OBJECT_HANDLE> Find(CK_SESSION_HANDLE session, std::span<CK_ATTRIBUTE> wanted,
                                     size_t most) const;

 private:
  CK_SLOT_ID Slot();

  std::string name_;
  ModuleOptions options_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

}  // namespace keyscope::bench
