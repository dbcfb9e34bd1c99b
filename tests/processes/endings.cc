// Ways for a process to end that has the module at work: a session held in the TPM, a thread that
// is to give it back, a login.
#include <cstdlib>
#include <thread>

#include "tests/processes/client.h"

namespace keyscope::processes {
namespace {

constexpr int kExitCode = 7;
constexpr char kKey[] = "key of a process that ends", kRead[] = "one that it has verified with";
const CK_FUNCTION_LIST* at_exit_functions = nullptr;

// A wrong answer changes the exit code.
void FinalizeAtExit() {
  if (at_exit_functions->C_Finalize(nullptr) != CKR_OK) ::_Exit(1);
  if (at_exit_functions->C_Finalize(nullptr) != CKR_CRYPTOKI_NOT_INITIALIZED) ::_Exit(2);
}

// What is of OpenSSL and lives until C_Finalize: a public key that was read, and operations in a
// session.
void LeaveOperations(Client& client) {
  if (client.Count(kRead) == 0) client.Generate(kRead);
  if (!client.Verifies(kRead, client.Sign(kRead))) ::_Exit(3);
  const CK_FUNCTION_LIST& call = client.functions();
  CK_SESSION_HANDLE session = 0;
  CK_ULONG size = 16;
  CK_BYTE iv[16] = {};
  CK_ATTRIBUTE length{CKA_VALUE_LEN, &size, sizeof size};
  CK_MECHANISM make_aes{CKM_AES_KEY_GEN, nullptr, 0},
      make_secret{CKM_GENERIC_SECRET_KEY_GEN, nullptr, 0}, sha256{CKM_SHA256, nullptr, 0},
      hmac{CKM_SHA256_HMAC, nullptr, 0}, cbc{CKM_AES_CBC, iv, sizeof iv};
  CK_OBJECT_HANDLE aes = 0, secret = 0;
  const bool all = call.C_OpenSession(0, CKF_SERIAL_SESSION, nullptr, nullptr, &session) == 0 &&
                   call.C_GenerateKey(session, &make_aes, &length, 1, &aes) == 0 &&
                   call.C_GenerateKey(session, &make_secret, &length, 1, &secret) == 0 &&
                   call.C_DigestInit(session, &sha256) == 0 &&
                   call.C_DigestUpdate(session, iv, sizeof iv) == 0 &&
                   call.C_SignInit(session, &hmac, secret) == 0 &&
                   call.C_SignUpdate(session, iv, sizeof iv) == 0 &&
                   call.C_EncryptInit(session, &cbc, aes) == 0;
  if (!all) ::_Exit(4);
}

}  // namespace

int End(const std::string& module, const std::string& how) {
  // Registered first, it runs last: after all that the module and its libraries have registered.
  if (how == "atexit-first") std::atexit(FinalizeAtExit);
  static auto& client = *new Client(module);  // never destroyed
  at_exit_functions = &client.functions();
  client.Generate(kKey);
  for (int n = 0; n < 3; ++n) client.Sign(kKey);
  client.Destroy(kKey);
  LeaveOperations(client);
  if (how == "atexit-last") std::atexit(FinalizeAtExit);
  if (how == "quick") std::quick_exit(kExitCode);
  if (how == "busy") {
    client.Generate(kKey);
    std::thread([] {
      for (;;) client.Sign(kKey);
    }).detach();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  std::exit(kExitCode);
}

}  // namespace keyscope::processes
