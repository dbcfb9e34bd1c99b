#include "tests/wycheproof/module.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "p11/rv_name.h"
#include "tests/wycheproof/vectors.h"

namespace keyscope::wycheproof {
namespace {

constexpr CK_SLOT_ID kSlot = 1;
// More than any case gives: the longest derived key has 16320 bytes.
constexpr CK_ULONG kLargestResult = 32768;

void Must(CK_RV rv, const char* call) {
  if (rv != CKR_OK) throw std::runtime_error(std::string(call) + ": " + p11::RvName(rv));
}

// The entry points take no const.
CK_BYTE_PTR In(const Bytes& bytes) { return const_cast<CK_BYTE_PTR>(bytes.data()); }

std::vector<CK_ATTRIBUTE> Template(const Attributes& attributes) {
  std::vector<CK_ATTRIBUTE> list;
  for (const auto& [type, value] : attributes) list.push_back({type, In(value), value.size()});
  return list;
}

template <typename Value>
Bytes BytesOf(Value value) {
  const auto* first = reinterpret_cast<const uint8_t*>(&value);
  return {first, first + sizeof value};
}

// A call that writes a result.
template <typename Call>
Result Read(CK_RV rv, Call call) {
  if (rv != CKR_OK) return {rv, {}};
  Bytes bytes(kLargestResult);
  CK_ULONG size = bytes.size();
  rv = call(bytes.data(), &size);
  if (rv != CKR_OK) return {rv, {}};
  bytes.resize(size);
  return {rv, std::move(bytes)};
}

// A secret that can be read and wrapped.
Attributes OpenSecret(CK_KEY_TYPE type) {
  return {{CKA_CLASS, Ulong(CKO_SECRET_KEY)}, {CKA_KEY_TYPE, Ulong(type)},
          {CKA_TOKEN, Bool(false)},           {CKA_SENSITIVE, Bool(false)},
          {CKA_EXTRACTABLE, Bool(true)},      {CKA_DERIVE, Bool(type == CKK_GENERIC_SECRET)}};
}

}  // namespace

Bytes Ulong(CK_ULONG value) { return BytesOf(value); }
Bytes Bool(bool value) { return BytesOf(static_cast<CK_BBOOL>(value ? CK_TRUE : CK_FALSE)); }

Module::Module() {
  folder_ = (std::filesystem::temp_directory_path() / "keyscope-wycheproof-XXXXXX").string();
  if (mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  const std::string conf = folder_ + "/keyscope.conf";
  std::ofstream(conf).flush();
  setenv("KEYSCOPE_CONF", conf.c_str(), 1);
  setenv("KEYSCOPE_TCTI", swtpm_.tcti().c_str(), 1);
  setenv("KEYSCOPE_MACHINE_DIR", (folder_ + "/machine").c_str(), 1);
  setenv("KEYSCOPE_USER_DIR", (folder_ + "/user").c_str(), 1);

  Bytes label(32, ' '), so_pin = Copy(AsBytes("87654321")), pin = Copy(AsBytes("123456"));
  Must(C_Initialize(nullptr), "C_Initialize");
  Must(C_InitToken(kSlot, In(so_pin), so_pin.size(), In(label)), "C_InitToken");
  Must(C_OpenSession(kSlot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nullptr, nullptr, &session_),
       "C_OpenSession");
  Must(C_Login(session_, CKU_SO, In(so_pin), so_pin.size()), "C_Login");
  Must(C_InitPIN(session_, In(pin), pin.size()), "C_InitPIN");
  Must(C_Logout(session_), "C_Logout");
  Must(C_Login(session_, CKU_USER, In(pin), pin.size()), "C_Login");

  CK_ULONG count = 0;
  Must(C_GetMechanismList(kSlot, nullptr, &count), "C_GetMechanismList");
  mechanisms_.resize(count);
  Must(C_GetMechanismList(kSlot, mechanisms_.data(), &count), "C_GetMechanismList");
}

Module::~Module() {
  C_Finalize(nullptr);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Module::Need(CK_MECHANISM_TYPE type, const std::string& name) const {
  if (std::ranges::find(mechanisms_, type) == mechanisms_.end())
    throw Skip("the token has no mechanism for " + name);
}

KeyPtr Module::Import(const Attributes& attributes) {
  auto list = Template(attributes);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = C_CreateObject(session_, list.data(), list.size(), &handle);
  if (rv == CKR_CURVE_NOT_SUPPORTED || rv == CKR_KEY_SIZE_RANGE)
    throw Skip("no such key in this TPM: " + p11::RvName(rv));
  if (rv != CKR_OK) throw KeyRefused{rv};
  return std::make_shared<const Key>(session_, handle);
}

KeyPtr Module::ImportSecret(CK_KEY_TYPE type, ByteView value) {
  Attributes attributes = OpenSecret(type);
  attributes.emplace_back(CKA_VALUE, Copy(value));
  return Import(attributes);
}

CK_RV Module::Verify(CK_MECHANISM mechanism, const Key& key, const Bytes& data,
                     const Bytes& signature) {
  const CK_RV rv = C_VerifyInit(session_, &mechanism, key.handle());
  if (rv != CKR_OK) return rv;
  return C_Verify(session_, In(data), data.size(), In(signature), signature.size());
}

Result Module::Sign(CK_MECHANISM mechanism, const Key& key, const Bytes& data) {
  return Read(C_SignInit(session_, &mechanism, key.handle()), [&](CK_BYTE* out, CK_ULONG* size) {
    return C_Sign(session_, In(data), data.size(), out, size);
  });
}

Result Module::Encrypt(CK_MECHANISM mechanism, const Key& key, const Bytes& data) {
  return Read(C_EncryptInit(session_, &mechanism, key.handle()), [&](CK_BYTE* out, CK_ULONG* size) {
    return C_Encrypt(session_, In(data), data.size(), out, size);
  });
}

Result Module::Decrypt(CK_MECHANISM mechanism, const Key& key, const Bytes& data) {
  return Read(C_DecryptInit(session_, &mechanism, key.handle()), [&](CK_BYTE* out, CK_ULONG* size) {
    return C_Decrypt(session_, In(data), data.size(), out, size);
  });
}

Result Module::Derive(CK_MECHANISM mechanism, const Key& key, size_t size) {
  Attributes attributes = OpenSecret(CKK_GENERIC_SECRET);
  attributes.emplace_back(CKA_VALUE_LEN, Ulong(size));
  auto list = Template(attributes);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv =
      C_DeriveKey(session_, &mechanism, key.handle(), list.data(), list.size(), &handle);
  return ValueOf(rv, handle);
}

Result Module::Unwrap(CK_MECHANISM mechanism, const Key& key, const Bytes& wrapped) {
  const Attributes attributes = OpenSecret(CKK_GENERIC_SECRET);
  auto list = Template(attributes);
  CK_OBJECT_HANDLE handle = CK_INVALID_HANDLE;
  const CK_RV rv = C_UnwrapKey(session_, &mechanism, key.handle(), In(wrapped), wrapped.size(),
                               list.data(), list.size(), &handle);
  return ValueOf(rv, handle);
}

Result Module::Wrap(CK_MECHANISM mechanism, const Key& key, const Key& wrapped) {
  return Read(CKR_OK, [&](CK_BYTE* out, CK_ULONG* size) {
    return C_WrapKey(session_, &mechanism, key.handle(), wrapped.handle(), out, size);
  });
}

Result Module::ValueOf(CK_RV rv, CK_OBJECT_HANDLE handle) {
  if (rv != CKR_OK) return {rv, {}};
  const Key made(session_, handle);
  return Read(rv, [&](CK_BYTE* out, CK_ULONG* size) {
    CK_ATTRIBUTE value{CKA_VALUE, out, *size};
    const CK_RV read = C_GetAttributeValue(session_, handle, &value, 1);
    *size = value.ulValueLen;
    return read;
  });
}

}  // namespace keyscope::wycheproof
