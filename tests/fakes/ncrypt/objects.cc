#include <variant>

#include "tests/fakes/ncrypt/double.h"

namespace keyscope::ncrypt_double {
namespace {

using Object =
    std::variant<std::unique_ptr<Provider>, std::unique_ptr<Key>, std::unique_ptr<Secret>>;
std::map<NCRYPT_HANDLE, Object>& All() {
  static auto* all = new std::map<NCRYPT_HANDLE, Object>;
  return *all;
}
NCRYPT_HANDLE last = 0x1000;
uint32_t last_tpm_handle = 0x80000000;

NCRYPT_HANDLE AddObject(Object object) {
  last += 16;
  All().emplace(last, std::move(object));
  return last;
}

template <typename T>
T& Get(NCRYPT_HANDLE handle) {
  const auto found = All().find(handle);
  Require(found != All().end(), kInvalidHandle);
  auto* object = std::get_if<std::unique_ptr<T>>(&found->second);
  Require(object != nullptr, kInvalidHandle);
  return **object;
}

}  // namespace

NCRYPT_HANDLE Add(std::unique_ptr<Key> key) {
  key->tpm_handle = ++last_tpm_handle;
  return AddObject(std::move(key));
}
NCRYPT_HANDLE Add(std::unique_ptr<Secret> secret) { return AddObject(std::move(secret)); }
NCRYPT_HANDLE Add(std::unique_ptr<Provider> provider) { return AddObject(std::move(provider)); }

Key& KeyOf(NCRYPT_HANDLE handle) { return Get<Key>(handle); }
Secret& SecretOf(NCRYPT_HANDLE handle) { return Get<Secret>(handle); }
void RequireProvider(NCRYPT_HANDLE handle) { Get<Provider>(handle); }
bool IsProvider(NCRYPT_HANDLE handle) {
  const auto found = All().find(handle);
  return found != All().end() && found->second.index() == 0;
}

Key* KeyWithTpmHandle(uint32_t tpm_handle) {
  for (auto& [handle, object] : All())
    if (auto* key = std::get_if<std::unique_ptr<Key>>(&object))
      if ((*key)->tpm_handle == tpm_handle && (*key)->finalized) return key->get();
  return nullptr;
}

void Free(NCRYPT_HANDLE handle) { Require(All().erase(handle) == 1, kInvalidHandle); }

}  // namespace keyscope::ncrypt_double
