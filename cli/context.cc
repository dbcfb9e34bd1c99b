#include "cli/context.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/encoding.h"
#include "cli/output.h"
#include "tpm/pcr.h"

namespace keyscope::cli {
namespace {

constexpr size_t kMaxNonce = 64;

// Which token has this label or serial number. The scope that the URI names must be its.
void ChooseToken(const Module& module, Uri& uri) {
  for (KeyScope scope : kScopes) {
    if (!module.TokenPresent(scope)) continue;
    const CK_TOKEN_INFO info = module.TokenInfo(scope);
    const bool is_it = (uri.token.empty() || Trimmed(info.label) == uri.token) &&
                       (uri.serial.empty() || Trimmed(info.serialNumber) == uri.serial) &&
                       uri.key_scope.value_or(scope) == scope;
    if (!is_it) continue;
    uri.key_scope = scope;
    return;
  }
  throw Failure("no token is as the URI says: label '" + uri.token + "'" +
                (uri.serial.empty() ? "" : ", serial number " + uri.serial));
}

std::string NotThere(KeyScope scope) {
  return "the " + std::string(Name(scope)) + " token is not there: `keyscope doctor` says why";
}

}  // namespace

Module& Context::module() {
  if (module_ == nullptr) module_ = std::make_unique<Module>(ModulePath(module_path));
  return *module_;
}

bool Context::HasToken(KeyScope scope, Json& notes) {
  if (module().TokenPresent(scope) || !module().TokenPresent(OtherThan(scope)))
    return HasToken(scope);
  notes.push_back(NotThere(scope));
  return false;
}

bool Context::HasToken(KeyScope scope) {
  if (!module().TokenPresent(scope)) throw Failure(NotThere(scope));
  if ((module().TokenInfo(scope).flags & CKF_TOKEN_INITIALIZED) != 0) return true;
  const Session says_why(module(), scope);  // a store that cannot be read looks the same
  return false;
}

std::unique_ptr<Session> Context::Login(KeyScope scope, const Uri& from) {
  auto session = std::make_unique<Session>(module(), scope);
  const CK_FLAGS flags = module().TokenInfo(scope).flags;
  if ((flags & CKF_TOKEN_INITIALIZED) == 0)
    throw Failure("the " + std::string(Name(scope)) +
                  " token is not initialised: `keyscope init "
                  "--scope " +
                  std::string(Name(scope)) + "` does that");
  if ((flags & CKF_LOGIN_REQUIRED) == 0 || session->IsLoggedIn()) return session;
  PinSource source = pin;
  source.prompt = "User PIN of the " + std::string(Name(scope)) + " token";
  if (source.value.empty() && source.file.empty()) {
    source.value = from.pin_value;
    source.file =
        from.pin_source.starts_with("file:") ? from.pin_source.substr(5) : from.pin_source;
  }
  const auto found = FindPin(source);
  if (!found)
    throw UsageError(
        "the token wants a PIN: give it with --pin-file, KEYSCOPE_PIN or --pin, or "
        "run this on a terminal");
  session->Login(CKU_USER, *found);
  return session;
}

bool Context::LastPinWasWrong(KeyScope scope) {
  constexpr CK_FLAGS kLastWrong =
      CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED;
  return (module().TokenInfo(scope).flags & kLastWrong) != 0;
}

std::unique_ptr<Session> Context::LoginIfPossible(KeyScope scope, bool named,
                                                  std::string& why_not) {
  const std::string token = "the " + std::string(Name(scope)) + " token";
  if (!named && LastPinWasWrong(scope)) {
    why_not = token + "'s last PIN was wrong; name the scope to try one again";
  } else {
    try {
      return Login(scope);
    } catch (const UsageError&) {
      why_not = "there is no PIN for " + token;
    }
  }
  return std::make_unique<Session>(module(), scope);
}

void Context::Answer(const Json& answer) const {
  Write(json ? AsJsonText(answer) : AsText(answer), "");
}

Progress Context::Watch(std::string what, size_t total) const {
  const bool terminal = isatty(STDERR_FILENO) != 0;
  auto style = terminal ? Progress::Style::Terminal : Progress::Style::Lines;
  if (!progress.value_or(terminal)) style = Progress::Style::None;
  return {style, std::move(what), total};
}

void Context::Write(const std::string& text, const std::string& file) {
  if (file.empty()) {
    if (!(std::cout << text << std::flush)) throw Failure("standard output cannot be written");
    return;
  }
  std::ofstream out(PathOf(file), std::ios::binary | std::ios::trunc);
  if (!(out << text << std::flush)) throw Failure(file + " cannot be written");
}

void Context::WriteSecret(ByteView secret, const std::string& file) {
  using std::filesystem::perms;
  std::error_code refused;
  std::ofstream(PathOf(file), std::ios::app).close();
  if (std::filesystem::is_regular_file(PathOf(file)))  // no terminal, and not /dev/null for all
    permissions(PathOf(file), perms::owner_read | perms::owner_write, refused);
  if (refused) throw Failure(file + " cannot be kept from others: " + refused.message());
  Write(AsString(secret), file);
}

void KeyOptions::AddTo(Arguments args, const char* name_option) {
  auto by_name = args.Add(name_option, name, "The key's name (CKA_LABEL)");
  args.Add("--id", id, "The key's CKA_ID, in hexadecimal");
  args.Add("--scope", scope, "machine or user; user when nothing says otherwise");
  args.Add("--uri", uri, "A pkcs11: or tpmkms: URI instead of a name").Excludes(by_name);
}

Uri KeyOptions::Resolve(Context& context) const {
  Uri resolved = uri.empty() ? Uri{} : ParseUri(uri);
  if (!name.empty()) resolved.name = name;
  if (!id.empty()) resolved.id = HexOption("--id", id);
  if (!scope.empty()) {
    const KeyScope wanted = ParseScope(scope);
    if (resolved.key_scope.value_or(wanted) != wanted)
      throw UsageError("--scope and the URI's scope contradict each other");
    resolved.key_scope = wanted;
  }
  if (!resolved.module_path.empty() && context.module_path.empty())
    context.module_path = resolved.module_path;
  if (!resolved.token.empty() || !resolved.serial.empty()) ChooseToken(context.module(), resolved);
  return resolved;
}

Uri KeyOptions::ResolveOne(Context& context) const {
  Uri resolved = Resolve(context);
  if (resolved.name.empty() && resolved.id.empty())
    throw UsageError("name the key: NAME, --id or --uri");
  return resolved;
}

std::string ReadFile(const std::string& path) {
  auto contents = path == "-" ? keyscope::ReadFile(std::cin) : keyscope::ReadFile(PathOf(path));
  if (!contents) throw UsageError(path + " cannot be read");
  return std::move(*contents);
}

Bytes HexOption(const std::string& option, const std::string& text) {
  auto bytes = FromHexOfEitherCase(text);
  if (!bytes) throw UsageError(option + " takes hexadecimal digits, not '" + text + "'");
  return std::move(*bytes);
}

std::vector<Bytes> CertificatesOption(const std::string& path) {
  auto certificates = CertificatesOfPem(ReadFile(path));
  if (certificates.empty()) throw UsageError(path + " holds no PEM certificates");
  return certificates;
}

tpm::PcrSelection PcrsOption(const std::string& text) {
  const auto pcrs = tpm::ParsePcrs(text);
  if (!pcrs) throw UsageError("'" + text + "' is no bank with PCRs, such as sha256:0,7");
  return *pcrs;
}

Bytes NonceOption(const std::string& text) {
  Bytes nonce = HexOption("--nonce", text);
  if (nonce.size() > kMaxNonce)
    throw UsageError("a nonce has 1 to 64 bytes; hash longer data first");
  return nonce;
}

}  // namespace keyscope::cli
