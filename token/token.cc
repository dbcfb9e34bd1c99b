#include "token/token.h"

#include <algorithm>
#include <cstdlib>

#include "base/log.h"
#include "base/ossl.h"
#include "token/endorsement.h"
#include "token/profile.h"
#include "token/refuse.h"

namespace keyscope::token {
namespace {

// The flags that tell how far wrong PINs have gone (CK_TOKEN_INFO, section 3.2).
CK_FLAGS PinFlags(int64_t tries, int64_t max_tries, CK_FLAGS low, CK_FLAGS final_try,
                  CK_FLAGS locked) {
  if (tries <= 0) return 0;
  if (max_tries > 0 && tries >= max_tries) return low | locked;
  if (max_tries > 0 && tries == max_tries - 1) return low | final_try;
  return low;
}

int64_t MaxTries(const store::TokenRow& row) {
  auto found = row.facts.find("max_pin_tries");
  return found == row.facts.end() ? 0 : std::strtoll(found->second.c_str(), nullptr, 10);
}

CK_FLAGS FlagsOf(const store::TokenRow& row) {
  CK_FLAGS flags = CKF_TOKEN_INITIALIZED;
  if (row.login_required) flags |= CKF_LOGIN_REQUIRED;
  if (row.user_pin) flags |= CKF_USER_PIN_INITIALIZED;
  const int64_t max_tries = MaxTries(row);
  flags |= PinFlags(row.user_pin_tries, max_tries, CKF_USER_PIN_COUNT_LOW, CKF_USER_PIN_FINAL_TRY,
                    CKF_USER_PIN_LOCKED);
  flags |= PinFlags(row.so_pin_tries, max_tries, CKF_SO_PIN_COUNT_LOW, CKF_SO_PIN_FINAL_TRY,
                    CKF_SO_PIN_LOCKED);
  return flags;
}

CK_BYTE AsByte(uint32_t number) { return static_cast<CK_BYTE>(std::min<uint32_t>(number, 255)); }

constexpr char kManufacturer[] = "Keyscope";

}  // namespace

void FillBlank(std::span<CK_UTF8CHAR> field, std::string_view text) {
  size_t size = std::min(text.size(), field.size());
  while (size > 0 && size < text.size() && (text[size] & 0xC0) == 0x80) --size;
  std::fill(std::copy_n(text.begin(), size, field.begin()), field.end(), ' ');
}

Token::Token(KeyScope scope, CK_SLOT_ID slot, std::shared_ptr<tpm::Backend> backend,
             std::string store_path)
    : scope_(scope),
      slot_(slot),
      backend_(std::move(backend)),
      store_(std::move(store_path), scope),
      login_(scope, *backend_, store_),
      erasure_(scope, *backend_, store_),
      objects_(scope, slot, *backend_, store_, login_, erasure_) {}

bool Token::Present() noexcept try {
  if (!backend_->Present()) return false;
  store_.LoadToken();
  denial_told_ = false;
  return true;
} catch (const Error& error) {
  if (!error.Is(Fault::Denied))
    return true;  // a damaged store is a token, and C_InitToken's affair
  if (!denial_told_.exchange(true))
    log::Error("no ", Name(scope_), " token for this account: ", error.what());
  return false;
} catch (...) {
  return false;
}

void Token::NeedTpm(Where where) {
  if (!Present())
    Refuse(CKR_TOKEN_NOT_PRESENT,
           denial_told_ ? "this account may not use the token's store" : "no TPM is reachable",
           where);
}

tpm::Root Token::RootOfKeys() {
  const auto root = login_.root();
  if (root == nullptr)
    Refuse(CKR_TOKEN_NOT_RECOGNIZED, "the token is not initialised; C_InitToken does that");
  return *root;
}

CK_SLOT_INFO Token::SlotInfo() {
  CK_SLOT_INFO info{};
  FillBlank(info.slotDescription, "Keyscope " + std::string(Name(scope_)) + " keys (TPM 2.0)");
  FillBlank(info.manufacturerID, kManufacturer);
  info.flags = CKF_HW_SLOT | CKF_REMOVABLE_DEVICE;
  if (Present()) info.flags |= CKF_TOKEN_PRESENT;
  return info;
}

CK_TOKEN_INFO Token::Info() {
  NeedTpm();
  CK_TOKEN_INFO info{};
  info.flags = CKF_RNG | CKF_DUAL_CRYPTO_OPERATIONS;
  info.ulMaxSessionCount = info.ulMaxRwSessionCount = CK_EFFECTIVELY_INFINITE;
  info.ulSessionCount = info.ulRwSessionCount = CK_UNAVAILABLE_INFORMATION;
  info.ulTotalPublicMemory = info.ulFreePublicMemory = CK_UNAVAILABLE_INFORMATION;
  info.ulTotalPrivateMemory = info.ulFreePrivateMemory = CK_UNAVAILABLE_INFORMATION;
  info.ulMinPinLen = kMinPinLength;
  info.ulMaxPinLen = kMaxPinLength;
  FillBlank(info.utcTime, "");
  std::string label, serial, manufacturer = kManufacturer, model = "TPM 2.0";
  try {
    const store::TokenRow row = login_.Row();
    const auto known = facts();
    label = row.label;
    serial = row.serial;
    if (!known->manufacturer.empty()) manufacturer = known->manufacturer;
    if (!known->model.empty()) model = known->model;
    info.firmwareVersion = {AsByte(known->firmware_major), AsByte(known->firmware_minor)};
    info.flags |= FlagsOf(row) | (store_.ReadOnly() ? CKF_WRITE_PROTECTED : 0);
  } catch (const Error& error) {
    // A client would take a token for one that is not initialised, only because it is busy now.
    for (Fault passing : {Fault::Busy, Fault::Io, Fault::NoSpace, Fault::Internal})
      if (error.Is(passing)) throw;
    // Not initialised, or a store that is damaged: there is a token all the same.
    const bool fresh = std::holds_alternative<Rv>(error.cause());
    log::Line(fresh ? log::Level::Debug : log::Level::Error, "the ", Name(scope_),
              " token has no usable store: ", error.what());
  }
  login_.CountSessions(info);
  FillBlank(info.label, label);
  FillBlank(info.serialNumber, serial);
  FillBlank(info.manufacturerID, manufacturer);
  FillBlank(info.model, model);
  return info;
}

std::shared_ptr<const tpm::Facts> Token::facts() {
  {
    std::lock_guard lock(facts_mutex_);
    if (facts_ != nullptr) return facts_;
  }
  std::shared_ptr<const tpm::Facts> learnt;
  const auto row = store_.LoadToken();
  if (row && !row->facts.empty()) {
    learnt = std::make_shared<const tpm::Facts>(tpm::Facts::FromPairs(row->facts));
  } else {
    learnt = std::make_shared<const tpm::Facts>(backend_->LearnFacts());
  }
  std::lock_guard lock(facts_mutex_);
  facts_ = learnt;
  return learnt;
}

std::vector<CK_MECHANISM_TYPE> Token::Mechanisms() {
  NeedTpm();
  return ListMechanisms(*facts());
}

CK_MECHANISM_INFO Token::MechanismInfo(CK_MECHANISM_TYPE type) {
  NeedTpm();
  const auto known = facts();
  return InfoOf(Mechanism(type), *known);
}

const MechanismRule& Token::Mechanism(CK_MECHANISM_TYPE type) {
  const MechanismRule* rule = FindMechanism(type);
  if (rule == nullptr || (rule->family != Family::None && !Available(*rule, *facts())))
    Refuse(CKR_MECHANISM_INVALID,
           "mechanism " + std::to_string(type) + " is not one of this token's");
  return *rule;
}

void Token::InitToken(Input so_pin, ByteView label) {
  ossl::Prepare();
  NeedTpm();
  login_.InitToken(so_pin, label);
  erasure_.Retry();
  std::lock_guard lock(facts_mutex_);
  facts_.reset();
}

void Token::NeedDeviceObjects(const AttributeSet& wanted) {
  const auto named = Named(wanted);
  if (!named || objects_.Has(*named)) return;
  if (*named == DeviceObjects::Profiles)
    objects_.Add(*named, ProfileObjects(scope_));
  else if (scope_ == KeyScope::Machine)
    objects_.Add(*named, EndorsementObjects(*this));
}

void Token::Logout() {
  login_.Leave();
  objects_.ForgetPrivate();
  backend_->Release({});
}

void Token::Shutdown() noexcept { login_.Forget(); }

}  // namespace keyscope::token
