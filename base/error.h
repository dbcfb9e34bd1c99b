// Errors are born where their cause is known and become a CK_RV at the edge (p11/guard).
// tpm/ and store/ throw a neutral Fault; token/ throws a CK_RV, and gives each Fault its meaning.
#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <variant>

namespace keyscope {

enum class Fault : uint8_t {
  AuthFailed,  // a wrong PIN or key authorization
  LockedOut,   // the TPM's dictionary-attack lockout is on
  KeyGone,  // the key or row does not exist, or the TPM no longer accepts it (cleared, exchanged)
  Busy,     // still busy after the retries
  NoSpace,  // no room: disk, TPM memory, persistent handles
  Corrupt,  // stored data does not decode or fails its integrity check
  TooNew,   // the store is of a later version
  Io,       // the store's disk failed, or the TPM gave an answer that has no meaning here
  Unsupported,     // this TPM, provider or store does not do that
  BadInput,        // the device refused a value that the caller gave
  DeviceGone,      // no connection to the TPM
  ReadOnly,        // the store cannot be written
  Exists,          // the name of a new key is taken
  Denied,          // the operating system or the hierarchy's authorization forbids it
  PolicyMismatch,  // the PCRs that a key is bound to have other values now
  Internal,        // anything else
};
std::string_view Name(Fault fault);

// A PKCS#11 return value, kept apart from other integers. base/ knows no CKR_ names.
struct Rv {
  unsigned long value;
};

// Where an Error was born. Not std::source_location, which clang 14 does not find in GCC's library.
struct Where {
  const char* function;
  int line;

  static constexpr Where Here(const char* function = __builtin_FUNCTION(),
                              int line = __builtin_LINE()) {
    return {function, line};
  }
};

class Error : public std::exception {
 public:
  // `native`: the TSS2_RC, SECURITY_STATUS or extended SQLite code; 0 when there is none.
  // `text`: what failed, in the device's own words, and what to do about it. Never a secret.
  Error(Fault fault, std::string text, uint32_t native = 0, Where where = Where::Here())
      : cause_(fault), text_(std::move(text)), native_(native), where_(where) {}
  Error(Rv rv, std::string text, Where where = Where::Here())
      : cause_(rv), text_(std::move(text)), where_(where) {}

  const char* what() const noexcept override { return text_.c_str(); }
  const std::variant<Fault, Rv>& cause() const { return cause_; }
  bool Is(Fault fault) const {
    const Fault* mine = std::get_if<Fault>(&cause_);
    return mine != nullptr && *mine == fault;
  }
  uint32_t native() const { return native_; }
  const Where& where() const { return where_; }

 private:
  std::variant<Fault, Rv> cause_;
  std::string text_;
  uint32_t native_ = 0;
  Where where_;
};

}  // namespace keyscope
