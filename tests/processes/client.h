// A process that is logged in to the machine slot, and what it does there.
#pragma once

#include <string>

#include "cli/module.h"

namespace keyscope::processes {

// The token and its PINs.
void InitToken(const std::string& module);

class Client {
 public:
  explicit Client(const std::string& module);

  // A P-256 pair, both halves token objects.
  void Generate(const std::string& label);
  void Destroy(const std::string& label);  // both halves
  // A signature of kDigest.
  Bytes Sign(const std::string& label);
  bool Verifies(const std::string& label, ByteView signature);
  size_t Count(const std::string& label);
  const CK_FUNCTION_LIST& functions() const { return module_.call(); }

 private:
  CK_OBJECT_HANDLE The(const std::string& label, CK_OBJECT_CLASS object_class);
  std::vector<CK_OBJECT_HANDLE> All(const std::string& label);

  cli::Module module_;
  cli::Session session_;
};

// The modes: each returns the process's exit code, or throws.
int Crowd(const std::string& module, int workers, int rounds);
int Sign(const std::string& module, int count);
int Idle(const std::string& module);
int Reload(const std::string& module, int rounds);
int End(const std::string& module, const std::string& how);
int Look(const std::string& module);

}  // namespace keyscope::processes
