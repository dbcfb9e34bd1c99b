// What every command has: the options before its name, the module, and a place for its answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/arguments.h"
#include "cli/error.h"
#include "cli/json.h"
#include "cli/module.h"
#include "cli/pin.h"
#include "cli/progress.h"
#include "cli/uri.h"
#include "tpm/types.h"

namespace keyscope::cli {

class Context {
 public:
  std::string module_path;
  bool json = false;
  std::optional<bool> progress;  // not told: where standard error is a terminal
  PinSource pin{.variable = "KEYSCOPE_PIN", .prompt = "User PIN"};

  // Loaded and initialised by the first call.
  Module& module();

  // False: the token is not initialised, and so holds nothing. Failure when it is not there, or its
  // store cannot be read.
  bool HasToken(KeyScope scope);
  // The same where both tokens are asked for: that one of them is not there, as the machine's is
  // for most accounts, is noted.
  bool HasToken(KeyScope scope, Json& notes);
  // A session with the token of `scope`, logged in where the token wants it. UsageError without a
  // PIN. `from`: a URI that may bring a PIN.
  std::unique_ptr<Session> Login(KeyScope scope, const Uri& from = {});
  // One PIN for two tokens would spend one of the TPM's tries in each run: after a wrong one the
  // user is to name the token.
  bool LastPinWasWrong(KeyScope scope);
  // Login, but without one, so that only public objects are seen, when there is no PIN; and when
  // the token's last one was wrong, unless the user `named` the token. `why_not`: empty after a
  // login.
  std::unique_ptr<Session> LoginIfPossible(KeyScope scope, bool named, std::string& why_not);

  // The answer, printed at once: as text or, with --json, as JSON.
  void Answer(const Json& answer) const;
  // To be told of each of the `total` steps of long work.
  Progress Watch(std::string what, size_t total) const;
  // What is JSON or PEM in any case: to `file`, or to standard output when that is empty. Failure
  // when it cannot be written.
  static void Write(const std::string& text, const std::string& file);
  static void WriteSecret(ByteView secret, const std::string& file);  // for the owner's eyes only

  Exit exit = Exit::Ok;

 private:
  std::unique_ptr<Module> module_;
};

// The options that name a key: NAME, --id, --scope, or --uri instead.
struct KeyOptions {
  std::string name, id, scope, uri;

  // `name_option`: what NAME is given by.
  void AddTo(Arguments args, const char* name_option = "name");
  // What they say as one URI; UsageError where they contradict each other. A token= in the URI
  // chooses its slot, for which `context` may load the module.
  Uri Resolve(Context& context) const;
  // The same; UsageError unless they name one key.
  Uri ResolveOne(Context& context) const;
};

// A file's contents; "-": standard input. UsageError when it cannot be read.
std::string ReadFile(const std::string& path);
// Hexadecimal digits of an option; UsageError for others.
Bytes HexOption(const std::string& option, const std::string& text);
// A nonce, at most 64 bytes in hexadecimal.
Bytes NonceOption(const std::string& text);
// The certificates of a PEM file; UsageError when it has none.
std::vector<Bytes> CertificatesOption(const std::string& path);
tpm::PcrSelection PcrsOption(const std::string& text);

}  // namespace keyscope::cli
