#include "cli/module.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/environment.h"
#include "base/error.h"
#include "cli/error.h"
#include "cli/library.h"
#include "cli/module_log.h"
#include "p11/rv_name.h"

namespace keyscope::cli {
namespace {

constexpr CK_ULONG kFindBatch = 64;

CK_FUNCTION_LIST* FunctionsOf(const std::string& path) {
  const CK_C_GetFunctionList get = LoadModule(path);
  CK_FUNCTION_LIST* functions = nullptr;
  if (get == nullptr || get(&functions) != CKR_OK || functions == nullptr)
    throw Failure(path + " is no PKCS#11 module");
  return functions;
}

CK_BYTE_PTR Mutable(ByteView bytes) { return const_cast<CK_BYTE_PTR>(bytes.data()); }

}  // namespace

std::string ModulePath(const std::string& path) {
  if (!path.empty()) return path;
  const std::string named = Environment("KEYSCOPE_MODULE");
  return named.empty() ? DefaultModulePath() : named;
}

Module::Module(const std::string& path) : log_(std::make_unique<ModuleLog>()) {
  functions_ = FunctionsOf(path);
  InitializeArgs args{};
  args.flags = CKF_OS_LOCKING_OK;
  Check(call().C_Initialize(&args), "C_Initialize");
  log_->ModuleHasIt();
}

Module::~Module() { call().C_Finalize(nullptr); }

void Module::Check(CK_RV rv, const char* function) const {
  if (rv == CKR_OK) return;
  std::string text = std::string(function) + ": " + p11::RvName(rv);
  // The log has the name of the function in front and the code at the end, too.
  if (const std::string line = log_->LastLine(); line.starts_with(function)) text = line;
  throw Error(Rv{rv}, text);
}

bool Module::TokenPresent(KeyScope scope) const {
  CK_SLOT_INFO info{};
  Check(call().C_GetSlotInfo(SlotOf(scope), &info), "C_GetSlotInfo");
  return (info.flags & CKF_TOKEN_PRESENT) != 0;
}

CK_TOKEN_INFO Module::TokenInfo(KeyScope scope) const {
  CK_TOKEN_INFO info{};
  Check(call().C_GetTokenInfo(SlotOf(scope), &info), "C_GetTokenInfo");
  return info;
}

std::string Trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

Attributes::~Attributes() {
  for (auto& [type, value] : values_) Wipe(value.data(), value.size());
}

Attributes& Attributes::Add(CK_ATTRIBUTE_TYPE type, ByteView value) {
  values_.emplace_back(type, Copy(value));
  return *this;
}

Attributes& Attributes::AddBool(CK_ATTRIBUTE_TYPE type, bool value) {
  const CK_BBOOL byte = value ? CK_TRUE : CK_FALSE;
  return Add(type, {&byte, 1});
}

Attributes& Attributes::AddUlong(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
  return Add(type, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

std::span<CK_ATTRIBUTE> Attributes::Template() {
  template_.clear();
  for (auto& [type, value] : values_) template_.push_back({type, value.data(), LengthOf(value)});
  return template_;
}

Session::Session(const Module& module, KeyScope scope) : module_(module), scope_(scope) {
  auto open = [&](CK_FLAGS flags) {
    return module_.call().C_OpenSession(SlotOf(scope), CKF_SERIAL_SESSION | flags, nullptr, nullptr,
                                        &handle_);
  };
  CK_RV rv = open(CKF_RW_SESSION);
  if (rv == CKR_TOKEN_WRITE_PROTECTED) rv = open(0);
  module_.Check(rv, "C_OpenSession");
}

Session::~Session() { module_.call().C_CloseSession(handle_); }

bool Session::IsLoggedIn() const {
  CK_SESSION_INFO info{};
  module_.Check(module_.call().C_GetSessionInfo(handle_, &info), "C_GetSessionInfo");
  return info.state == CKS_RO_USER_FUNCTIONS || info.state == CKS_RW_USER_FUNCTIONS;
}

void Session::Login(CK_USER_TYPE user, const SecretBytes& pin) {
  const CK_RV rv = module_.call().C_Login(handle_, user, Mutable(pin.view()), LengthOf(pin));
  if (rv != CKR_USER_ALREADY_LOGGED_IN) module_.Check(rv, "C_Login");
}

std::vector<CK_OBJECT_HANDLE> Session::Find(Attributes& attributes) const {
  const auto wanted = attributes.Template();
  module_.Check(module_.call().C_FindObjectsInit(handle_, wanted.data(), LengthOf(wanted)),
                "C_FindObjectsInit");
  std::vector<CK_OBJECT_HANDLE> found;
  CK_ULONG count = 0;
  do {
    std::array<CK_OBJECT_HANDLE, kFindBatch> some{};
    // A failure ends the search.
    module_.Check(module_.call().C_FindObjects(handle_, some.data(), LengthOf(some), &count),
                  "C_FindObjects");
    found.insert(found.end(), some.begin(), some.begin() + static_cast<ptrdiff_t>(count));
  } while (count == kFindBatch);
  module_.Check(module_.call().C_FindObjectsFinal(handle_), "C_FindObjectsFinal");
  return found;
}

std::optional<Bytes> Session::Get(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  CK_ATTRIBUTE attribute{type, nullptr, 0};
  auto read = [&] {
    const CK_RV rv = module_.call().C_GetAttributeValue(handle_, object, &attribute, 1);
    if (rv == CKR_ATTRIBUTE_TYPE_INVALID || rv == CKR_ATTRIBUTE_SENSITIVE) return false;
    module_.Check(rv, "C_GetAttributeValue");
    return attribute.ulValueLen != CK_UNAVAILABLE_INFORMATION;
  };
  if (!read()) return std::nullopt;
  Bytes value(attribute.ulValueLen);
  attribute.pValue = value.data();
  if (!value.empty() && !read()) return std::nullopt;
  value.resize(attribute.ulValueLen);
  return value;
}

Bytes Session::GetOr(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  return Get(object, type).value_or(Bytes{});
}

bool Session::GetBool(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const Bytes value = GetOr(object, type);
  return value.size() == sizeof(CK_BBOOL) && value[0] != CK_FALSE;
}

std::optional<CK_ULONG> Session::GetUlong(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
  const Bytes value = GetOr(object, type);
  CK_ULONG number = 0;
  if (value.size() != sizeof number) return std::nullopt;
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

bool Session::Destroy(CK_OBJECT_HANDLE object) const {
  const CK_RV rv = module_.call().C_DestroyObject(handle_, object);
  if (rv == CKR_KEYSCOPE_PARTIAL_DELETE) return true;
  module_.Check(rv, "C_DestroyObject");
  return false;
}

Bytes Session::SignWith(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key, ByteView data) const {
  module_.Check(module_.call().C_SignInit(handle_, &mechanism, key), "C_SignInit");
  return Copy(ResultOf(module_.call().C_Sign, "C_Sign", data).view());
}

SecretBytes Session::DecryptWith(CK_MECHANISM mechanism, CK_OBJECT_HANDLE key,
                                 ByteView data) const {
  module_.Check(module_.call().C_DecryptInit(handle_, &mechanism, key), "C_DecryptInit");
  return ResultOf(module_.call().C_Decrypt, "C_Decrypt", data);
}

SecretBytes Session::ResultOf(CK_C_Sign function, const char* name, ByteView data) const {
  CK_ULONG size = 0;
  module_.Check(function(handle_, Mutable(data), LengthOf(data), nullptr, &size), name);
  SecretBytes room(size);
  module_.Check(function(handle_, Mutable(data), LengthOf(data), room.data(), &size), name);
  return SecretBytes(room.view().first(size));
}

}  // namespace keyscope::cli
