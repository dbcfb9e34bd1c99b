#include "p11/guard.h"

#include <new>
#include <sstream>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "p11/lifecycle.h"
#include "p11/no_cancel.h"
#include "p11/rv_name.h"
#include "token/fault_to_rv.h"

namespace keyscope::p11 {
namespace {

using token::Session;

std::shared_ptr<Session> Known(Call& call, HandleTable<Session>::Entry entry) {
  if (entry.value == nullptr)
    throw Error(Rv{CKR_SESSION_HANDLE_INVALID}, "there is no session with this handle");
  call.slot = entry.slot;
  return std::move(entry.value);
}

// A refused request is the caller's affair and a warning; a Fault is the machine's, and an error.
CK_RV Report(const Call& call, const Error& error) {
  CK_RV rv = token::ToRv(error);
  const Fault* fault = std::get_if<Fault>(&error.cause());
  log::Level level = fault != nullptr ? log::Level::Error : log::Level::Warn;
  if (!log::On(level)) return rv;

  std::ostringstream line;
  line << call.function;
  if (call.slot) line << ", slot " << *call.slot;
  line << ": " << error.what();
  if (fault != nullptr) line << " (" << Name(*fault);
  if (fault != nullptr && error.native() != 0) line << ", 0x" << std::hex << error.native();
  if (fault != nullptr) line << ")";
  line << " -> " << RvName(rv);
  if (log::On(log::Level::Debug))
    line << " [" << error.where().function << ":" << std::dec << error.where().line << "]";
  log::Write(level, line.str());
  return rv;
}

CK_RV Report(const Call& call, CK_RV rv, const char* what) {
  log::Error(call.function, ": ", what, " -> ", RvName(rv));
  return rv;
}

}  // namespace

token::Token& Call::Token(CK_SLOT_ID id) {
  token::Token& found = module->token(id);
  slot = id;
  return found;
}

std::shared_ptr<Session> Call::Session(CK_SESSION_HANDLE handle) {
  return Known(*this, module->sessions().Get(handle));
}

std::shared_ptr<Session> Call::TakeSession(CK_SESSION_HANDLE handle) {
  return Known(*this, module->sessions().Take(handle));
}

CK_RV RunUnguarded(const char* function, Body body, void* closure) noexcept {
  const NoCancel no_cancel;
  Call call{.function = function};
  try {
    try {
      return body(call, closure);
    } catch (const Error& error) {
      return Report(call, error);
    } catch (const std::bad_alloc&) {
      return Report(call, CKR_HOST_MEMORY, "no memory");
    } catch (const std::exception& error) {
      return Report(call, CKR_GENERAL_ERROR, error.what());
    }
  } catch (...) {  // not even the log line could be made
    return CKR_HOST_MEMORY;
  }
}

CK_RV RunGuarded(const char* function, Body body, void* closure) noexcept {
  return Unguarded(function, [&](Call& call) {
    std::shared_ptr<Module> module = CurrentModule();
    AppLock lock(module->app_mutex());
    call.module = module.get();
    return body(call, closure);
  });
}

}  // namespace keyscope::p11
