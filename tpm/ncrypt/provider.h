// The Platform Crypto Provider: handles, properties, blobs, and the keys that it keeps.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "tpm/ncrypt/library.h"
#include "tpm/ncrypt/status.h"
#include "tpm/types.h"

namespace keyscope::tpm::ncrypt {

// A provider, key or secret handle, freed when it goes.
class Handle {
 public:
  Handle() = default;
  explicit Handle(NCRYPT_HANDLE handle) : handle_(handle) {}
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, 0)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (handle_ != 0) Functions().FreeObject(handle_);
  }
  NCRYPT_HANDLE get() const { return handle_; }
  NCRYPT_HANDLE release() { return std::exchange(handle_, 0); }

 private:
  NCRYPT_HANDLE handle_ = 0;
};

// The flags of a call about a key of `scope`. All calls that know of scopes take them from here.
DWORD FlagsOf(KeyScope scope);

// A provider's or key's property. `set` and `get` throw as Try does.
Bytes GetProperty(NCRYPT_HANDLE object, const wchar_t* name);
void SetProperty(NCRYPT_HANDLE object, const wchar_t* name, ByteView value);
void SetProperty(NCRYPT_HANDLE object, const wchar_t* name, DWORD value);
template <typename T>
T GetNumber(NCRYPT_HANDLE object, const wchar_t* name) {
  const Bytes bytes = GetProperty(object, name);
  T number{};
  if (bytes.size() > sizeof number) throw Error(Fault::Io, "a property of another size");
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<uint8_t*>(&number));
  return number;
}
// What authorizes the use of a key. Nothing is set for an empty one.
void SetUsageAuth(NCRYPT_HANDLE key, const SecretBytes& auth);

// Asks `call` for the size of its answer, and then for the answer.
template <typename Call>
Bytes Answer(const char* what, Doing doing, Call call) {
  DWORD size = 0;
  Try(what, doing, [&] { return static_cast<uint32_t>(call(nullptr, 0, &size)); });
  Bytes answer(size);
  Try(what, doing, [&] { return static_cast<uint32_t>(call(answer.data(), size, &size)); });
  answer.resize(size);
  return answer;
}

class Provider {
 public:
  // Fault::DeviceGone when it reaches no TPM, or what opening it failed with.
  Provider();

  NCRYPT_HANDLE get() const { return handle_.get(); }
  bool Supports(const wchar_t* algorithm) const;

  // A key that is not finalized yet; nothing is persisted before. An empty name: it is never.
  Handle Create(const wchar_t* algorithm, const std::wstring& name, KeyScope scope) const;
  Handle Open(const std::wstring& name, KeyScope scope) const;
  // Success, too, when there is none.
  void Delete(const std::wstring& name, KeyScope scope) const;
  // The names of the keys in the name space of `scope`.
  std::vector<std::wstring> Names(KeyScope scope) const;
  Handle Import(const wchar_t* blob_type, ByteView blob) const;

  // Sends a TPM command in the provider's own TBS context, where its keys' handles are known. The
  // response without its header. `doing`: what NTE_PERM would mean.
  Bytes Submit(ByteView command, const char* what) const;

 private:
  Handle handle_;
  TBS_HCONTEXT tbs_ = nullptr;
};

Bytes Export(NCRYPT_HANDLE key, const wchar_t* blob_type);

}  // namespace keyscope::tpm::ncrypt
