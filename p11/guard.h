// Guard: what every C_ function runs in. Looks whether the module is initialized, takes the
// application's mutex if there is one, turns exceptions into CK_RVs and writes the one log line of
// a failure.
#pragma once

#include <optional>
#include <type_traits>

#include "p11/module.h"

namespace keyscope::p11 {

// One call of a C_ function: what its body works with, and what the log line tells.
struct Call {
  const char* function;
  Module* module = nullptr;                       // set before the body runs
  std::optional<CK_SLOT_ID> slot = std::nullopt;  // when known

  // The token in a slot. CKR_SLOT_ID_INVALID.
  token::Token& Token(CK_SLOT_ID id);
  // CKR_SESSION_HANDLE_INVALID.
  std::shared_ptr<token::Session> Session(CK_SESSION_HANDLE handle);
  // The same, out of the table for good.
  std::shared_ptr<token::Session> TakeSession(CK_SESSION_HANDLE handle);
};

using Body = CK_RV (*)(Call&, void* closure);
// For what runs before C_Initialize or around it: exceptions and log line only.
CK_RV RunUnguarded(const char* function, Body body, void* closure) noexcept;
CK_RV RunGuarded(const char* function, Body body, void* closure) noexcept;

// Calls a body that returns CK_RV or, for CKR_OK, nothing.
template <typename F, typename... Args>
CK_RV Answer(F& body, Args&... args) {
  if constexpr (std::is_void_v<std::invoke_result_t<F&, Args&...>>) {
    body(args...);
    return CKR_OK;
  } else {
    return body(args...);
  }
}
template <typename F>
CK_RV CallBody(Call& call, void* closure) {
  return Answer(*static_cast<F*>(closure), call);
}

// Guard(__func__, [&](Call& call) { ... })
template <typename F>
CK_RV Guard(const char* function, F body) {
  return RunGuarded(function, CallBody<F>, &body);
}
template <typename F>
CK_RV Unguarded(const char* function, F body) {
  return RunUnguarded(function, CallBody<F>, &body);
}

// Guard for functions of a session, which stays locked during the call:
// InSession(__func__, hSession, [&](token::Session& session) { ... })
template <typename F>
CK_RV InSession(const char* function, CK_SESSION_HANDLE handle, F body) {
  return Guard(function, [&](Call& call) {
    std::shared_ptr<token::Session> session = call.Session(handle);
    auto lock = session->Lock();
    return Answer(body, *session);
  });
}

}  // namespace keyscope::p11
