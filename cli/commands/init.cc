// keyscope init
#include "base/error.h"
#include "cli/commands/commands.h"
#include "cli/direct.h"

namespace keyscope::cli {
namespace {

struct Init {
  std::string scope = "user", label, so_pin, so_pin_file;
  bool force = false, no_pin = false, storage_root = false, pin_only = false;

  void AddTo(Arguments args);
  void Run(Context& context) const;

 private:
  void InitToken(Context& context, KeyScope of, const SecretBytes& pin) const;
};

void Init::AddTo(Arguments args) {
  args.Add("--scope", scope, "machine or user").ShowDefault();
  args.Add("--label", label, "The token's label; else the scope");
  args.Add("--so-pin", so_pin, "The security officer's PIN (KEYSCOPE_SO_PIN)");
  args.Add("--so-pin-file", so_pin_file, "A file with it");
  auto never = args.AddFlag("--no-pin", no_pin, "A token that needs no login");
  auto only = args.AddFlag("--pin-only", pin_only, "Set the user PIN of an initialised token");
  args.AddFlag("--force", force, "Initialise again: destroys the token's objects").Excludes(only);
  args.AddFlag("--storage-root", storage_root,
               "Only put the TPM's storage root back in its place (0x81000001)")
      .Excludes(never)
      .Excludes(only);
}

SecretBytes Needed(std::optional<SecretBytes> pin, const char* what) {
  if (!pin) throw UsageError(std::string(what) + " is needed, and there is no terminal to ask on");
  return std::move(*pin);
}

// Before anything is destroyed.
void RequireLength(const Module& module, KeyScope of, const SecretBytes& pin, const char* what) {
  const CK_TOKEN_INFO info = module.TokenInfo(of);
  if (LengthOf(pin) >= info.ulMinPinLen && LengthOf(pin) <= info.ulMaxPinLen) return;
  throw UsageError(std::string(what) + " has " + std::to_string(LengthOf(pin)) +
                   " bytes, and is to have " + std::to_string(info.ulMinPinLen) + " to " +
                   std::to_string(info.ulMaxPinLen));
}

void Init::InitToken(Context& context, KeyScope of, const SecretBytes& pin) const {
  const Module& module = context.module();
  if ((module.TokenInfo(of).flags & CKF_TOKEN_INITIALIZED) != 0 && !force)
    throw Failure("the " + std::string(Name(of)) +
                  " token is initialised already: --force does "
                  "it again and destroys its objects, --pin-only sets its user PIN");
  std::string padded = label.empty() ? std::string(Name(of)) : label;
  if (padded.size() > sizeof(CK_TOKEN_INFO::label)) throw UsageError("the label is too long");
  padded.resize(sizeof(CK_TOKEN_INFO::label), ' ');
  module.Check(
      module.call().C_InitToken(SlotOf(of), const_cast<CK_BYTE_PTR>(pin.view().data()),
                                LengthOf(pin), reinterpret_cast<CK_UTF8CHAR_PTR>(padded.data())),
      "C_InitToken");
}

void Init::Run(Context& context) const {
  if (storage_root) {
    const tpm::Root root = Direct().backend().EnsureRoot();
    if (root.handle == 0)
      throw Failure(
          "the storage root cannot be kept in the TPM: its owner authorization or its "
          "room forbids it (owner_auth in keyscope.conf)");
    context.Answer({{"storage_root", Hex(root.name)}});
    return;
  }
  const KeyScope of = ParseScope(scope);
  PinSource officer{so_pin, so_pin_file, "KEYSCOPE_SO_PIN", "Security officer's PIN"};
  const SecretBytes so =
      Needed(pin_only ? FindPin(officer) : FindNewPin(officer), "the security officer's PIN");
  const SecretBytes user =
      no_pin ? SecretBytes() : Needed(FindNewPin(context.pin), "the user PIN, or --no-pin,");
  RequireLength(context.module(), of, so, "the security officer's PIN");
  if (!no_pin) RequireLength(context.module(), of, user, "the user PIN");
  if (!pin_only) InitToken(context, of, so);
  Session session(context.module(), of);
  session.Login(CKU_SO, so);
  uint8_t none = 0;  // an empty PIN is no NULL pointer
  context.module().Check(
      context.module().call().C_InitPIN(
          session.handle(), user.empty() ? &none : const_cast<CK_BYTE_PTR>(user.view().data()),
          LengthOf(user)),
      "C_InitPIN");
  const CK_TOKEN_INFO info = context.module().TokenInfo(of);
  context.Answer({{"initialised", Name(of)},
                  {"label", Trimmed(info.label)},
                  {"serial", Trimmed(info.serialNumber)},
                  {"login_required", (info.flags & CKF_LOGIN_REQUIRED) != 0}});
}

}  // namespace

void AddInit(Arguments program, Context& context) {
  AddCommand<Init>(program, context, "init", "Initialise a token and set its PINs");
}

}  // namespace keyscope::cli
