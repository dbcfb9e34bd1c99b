#include "token/login.h"

#include "base/log.h"
#include "base/ossl.h"
#include "token/crypto/box.h"
#include "token/crypto/hash.h"
#include "token/random.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

constexpr size_t kEpochSize = 16, kTokenSecretSize = 32, kSerialBytes = 8;

// The TPM's auth values are short, so a PIN is hashed; the epoch makes it differ between tokens. An
// empty PIN is an empty auth value.
SecretBytes PinAuth(ByteView epoch, ByteView pin) {
  return pin.empty() ? SecretBytes() : crypto::HmacSha256(epoch, {AsBytes("pin"), pin});
}

bool FitsLength(ByteView pin) { return pin.size() >= kMinPinLength && pin.size() <= kMaxPinLength; }

tpm::Root RootOf(const store::TokenRow& row) {
  return {static_cast<uint32_t>(row.root_handle), row.root_public, row.root_name};
}

int64_t& Tries(store::TokenRow& row, bool so) { return so ? row.so_pin_tries : row.user_pin_tries; }

// Stable for one TPM and scope: the root's Name is made from the TPM's own seed.
std::string SerialOf(const tpm::Root& root, KeyScope scope) {
  const auto scope_byte = static_cast<uint8_t>(scope);
  Bytes hash = crypto::Digest(tpm::Hash::Sha256, Concat({root.name, {&scope_byte, 1}}));
  return Hex(ByteView(hash).first(kSerialBytes));
}

}  // namespace

void Login::Drop() {
  if (state_ != State::Public || vault_ != nullptr) ++generation_;
  if (state_ != State::Public) ++logouts_;
  state_ = State::Public;
  vault_.reset();
  epoch_.clear();
}

store::TokenRow Login::Row() {
  auto row = store_.LoadToken();
  if (!row) Refuse(CKR_TOKEN_NOT_RECOGNIZED, "the token is not initialised; C_InitToken does that");
  Follow(*row);
  return std::move(*row);
}

void Login::Follow(const store::TokenRow& row) {
  std::lock_guard lock(mutex_);
  const bool open_without_login = state_ == State::Public && vault_ != nullptr;
  if (vault_ != nullptr && (epoch_ != row.epoch || (open_without_login && row.login_required)))
    Drop();
  login_required_ = row.login_required;
  if (root_ == nullptr || root_->name != row.root_name)
    root_ = std::make_shared<const tpm::Root>(RootOf(row));
}

void Login::Refresh() {
  if (const auto row = store_.LoadToken()) Follow(*row);
}

std::shared_ptr<const tpm::Root> Login::root() {
  std::lock_guard lock(mutex_);
  return root_;
}

Login::State Login::state() {
  std::lock_guard lock(mutex_);
  return state_;
}

bool Login::SeesPrivate() {
  std::lock_guard lock(mutex_);
  return state_ == State::User || (state_ == State::Public && !login_required_);
}

std::shared_ptr<const Vault> Login::vault() {
  {
    std::lock_guard lock(mutex_);
    const bool open = state_ == State::User || (state_ == State::Public && !login_required_);
    if (!open) Refuse(CKR_USER_NOT_LOGGED_IN, "this needs the user to be logged in");
    if (vault_ != nullptr) return vault_;
  }
  const store::TokenRow row = Row();
  if (row.login_required) Refuse(CKR_USER_NOT_LOGGED_IN, "this needs the user to be logged in");
  auto opened = std::make_shared<const Vault>(Unseal(row, Who::User, {}));
  std::lock_guard lock(mutex_);
  vault_ = opened;
  epoch_ = row.epoch;
  return opened;
}

void Login::CheckMayEnter(State wanted) {
  if (sessions_ == 0) Refuse(CKR_SESSION_HANDLE_INVALID, "the session was closed meanwhile");
  if (state_ == wanted) Refuse(CKR_USER_ALREADY_LOGGED_IN, "already logged in");
  if (state_ != State::Public)
    Refuse(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "the other user is logged in");
  if (wanted == State::So && read_only_sessions_ != 0)
    Refuse(CKR_SESSION_READ_ONLY_EXISTS, "the SO cannot log in while a read-only session is open");
}

void Login::Enter(CK_USER_TYPE user, Input pin) {
  if (user != CKU_USER && user != CKU_SO) Refuse(CKR_USER_TYPE_INVALID, "no such user");
  const Who who = user == CKU_SO ? Who::So : Who::User;
  const State wanted = who == Who::So ? State::So : State::User;
  const ByteView given = pin.view();
  const store::TokenRow row = Row();
  {
    std::lock_guard lock(mutex_);
    CheckMayEnter(wanted);
  }
  auto opened = std::make_shared<const Vault>(Unseal(row, who, given));
  NoteRightPin(row, who);
  std::lock_guard lock(mutex_);
  CheckMayEnter(wanted);
  state_ = wanted;
  vault_ = std::move(opened);
  epoch_ = row.epoch;
}

void Login::CheckAgain(Input pin) {
  const ByteView given = pin.view();
  if (!SeesPrivate()) Refuse(CKR_USER_NOT_LOGGED_IN, "log in before authenticating a key");
  const store::TokenRow row = Row();
  Unseal(row, Who::User, given);
  NoteRightPin(row, Who::User);
}

SecretBytes Login::Unseal(const store::TokenRow& row, Who who, ByteView pin) {
  const bool so = who == Who::So;
  if (!so && !row.user_pin) Refuse(CKR_USER_PIN_NOT_INITIALIZED, "the SO has set no user PIN yet");
  const bool pinless = !so && !row.login_required;
  // A PIN that cannot be right costs no try in the TPM.
  if (pinless ? !pin.empty() : !FitsLength(pin)) {
    if (pin.data() == nullptr) Refuse(CKR_ARGUMENTS_BAD, "no PIN was given");
    Refuse(CKR_PIN_INCORRECT, "the PIN has a length that no PIN of this token has");
  }
  try {
    return backend_.Unseal(RootOf(row),
                           so ? tpm::KeyBlob{row.so_pin.public_area, row.so_pin.private_area}
                              : tpm::KeyBlob{row.user_pin->public_area, row.user_pin->private_area},
                           PinAuth(row.epoch, pin));
  } catch (const Error& error) {
    if (!error.Is(Fault::AuthFailed) && !error.Is(Fault::LockedOut)) throw;
    NoteLockout(row, who, error.Is(Fault::AuthFailed) ? "wrong PIN" : "a PIN that was not tried");
    if (error.Is(Fault::AuthFailed)) Refuse(CKR_PIN_INCORRECT, "the PIN is wrong");
    throw Error(
        Rv{CKR_PIN_LOCKED},
        std::string("the TPM is in dictionary-attack lockout, which ends with time or by ") +
            tpm::LockoutCommand() + ": " + error.what());
  }
}

// The flags of CK_TOKEN_INFO ask no TPM, so what is known of the tries is kept in the token row. A
// store that cannot be written loses a flag, not a login.
void Login::NoteLockout(const store::TokenRow& row, Who who, const char* what) try {
  const tpm::Lockout lockout = backend_.ReadLockout();
  log::Warn(what, " for the ", Name(scope_), " token: ", lockout.tries_used, " of ",
            lockout.max_tries, " tries used", lockout.in_lockout ? "; the TPM is locked out" : "",
            "; one try comes back every ", lockout.seconds_per_try,
            " s (or: ", tpm::LockoutCommand(), ")");
  store_.ChangeToken(row.epoch, [&](store::TokenRow& now) {
    Tries(now, who == Who::So) = lockout.in_lockout ? lockout.max_tries : lockout.tries_used;
  });
} catch (const Error& error) {
  log::Debug("the tries were not noted: ", error.what());
}

void Login::NoteRightPin(const store::TokenRow& row, Who who) try {
  store::TokenRow known = row;
  if (Tries(known, who == Who::So) == 0) return;
  store_.ChangeToken(row.epoch, [&](store::TokenRow& now) { Tries(now, who == Who::So) = 0; });
} catch (const Error& error) {
  log::Debug("the right PIN was not noted: ", error.what());
}

void Login::Leave() {
  std::lock_guard lock(mutex_);
  if (state_ == State::Public) Refuse(CKR_USER_NOT_LOGGED_IN, "nobody is logged in");
  Drop();
}

void Login::Forget() noexcept {
  std::lock_guard lock(mutex_);
  Drop();
}

store::SealedRow Login::Seal(const tpm::Root& root, ByteView epoch, ByteView pin,
                             const SecretBytes& secret) {
  tpm::KeyBlob blob = backend_.Seal(root, PinAuth(epoch, pin), secret);
  return {std::move(blob.public_area), std::move(blob.private_area)};
}

void Login::CheckOldSoPin(const store::TokenRow& row, ByteView so_pin) {
  try {
    Unseal(row, Who::So, so_pin);
  } catch (const Error& error) {
    if (!error.Is(Fault::KeyGone)) throw;
    log::Warn("the ", Name(scope_),
              " token is initialised again without its old SO PIN: ", error.what());
  }
}

void Login::InitToken(Input so_pin, ByteView label) {
  // Again when another process was faster: its SO PIN is to be checked then.
  while (!TryInitToken(so_pin.view(), label)) continue;
  std::lock_guard lock(mutex_);
  Drop();
}

bool Login::TryInitToken(ByteView pin, ByteView label) {
  const auto old = store_.LoadToken();
  if (!FitsLength(pin)) {
    if (old) Refuse(CKR_PIN_INCORRECT, "the PIN has a length that no PIN of this token has");
    Refuse(CKR_PIN_LEN_RANGE, "an SO PIN has 4 to 255 bytes");
  }
  if (old) CheckOldSoPin(*old, pin);

  const tpm::Root root = backend_.EnsureRoot();
  store::TokenRow row;
  row.epoch = ossl::Random(kEpochSize);
  row.label = AsString(label);
  row.serial = SerialOf(root, scope_);
  row.root_handle = root.handle;
  row.root_public = root.public_area;
  row.root_name = root.name;
  row.facts = backend_.LearnFacts().ToPairs();
  row.facts["max_pin_tries"] = std::to_string(backend_.ReadLockout().max_tries);
  row.so_pin = Seal(root, row.epoch, pin, Random(backend_, kTokenSecretSize));
  return store_.InitToken(row, &old);
}

void Login::InitPin(Input pin) {
  const ByteView given = pin.view();
  const store::TokenRow row = Row();
  std::shared_ptr<const Vault> opened;
  {
    std::lock_guard lock(mutex_);
    if (state_ != State::So) Refuse(CKR_USER_NOT_LOGGED_IN, "only the SO sets the user PIN");
    opened = vault_;
  }
  if (!given.empty() && !FitsLength(given))
    Refuse(CKR_PIN_LEN_RANGE, "a PIN has 4 to 255 bytes, or none at all for a token without login");
  store::SealedRow sealed = Seal(RootOf(row), row.epoch, given, opened->token_secret());
  store_.ChangeToken(row.epoch, [&](store::TokenRow& now) {
    now.user_pin = std::move(sealed);
    now.login_required = !given.empty();
    now.user_pin_tries = 0;
  });
  Refresh();
}

void Login::SetPin(Input old_pin, Input new_pin) {
  const ByteView old_given = old_pin.view(), new_given = new_pin.view();
  const Who who = IsSo() ? Who::So : Who::User;
  if (!FitsLength(new_given)) Refuse(CKR_PIN_LEN_RANGE, "a PIN has 4 to 255 bytes");
  // Again when somebody else has changed it meanwhile: the old one is wrong then.
  while (!TrySetPin(who, old_given, new_given)) continue;
  Refresh();
}

bool Login::TrySetPin(Who who, ByteView old_given, ByteView new_given) {
  const store::TokenRow row = Row();
  const SecretBytes secret = Unseal(row, who, old_given);
  store::SealedRow sealed = Seal(RootOf(row), row.epoch, new_given, secret);
  bool same = true;
  store_.ChangeToken(row.epoch, [&](store::TokenRow& now) {
    same = now.so_pin == row.so_pin && (who == Who::So || now.user_pin == row.user_pin);
    if (!same) return;
    if (who == Who::So) {
      now.so_pin = std::move(sealed);
    } else {
      now.user_pin = std::move(sealed);
      now.login_required = true;
    }
    Tries(now, who == Who::So) = 0;
  });
  return same;
}

void Login::SessionOpened(bool read_write) {
  std::lock_guard lock(mutex_);
  if (!read_write && state_ == State::So)
    Refuse(CKR_SESSION_READ_WRITE_SO_EXISTS, "no read-only session while the SO is logged in");
  ++sessions_;
  if (!read_write) ++read_only_sessions_;
}

bool Login::SessionClosed(bool read_write) noexcept {
  std::lock_guard lock(mutex_);
  --sessions_;
  if (!read_write) --read_only_sessions_;
  if (sessions_ == 0) Drop();
  return sessions_ == 0;
}

void Login::CountSessions(CK_TOKEN_INFO& info) {
  std::lock_guard lock(mutex_);
  info.ulSessionCount = static_cast<CK_ULONG>(sessions_);
  info.ulRwSessionCount = static_cast<CK_ULONG>(sessions_ - read_only_sessions_);
}

}  // namespace keyscope::token
